<?php
/** Delete what the plugin stored: its settings, and the copies of the form. */

defined('WP_UNINSTALL_PLUGIN') || exit;

delete_option('newsletter_signup');
delete_option('newsletter_signup_told');
global $wpdb;
foreach (['_transient_newsletter_signup_', '_transient_timeout_newsletter_signup_'] as $beginning) {
    $wpdb->query($wpdb->prepare("DELETE FROM $wpdb->options WHERE option_name LIKE %s", $wpdb->esc_like($beginning) . '%'));
}
