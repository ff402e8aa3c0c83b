<?php
/** What the newsletter's forms ask and say. A copy is kept, so that pages do not wait for the newsletter. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Forms
{
    private const FRESH_SECONDS = 10 * MINUTE_IN_SECONDS;
    private const KEPT_SECONDS = 30 * DAY_IN_SECONDS;
    private const RETRY_SECONDS = MINUTE_IN_SECONDS;

    /** Return the form of a list in this page's language, or the last known copy. Throw Failure if there is neither. */
    public static function read(string $list): array
    {
        $name = self::name_of($list);
        $kept = get_transient($name);
        if (is_array($kept) && time() - $kept['at'] < self::FRESH_SECONDS) {
            return $kept['form'];
        }
        $failed = get_transient("{$name}_failed");
        if (is_string($failed) && $failed !== '') {
            return self::last_known($kept, new Failure($failed));
        }
        try {
            $form = Client::get('sign-up-forms/' . rawurlencode($list), ['language' => self::language()]);
        } catch (Failure $failure) {
            set_transient("{$name}_failed", $failure->reason, self::RETRY_SECONDS);
            return self::last_known($kept, $failure);
        }
        set_transient($name, ['at' => time(), 'form' => $form], self::KEPT_SECONDS);
        return $form;
    }

    /** Read the form again at its next use. */
    public static function forget(string $list): void
    {
        $name = self::name_of($list);
        delete_transient($name);
        delete_transient("{$name}_failed");
    }

    /** Return a list's short name without what it cannot hold. */
    public static function clean_slug(mixed $text): string
    {
        return is_string($text) ? substr((string) preg_replace('/[^-a-zA-Z0-9_]/', '', $text), 0, 80) : '';
    }

    /** Return the names of all forms by their lists' short names. Throw Failure. */
    public static function names(): array
    {
        return array_column(Client::get('sign-up-forms', ['limit' => 200])['items'] ?? [], 'name', 'list');
    }

    /** Return the language of this page as the newsletter reads it, such as “pt-BR”. */
    public static function language(): string
    {
        return substr(str_replace('_', '-', determine_locale()), 0, 16);
    }

    private static function last_known(mixed $kept, Failure $failure): array
    {
        if (is_array($kept)) {
            return $kept['form'];
        }
        throw $failure;
    }

    private static function name_of(string $list): string
    {
        return 'newsletter_signup_' . md5(wp_json_encode([$list, self::language(), Options::all()['address'], Options::all()['version']]));
    }
}
