<?php
/* One action on the WordPress beside it: reads {"do": name, "with": {...}} as JSON, prints the result as JSON. */
$site = $argv[1];
$wanted = json_decode(stream_get_contents(STDIN), true);
if ($wanted['do'] === 'install') {
    define('WP_INSTALLING', true);
}
$_SERVER['HTTP_HOST'] = parse_url($argv[2], PHP_URL_HOST) . ':' . parse_url($argv[2], PHP_URL_PORT);
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
require $site . '/wp-load.php';

function install_site($with) {
    require_once ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_install($with['title'], 'editor', 'editor@example.org', true, '', 'a long password for tests');
    switch_theme('twentytwentythree');
    update_option('default_comment_status', 'closed');
    wp_delete_post(1, true);
    wp_delete_post(2, true);
    return true;
}

function save_post($with) {
    $id = isset($with['ID']) ? wp_update_post(wp_slash($with), true) : wp_insert_post(wp_slash($with), true);
    if (is_wp_error($id)) {
        throw new Exception($id->get_error_message());
    }
    return $id;
}

function add_picture($with) {
    require_once ABSPATH . 'wp-admin/includes/image.php';
    require_once ABSPATH . 'wp-admin/includes/file.php';
    require_once ABSPATH . 'wp-admin/includes/media.php';
    $copy = wp_tempnam('picture.jpg');
    copy($with['file'], $copy);
    $id = media_handle_sideload(['name' => 'picture.jpg', 'tmp_name' => $copy], $with['post']);
    if (is_wp_error($id)) {
        throw new Exception($id->get_error_message());
    }
    update_post_meta($id, '_wp_attachment_image_alt', $with['alt']);
    set_post_thumbnail($with['post'], $id);
    return $id;
}

function set_permalinks($with) {
    global $wp_rewrite;
    update_option('permalink_structure', $with['structure']);
    $wp_rewrite->init();
    $wp_rewrite->set_permalink_structure($with['structure']);
    flush_rewrite_rules(false);
    return true;
}

function turn_on_plugin($with) {
    require_once ABSPATH . 'wp-admin/includes/plugin.php';
    $error = activate_plugin($with['plugin'], '', false, false);
    if (is_wp_error($error)) {
        throw new Exception($error->get_error_message());
    }
    return true;
}

function remove_plugin($with) {
    require_once ABSPATH . 'wp-admin/includes/plugin.php';
    require_once ABSPATH . 'wp-admin/includes/file.php';
    deactivate_plugins($with['plugin']);
    return delete_plugins([$with['plugin']]);
}

/* The tables that hold a text anywhere. */
function find_text_anywhere($with) {
    global $wpdb;
    $found = [];
    foreach ($wpdb->get_col('SHOW TABLES') as $table) {
        foreach ($wpdb->get_col("SHOW COLUMNS FROM `$table`") as $column) {
            $like = '%' . $wpdb->esc_like($with['text']) . '%';
            if ($wpdb->get_var($wpdb->prepare("SELECT 1 FROM `$table` WHERE CAST(`$column` AS CHAR) LIKE %s LIMIT 1", $like))) {
                $found[] = "$table.$column";
            }
        }
    }
    return $found;
}

function make_user($with) {
    return wp_insert_user(['user_login' => $with['name'], 'user_pass' => $with['password'], 'role' => $with['role'], 'user_email' => $with['name'] . '@example.org']);
}

/* Somebody who has seen the editor's guide. */
function skip_guide() {
    global $wpdb;
    $seen = ['core/edit-post' => ['welcomeGuide' => false], '_modified' => gmdate('c')];
    return (bool) update_user_meta(1, $wpdb->get_blog_prefix() . 'persisted_preferences', $seen);
}

$actions = [
    'skip_guide' => fn($with) => skip_guide(),
    'activate' => 'turn_on_plugin',
    'uninstall' => 'remove_plugin',
    'find_text' => 'find_text_anywhere',
    'user' => 'make_user',
    'set_option' => fn($with) => update_option($with['name'], $with['value']),
    'option' => fn($with) => get_option($with['name']),
    'install' => 'install_site',
    'save' => 'save_post',
    'trash' => fn($with) => (bool) wp_trash_post($with['ID']),
    'restore' => function ($with) {
        wp_untrash_post($with['ID']);
        wp_publish_post($with['ID']);
        return true;
    },
    'delete' => fn($with) => (bool) wp_delete_post($with['ID'], true),
    'stick' => function ($with) { stick_post($with['ID']); return true; },
    'picture' => 'add_picture',
    'permalinks' => 'set_permalinks',
    'address' => fn($with) => get_permalink($with['ID']),
];
wp_set_current_user(1);
echo json_encode($actions[$wanted['do']]($wanted['with'] ?? []));
