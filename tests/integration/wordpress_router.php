<?php
/* What a web server in front of WordPress does: serves files, hands everything else to WordPress. */
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$folder = getenv('WORDPRESS_FOLDER');
$file = $_SERVER['DOCUMENT_ROOT'] . $path;
if ($path !== '/' && (is_file($file) || (str_contains($path, '/wp-admin/') && is_file("$file/index.php")))) {
    return false;
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $folder . '/index.php';
$_SERVER['SCRIPT_FILENAME'] = $_SERVER['DOCUMENT_ROOT'] . $folder . '/index.php';
chdir($_SERVER['DOCUMENT_ROOT'] . $folder);
require $_SERVER['SCRIPT_FILENAME'];
