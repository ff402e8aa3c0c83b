<?php
/** The settings: one option. The key is stored here and never shown again. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Options
{
    public const NAME = 'newsletter_signup';
    private const DEFAULTS = ['address' => '', 'key' => '', 'list' => '', 'source' => 0, 'tell' => false, 'proxies' => 0, 'version' => 1];

    /** @return array{address: string, key: string, list: string, source: int, tell: bool, proxies: int, version: int} */
    public static function all(): array
    {
        $stored = get_option(self::NAME, []);
        return array_intersect_key(is_array($stored) ? $stored : [], self::DEFAULTS) + self::DEFAULTS;
    }

    /** Return the key of `wp-config.php` if there is one, else the stored one. */
    public static function key(): string
    {
        return defined('NEWSLETTER_SIGNUP_KEY') ? (string) constant('NEWSLETTER_SIGNUP_KEY') : self::all()['key'];
    }

    /** Return the values of the settings form as they are stored. An empty key keeps the one that is there. */
    public static function clean(mixed $sent): array
    {
        $old = self::all();
        if (!is_array($sent)) {
            return $old;
        }
        $key = preg_replace('/\s+/', '', is_string($sent['key'] ?? null) ? $sent['key'] : '');
        $address = self::clean_address(is_string($sent['address'] ?? null) ? $sent['address'] : '');
        $key = $key !== '' ? sanitize_text_field($key) : $old['key'];
        if (!empty($sent['remove_key'])) {
            $key = '';
        } elseif ($address !== $old['address'] && $key === $old['key'] && $old['address'] !== '' && $key !== '') {
            $key = '';
            add_settings_error(self::NAME, 'key', __('The address is another now, so the old key was removed: it must not be sent elsewhere. Paste the key of the new address.', 'newsletter-signup'));
        }
        return [
            'address' => $address,
            'key' => $key,
            'list' => Forms::clean_slug($sent['list'] ?? ''),
            'source' => absint($sent['source'] ?? 0),
            'tell' => !empty($sent['tell']),
            'proxies' => min(10, absint($sent['proxies'] ?? 0)),
            'version' => $old['version'] + 1,
        ];
    }

    private static function clean_address(string $typed): string
    {
        $typed = trim($typed);
        if ($typed !== '' && !preg_match('#^https?://#i', $typed)) {
            $typed = "https://$typed";
        }
        $parts = wp_parse_url(esc_url_raw($typed, ['http', 'https']));
        if (empty($parts['host'])) {
            return '';
        }
        $port = isset($parts['port']) ? ":{$parts['port']}" : '';
        return strtolower("{$parts['scheme']}://{$parts['host']}") . $port . rtrim($parts['path'] ?? '', '/');
    }
}
