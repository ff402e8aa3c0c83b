<?php
/** “Check connection”: what works and what does not, in plain words. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Check
{
    /** Return lines of the form [works, text]. */
    public static function run(): array
    {
        try {
            $names = Forms::names();
        } catch (Failure $failure) {
            return [[false, $failure->explain()]];
        }
        return [self::check_list($names), self::check_source()];
    }

    private static function check_list(array $names): array
    {
        $list = Options::all()['list'];
        if (!$names) {
            return [false, __('Connected, but the newsletter has no list that people can sign up for, or none for this key.', 'newsletter-signup')];
        }
        if ($list === '') {
            /* translators: %s: names of lists */
            return [true, sprintf(__('Connected. Sign-up forms: %s. Choose the usual list below.', 'newsletter-signup'), implode(', ', $names))];
        }
        return isset($names[$list])
            /* translators: %s: the name of a list */
            ? [true, sprintf(__('Connected. The usual sign-up form is that of “%s”.', 'newsletter-signup'), $names[$list])]
            : [false, __('Connected, but the usual list is not open for sign-ups any more. Choose another.', 'newsletter-signup')];
    }

    private static function check_source(): array
    {
        try {
            $id = Tell::find_source();
            $names = array_column(Tell::sources(), 'name', 'id');
        } catch (Failure $failure) {
            return $failure->reason === 'no_source'
                ? [false, __('The newsletter has no source at this site’s address, so it reads no posts from here. Its staff can add this site under Sources.', 'newsletter-signup')]
                : [false, $failure->explain()];
        }
        return isset($names[$id])
            /* translators: %s: the name of a source */
            ? [true, sprintf(__('The newsletter reads this site as the source “%s”.', 'newsletter-signup'), $names[$id])]
            : [false, __('The chosen source is not there any more. Choose another.', 'newsletter-signup')];
    }
}
