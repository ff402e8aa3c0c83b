<?php
/** Tell the newsletter to look at this site now: by the button of a post, and when a post is published or withdrawn. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Tell
{
    public const LAST = 'newsletter_signup_told';
    private const SECONDS = 30;
    private const SECONDS_IF_THE_EDITOR_WAITS = 5;
    private static bool $due = false;

    public static function register(): void
    {
        add_action('transition_post_status', [self::class, 'note_change'], 10, 3);
        add_action('shutdown', [self::class, 'tell_if_due']);
    }

    /** Return the post types that the newsletter reads from this site. */
    public static function post_types(): array
    {
        return (array) apply_filters('newsletter_signup_post_types', ['post']);
    }

    public static function note_change(string $new, string $old, \WP_Post $post): void
    {
        if (($new === 'publish') !== ($old === 'publish') && in_array($post->post_type, self::post_types(), true) && Options::all()['tell']) {
            self::$due = true;
        }
    }

    /** Runs at the end of the request, when the post has its image and topics, and where the server allows it after the answer. */
    public static function tell_if_due(): void
    {
        if (!self::$due) {
            return;
        }
        self::$due = false;
        $answered = (function_exists('fastcgi_finish_request') && fastcgi_finish_request())
            || (function_exists('litespeed_finish_request') && litespeed_finish_request());
        self::tell($answered ? self::SECONDS : self::SECONDS_IF_THE_EDITOR_WAITS);
    }

    /** Tell the newsletter about a post and return `ok` and `message`. */
    public static function about(int $post): array
    {
        if (get_post_status($post) !== 'publish') {
            return ['ok' => false, 'message' => __('This post is not published, so the newsletter cannot see it. Publish it first.', 'newsletter-signup')];
        }
        return self::tell(self::SECONDS);
    }

    private static function tell(float $timeout): array
    {
        try {
            $source = self::find_source();
            $report = Client::post("sources/$source/look", null, $timeout);
            $told = self::describe($report);
        } catch (Failure $failure) {
            $told = ['ok' => false, 'message' => self::explain($failure)];
        }
        update_option(self::LAST, $told + ['at' => time()], false);
        return $told;
    }

    private static function describe(array $report): array
    {
        if (!empty($report['error'])) {
            /* translators: %s: what the newsletter says */
            return ['ok' => false, 'message' => sprintf(__('The newsletter could not read this site: %s', 'newsletter-signup'), $report['error'])];
        }
        $message = sprintf(
            /* translators: 1: number of new stories, 2: number of changed stories */
            __('The newsletter looked at this site: %1$d new, %2$d changed.', 'newsletter-signup'),
            (int) ($report['new'] ?? 0),
            (int) ($report['updated'] ?? 0) + (int) ($report['cancelled'] ?? 0)
        );
        return ['ok' => true, 'message' => $message];
    }

    private static function explain(Failure $failure): string
    {
        if ($failure->reason === 'no_source') {
            return __('The newsletter has no source at this site’s address. Ask its staff to add this site as a source, or choose the source in the settings.', 'newsletter-signup');
        }
        return $failure->reason === 'unreachable'
            ? __('The newsletter did not answer in time. Nothing is lost: it looks at this site by itself at its usual times.', 'newsletter-signup')
            : $failure->explain();
    }

    /** Return the id of the chosen source, or of the one whose address is on this site. Throw Failure. */
    public static function find_source(): int
    {
        $chosen = Options::all()['source'];
        if ($chosen > 0) {
            return $chosen;
        }
        foreach (self::sources() as $source) {
            if (self::is_here($source)) {
                return (int) $source['id'];
            }
        }
        throw new Failure('no_source');
    }

    /** Return the newsletter's sources. Throw Failure. */
    public static function sources(): array
    {
        return Client::get('sources', ['limit' => 200])['items'] ?? [];
    }

    private static function is_here(array $source): bool
    {
        $there = wp_parse_url((string) $source['url']);
        $here = wp_parse_url(home_url());
        $without_www = fn (array $address): string => preg_replace('/^www\./', '', strtolower($address['host'] ?? '')) . ':' . ($address['port'] ?? '');
        $folder = rtrim($here['path'] ?? '', '/');
        return !empty($source['enabled']) && $without_www($there ?: []) === $without_www($here)
            && str_starts_with(rtrim($there['path'] ?? '', '/') . '/', "$folder/");
    }
}
