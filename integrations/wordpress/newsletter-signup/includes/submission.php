<?php
/** A filled-in form: it is posted to the page that it is on, handed on to the newsletter, and answered there. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Submission
{
    public const FIELD = 'newsletter_signup';
    public const NONCE = 'newsletter_signup_nonce';
    private const TEXTS = ['email', 'name', 'city', 'language', 'website', 'meant', 'hinted', 'hinted_city', 'wording', 'proof', 'corrected'];
    private const TYPED = ['email', 'name', 'city', 'hinted_city'];
    private const MAX_LENGTH = 1000;
    private const MAX_TYPED_LENGTH = 10000; // what the newsletter reads of a field, to answer that it is too long
    private static ?self $current = null;
    private bool $shown = false;

    private function __construct(public readonly string $list, public readonly string $form, public readonly array $values, public readonly array $result)
    {
    }

    public static function register(): void
    {
        add_action('template_redirect', [self::class, 'handle'], 1);
        add_action('wp_footer', [self::class, 'show_elsewhere']);
    }

    public static function handle(): void
    {
        $sent = $_POST[self::FIELD] ?? null; // phpcs:ignore WordPress.Security.NonceVerification -- checked below, so that what was typed is kept
        if (!is_array($sent) || self::$current !== null) {
            return;
        }
        nocache_headers();
        $sent = wp_unslash($sent);
        $list = Forms::clean_slug($sent['list'] ?? '');
        $chosen = array_slice(array_filter((array) ($sent['topics'] ?? []), 'is_string'), 0, 100);
        $values = ['topics' => array_map(fn (string $topic): string => self::clean_text($topic), array_values($chosen))];
        foreach (self::TEXTS as $name) {
            $values[$name] = self::text($sent, $name);
        }
        if ($values['corrected'] !== '') {
            $values['email'] = $values['corrected'];
        }
        $nonce = is_string($_POST[self::NONCE] ?? null) ? sanitize_text_field(wp_unslash($_POST[self::NONCE])) : '';
        $result = wp_verify_nonce($nonce, self::FIELD)
            ? self::hand_on($list, $values)
            : ['accepted' => false, 'hint' => __('This page was open for too long. Please press the button again.', 'newsletter-signup')];
        $suggestion = $result['suggestion'] ?? null;
        if (is_array($suggestion)) {
            $values['hinted'] = $values['email'];
        }
        if (in_array('city', array_column($result['errors'] ?? [], 'where'), true)) {
            $values['hinted_city'] = $values['city'];  // sent again, an unknown town does not stop the sign-up
        }
        self::$current = new self($list, sanitize_key(self::text($sent, 'form')), $values, $result);
    }

    /** Return the submission of the form with this id, or null. */
    public static function of_form(string $form): ?self
    {
        if (self::$current === null || self::$current->form !== $form) {
            return null;
        }
        self::$current->shown = true;
        return self::$current;
    }

    /** Show the answer at the end of the page if the form is not on it any more, so that nobody is left without one. */
    public static function show_elsewhere(): void
    {
        if (self::$current !== null && !self::$current->shown) {
            self::$current->shown = true;
            echo FormView::render_result(self::$current, self::$current->form); // phpcs:ignore WordPress.Security.EscapeOutput -- escaped where it is made
        }
    }

    private static function hand_on(string $list, array $values): array
    {
        $typed = array_map(fn (string $text): string => mb_substr($text, 0, self::MAX_TYPED_LENGTH), array_intersect_key($values, array_flip(self::TYPED)));
        $body = $typed + array_diff_key($values, ['corrected' => true, 'proof' => true]) + [
            'proof' => substr($values['proof'], 0, 2000),
            'shown_in' => Forms::language(),
            'visitor' => Visitor::address(),
            'page' => mb_substr(self::page_address(), 0, 150),
        ];
        try {
            $result = Client::post('sign-up-forms/' . rawurlencode($list), $body);
        } catch (Failure $failure) {
            do_action('newsletter_signup_failed', $failure);
            return ['accepted' => false, 'hint' => self::excuse()];
        }
        if (!empty($result['form_changed'])) {
            Forms::forget($list);
        }
        return $result;
    }

    private static function page_address(): string
    {
        $site = wp_parse_url(home_url());
        $port = isset($site['port']) ? ":{$site['port']}" : '';
        $path = (string) strtok(sanitize_url(wp_unslash($_SERVER['REQUEST_URI'] ?? '/')), '?');
        return "{$site['scheme']}://{$site['host']}$port$path";
    }

    /** Return what the visitor reads if the newsletter cannot be reached. */
    private static function excuse(): string
    {
        return __('We could not sign you up just now, because the newsletter does not answer. Please press the button again in a few minutes; what you typed is still here.', 'newsletter-signup');
    }

    private static function text(array $sent, string $name): string
    {
        $length = match (true) {
            in_array($name, self::TYPED, true) => null,
            $name === 'proof' => 2000,
            default => self::MAX_LENGTH,
        };
        return is_string($sent[$name] ?? null) ? self::clean_text($sent[$name], $length) : '';
    }

    /** Return a text without what no field can hold. What a visitor typed is not cut. It is escaped where it is shown. */
    public static function clean_text(string $text, ?int $length = self::MAX_LENGTH): string
    {
        $text = wp_check_invalid_utf8($text);
        return mb_substr(trim((string) preg_replace('/[\x00-\x1f\x7f]+/', ' ', $text)), 0, $length);
    }
}
