<?php
/** The visitor's network address, by which the newsletter limits sign-ups. It is handed on and not stored. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Visitor
{
    /**
     * Return the address of the connection, or behind so many proxies of our own the entry that the first of them wrote.
     * Anybody may write the left end of X-Forwarded-For, so it is counted from the right.
     */
    public static function address(): string
    {
        $address = self::server('REMOTE_ADDR');
        $proxies = Options::all()['proxies'];
        if ($proxies > 0) {
            $hops = array_map('trim', explode(',', self::server('HTTP_X_FORWARDED_FOR')));
            $address = $hops[count($hops) - $proxies] ?? $address;
        }
        $address = filter_var($address, FILTER_VALIDATE_IP) ? $address : self::server('REMOTE_ADDR');
        return (string) apply_filters('newsletter_signup_visitor_address', $address);
    }

    private static function server(string $name): string
    {
        return isset($_SERVER[$name]) ? sanitize_text_field(wp_unslash($_SERVER[$name])) : '';
    }
}
