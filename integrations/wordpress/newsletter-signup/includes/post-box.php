<?php
/** The box “Newsletter” beside a post, with the button that tells the newsletter to look at this site now. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class PostBox
{
    private const ACTION = 'newsletter_signup_tell';

    public static function register(): void
    {
        add_action('add_meta_boxes', [self::class, 'add_box']);
        add_action('admin_post_' . self::ACTION, [self::class, 'handle']);
        add_action('admin_notices', [self::class, 'show_answer']);
    }

    public static function add_box(string $post_type): void
    {
        if (in_array($post_type, Tell::post_types(), true)) {
            add_meta_box('newsletter-signup-tell', __('Newsletter', 'newsletter-signup'), [self::class, 'render'], $post_type, 'side');
        }
    }

    public static function render(\WP_Post $post): void
    {
        wp_enqueue_script('newsletter-signup-tell', plugins_url('assets/tell.js', FILE), [], VERSION, true);
        $url = wp_nonce_url(admin_url('admin-post.php?action=' . self::ACTION . "&post=$post->ID"), self::ACTION . "_$post->ID");
        printf('<p>%s</p>', esc_html(
            Options::all()['tell']
                ? __('The newsletter is told when this post is published or withdrawn. After other changes, use the button.', 'newsletter-signup')
                : __('The newsletter looks at this site at its usual times. Use the button to have it look now.', 'newsletter-signup')
        ));
        printf(
            '<p><a class="button" role="button" href="%s" data-newsletter-tell="%s" data-nonce="%s" data-post="%d" data-failed="%s">%s</a></p><p role="status"></p>',
            esc_url($url),
            esc_url(rest_url(Rest::NAMESPACE . '/tell')),
            esc_attr(wp_create_nonce('wp_rest')),
            (int) $post->ID,
            esc_attr__('This site did not answer. Reload the page and press the button again.', 'newsletter-signup'),
            esc_html__('Tell the newsletter', 'newsletter-signup')
        );
    }

    /** Handle the button without script: tell, and show the answer on the page of the post. */
    public static function handle(): void
    {
        $post = absint($_GET['post'] ?? 0);
        check_admin_referer(self::ACTION . "_$post");
        if (!current_user_can('edit_post', $post)) {
            wp_die(esc_html__('You may not edit this post.', 'newsletter-signup'), '', ['response' => 403]);
        }
        set_transient('newsletter_signup_answer_' . get_current_user_id(), Tell::about($post), MINUTE_IN_SECONDS);
        wp_safe_redirect(get_edit_post_link($post, 'raw') ?: admin_url());
        exit;
    }

    public static function show_answer(): void
    {
        $name = 'newsletter_signup_answer_' . get_current_user_id();
        $told = get_transient($name);
        if (is_array($told)) {
            delete_transient($name);
            printf('<div class="notice notice-%s"><p>%s</p></div>', $told['ok'] ? 'success' : 'warning', esc_html($told['message']));
        }
    }
}
