<?php
/** The block “Newsletter sign-up” and the shortcode [newsletter_signup list="weekly" title="no"], both rendered on the server. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Block
{
    public static function register(): void
    {
        add_action('init', [self::class, 'register_parts']);
        add_action('enqueue_block_editor_assets', [self::class, 'hand_texts_to_the_editor']);
    }

    public static function register_parts(): void
    {
        wp_register_style('newsletter-signup', plugins_url('assets/form.css', FILE), [], VERSION);
        wp_register_script('newsletter-signup-form', plugins_url('assets/form.js', FILE), [], VERSION, true);
        wp_register_script(
            'newsletter-signup-editor',
            plugins_url('block/editor.js', FILE),
            ['wp-blocks', 'wp-element', 'wp-block-editor', 'wp-components', 'wp-server-side-render'],
            VERSION,
            true
        );
        register_block_type(dirname(FILE) . '/block', ['render_callback' => [self::class, 'render_block']]);
        add_shortcode('newsletter_signup', [self::class, 'render_shortcode']);
    }

    public static function render_block(array $attributes): string
    {
        $form = FormView::render(Forms::clean_slug($attributes['list'] ?? ''), !empty($attributes['showTitle']));
        return $form === '' ? '' : '<div ' . get_block_wrapper_attributes() . ">$form</div>";
    }

    public static function render_shortcode(mixed $attributes): string
    {
        $attributes = shortcode_atts(['list' => '', 'title' => 'yes'], is_array($attributes) ? $attributes : [], 'newsletter_signup');
        return FormView::render(Forms::clean_slug($attributes['list']), $attributes['title'] !== 'no');
    }

    public static function hand_texts_to_the_editor(): void
    {
        $failure = '';
        $lists = [];
        try {
            $lists = Forms::names();
        } catch (Failure $found) {
            $failure = $found->explain();
        }
        $data = [
            'lists' => array_map(fn (string $slug, string $name): array => ['value' => $slug, 'label' => $name], array_keys($lists), array_values($lists)),
            'failure' => $failure,
            'texts' => [
                'title' => __('Newsletter sign-up', 'newsletter-signup'),
                'settings' => __('Form', 'newsletter-signup'),
                'list' => __('List', 'newsletter-signup'),
                'default' => __('The list of the settings', 'newsletter-signup'),
                'showTitle' => __('Show the list’s name and description', 'newsletter-signup'),
            ],
        ];
        wp_add_inline_script('newsletter-signup-editor', 'window.newsletterSignup = ' . wp_json_encode($data, JSON_HEX_TAG | JSON_HEX_AMP) . ';', 'before');
    }
}
