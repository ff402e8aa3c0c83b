<?php
/**
 * Plugin Name: Newsletter sign-up
 * Description: The sign-up form of your newsletter as a block and a shortcode, and a button that tells the newsletter about a new post. Keeps nothing about your visitors.
 * Version: 0.1.0
 * Requires at least: 6.1
 * Requires PHP: 8.1
 * License: GPL-2.0-or-later
 * License URI: https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain: newsletter-signup
 * Domain Path: /languages
 */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

const VERSION = '0.1.0';
const FILE = __FILE__;

foreach (['failure', 'options', 'client', 'forms', 'visitor', 'submission', 'form-view', 'block', 'rest', 'tell', 'post-box', 'check', 'settings-page'] as $part) {
    require_once __DIR__ . "/includes/$part.php";
}

add_action('init', function (): void {
    load_plugin_textdomain('newsletter-signup', false, dirname(plugin_basename(FILE)) . '/languages');
});
add_filter('load_textdomain_mofile', function (string $file, string $domain): string {
    $spanish = __DIR__ . '/languages/newsletter-signup-es_ES.mo'; // for all countries that speak it
    return $domain === 'newsletter-signup' && !is_readable($file) && str_starts_with(determine_locale(), 'es') ? $spanish : $file;
}, 10, 2);
Submission::register();
Block::register();
Rest::register();
Tell::register();
PostBox::register();
SettingsPage::register();
