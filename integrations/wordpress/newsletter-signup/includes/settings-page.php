<?php
/** Settings → Newsletter: address, key, usual list, source, and the answer of “Check connection”. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class SettingsPage
{
    private const SLUG = 'newsletter-signup';
    private const CHECK = 'newsletter_signup_check';

    public static function register(): void
    {
        add_action('admin_menu', fn () => add_options_page(
            __('Newsletter', 'newsletter-signup'),
            __('Newsletter', 'newsletter-signup'),
            'manage_options',
            self::SLUG,
            [self::class, 'render']
        ));
        add_action('admin_init', fn () => register_setting(self::SLUG, Options::NAME, ['sanitize_callback' => [Options::class, 'clean'], 'show_in_rest' => false]));
        add_action('admin_init', [self::class, 'suggest_privacy_text']);
        add_filter('plugin_action_links_' . plugin_basename(FILE), [self::class, 'add_link']);
    }

    public static function add_link(array $links): array
    {
        return [sprintf('<a href="%s">%s</a>', esc_url(self::url()), esc_html__('Settings', 'newsletter-signup')), ...$links];
    }

    public static function suggest_privacy_text(): void
    {
        wp_add_privacy_policy_content(
            __('Newsletter sign-up', 'newsletter-signup'),
            '<p>' . esc_html__('If you sign up for our newsletter here, what you type and your network address are handed on to our newsletter system, which limits sign-ups by robots with the latter. This website keeps neither, sets no cookie for it and does not track you.', 'newsletter-signup') . '</p>'
        );
    }

    public static function render(): void
    {
        if (!current_user_can('manage_options')) {
            return;
        }
        $options = Options::all();
        $is_checked = isset($_GET['settings-updated']) || wp_verify_nonce(sanitize_text_field(wp_unslash($_GET['_wpnonce'] ?? '')), self::CHECK);
        echo '<div class="wrap"><h1>' . esc_html__('Newsletter', 'newsletter-signup') . '</h1>';
        if ($is_checked) {
            self::render_check();
        }
        echo '<form method="post" action="' . esc_url(admin_url('options.php')) . '">';
        settings_fields(self::SLUG);
        echo '<table class="form-table" role="presentation">';
        self::row('address', __('The newsletter’s address', 'newsletter-signup'), self::input('address', 'url', $options['address'], 'https://news.example.org'), __('The beginning of its own pages.', 'newsletter-signup'));
        self::row('key', __('API key', 'newsletter-signup'), self::key_input(), __('An administrator of the newsletter makes it under Settings → API keys, with the permission to show sign-up forms and sign people up. It is never shown again here.', 'newsletter-signup'));
        [$lists, $sources] = self::read_choices();
        self::row('list', __('Usual list', 'newsletter-signup'), self::menu('list', $options['list'], ['' => __('Choose a list', 'newsletter-signup')] + $lists), __('The form of a block or shortcode that names no list.', 'newsletter-signup'));
        self::row('source', __('Source of this site', 'newsletter-signup'), self::menu('source', (string) $options['source'], ['0' => __('The one with this site’s address', 'newsletter-signup')] + $sources), __('What the newsletter looks at when it is told about a post.', 'newsletter-signup'));
        self::row('tell', __('Publishing', 'newsletter-signup'), sprintf(
            '<label><input type="checkbox" id="newsletter-signup-tell" name="%s[tell]" value="1"%s> %s</label>',
            esc_attr(Options::NAME),
            checked($options['tell'], true, false),
            esc_html__('Tell the newsletter when a post is published or withdrawn', 'newsletter-signup')
        ), '');
        self::row('proxies', __('Proxies in front of this site', 'newsletter-signup'), self::input('proxies', 'number', (string) $options['proxies'], '', ' min="0" max="10" class="small-text"'), __('How many of your own proxies write X-Forwarded-For, so that the newsletter limits sign-ups by the visitor’s address and not by the proxy’s. Usually 0, behind a content delivery network 1.', 'newsletter-signup'));
        echo '</table><p class="submit">';
        submit_button(__('Save and check', 'newsletter-signup'), 'primary', 'submit', false);
        printf(' <a class="button" href="%s">%s</a></p></form>', esc_url(wp_nonce_url(self::url(), self::CHECK)), esc_html__('Check connection', 'newsletter-signup'));
        self::render_last_told();
        echo '</div>';
    }

    private static function render_check(): void
    {
        foreach (Check::run() as [$works, $text]) {
            printf('<div class="notice notice-%s"><p>%s</p></div>', $works ? 'success' : 'error', esc_html($text));
        }
    }

    private static function render_last_told(): void
    {
        $last = get_option(Tell::LAST);
        if (!empty($last['at'])) {
            /* translators: 1: date and time, 2: what the newsletter answered */
            printf('<p>%s</p>', esc_html(sprintf(__('The newsletter was told last on %1$s: %2$s', 'newsletter-signup'), wp_date(get_option('date_format') . ' ' . get_option('time_format'), (int) $last['at']), $last['message'])));
        }
    }

    /** Return the lists and sources to choose from, always with the chosen ones. */
    private static function read_choices(): array
    {
        $options = Options::all();
        $lists = $sources = [];
        try {
            $lists = Forms::names();
            $sources = array_column(Tell::sources(), 'name', 'id');
        } catch (Failure) {
            // “Check connection” explains it; the chosen values stay.
        }
        return [
            $lists + ($options['list'] !== '' ? [$options['list'] => $options['list']] : []),
            $sources + ($options['source'] > 0 ? [$options['source'] => "#{$options['source']}"] : []),
        ];
    }

    private static function key_input(): string
    {
        if (defined('NEWSLETTER_SIGNUP_KEY')) {
            return '<p id="newsletter-signup-key">' . esc_html__('Set in wp-config.php.', 'newsletter-signup') . '</p>';
        }
        $has_key = Options::key() !== '';
        $html = self::input('key', 'password', '', $has_key ? __('A key is stored. Leave this empty to keep it.', 'newsletter-signup') : '', ' autocomplete="off" spellcheck="false"');
        if ($has_key) {
            $html .= sprintf('<br><label><input type="checkbox" name="%s[remove_key]" value="1"> %s</label>', esc_attr(Options::NAME), esc_html__('Remove the stored key', 'newsletter-signup'));
        }
        return $html;
    }

    private static function row(string $name, string $label, string $control, string $help): void
    {
        printf(
            '<tr><th scope="row"><label for="%s">%s</label></th><td>%s%s</td></tr>',
            esc_attr("newsletter-signup-$name"),
            esc_html($label),
            $control, // phpcs:ignore WordPress.Security.EscapeOutput -- escaped where it is made
            $help !== '' ? '<p class="description">' . esc_html($help) . '</p>' : ''
        );
    }

    private static function input(string $name, string $type, string $value, string $placeholder, string $more = ' class="regular-text"'): string
    {
        $more = str_contains($more, 'class=') ? $more : "$more class=\"regular-text\"";
        return sprintf('<input type="%s" id="%s" name="%s[%s]" value="%s" placeholder="%s"%s>', esc_attr($type), esc_attr("newsletter-signup-$name"), esc_attr(Options::NAME), esc_attr($name), esc_attr($value), esc_attr($placeholder), $more);
    }

    private static function menu(string $name, string $chosen, array $choices): string
    {
        $html = '';
        foreach ($choices as $value => $label) {
            $html .= sprintf('<option value="%s"%s>%s</option>', esc_attr((string) $value), selected((string) $value, $chosen, false), esc_html((string) $label));
        }
        return sprintf('<select id="%s" name="%s[%s]">%s</select>', esc_attr("newsletter-signup-$name"), esc_attr(Options::NAME), esc_attr($name), $html);
    }

    private static function url(): string
    {
        return admin_url('options-general.php?page=' . self::SLUG);
    }
}
