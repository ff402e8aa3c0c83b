<?php
/** The HTML of the form. Its markup is that of the newsletter's own page: labels, errors linked to fields, no script needed. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class FormView
{
    private static array $shown = [];

    /** Return the form of a list with what was typed, or the answer to it. */
    public static function render(string $list, bool $with_title): string
    {
        $list = $list !== '' ? $list : Options::all()['list'];
        if (is_feed()) {
            return '';
        }
        if ($list === '') {
            return self::note_for_editors(new Failure('no_settings'));
        }
        self::$shown[$list] = (self::$shown[$list] ?? 0) + 1;
        $id = strtolower("newsletter-signup-$list-") . self::$shown[$list];
        $submission = Submission::of_form($id);
        if ($submission !== null && !empty($submission->result['accepted'])) {
            return self::render_result($submission, $id);
        }
        try {
            $form = Forms::read($list);
        } catch (Failure $failure) {
            return self::render_unavailable($list, $failure);
        }
        self::enqueue();
        return self::render_form($form, $id, $submission, $with_title);
    }

    /** Return the answer: the newsletter's own words after a sign-up, or the hint why there was none. */
    public static function render_result(Submission $submission, string $id): string
    {
        $result = $submission->result;
        $lines = $result['texts'] ?? [];
        $hint = (string) ($result['hint'] ?? '');
        $texts = implode('', array_map(fn (mixed $text): string => '<p>' . esc_html((string) $text) . '</p>', $hint !== '' ? [$hint] : $lines));
        $title = (string) ($result['title'] ?? '');
        return '<div class="newsletter-signup" id="' . esc_attr($id) . '" tabindex="-1" role="status">'
            . ($title !== '' ? '<h2 class="newsletter-signup-title">' . esc_html($title) . '</h2>' : '') . $texts . '</div>';
    }

    private static function render_form(array $form, string $id, ?Submission $submission, bool $with_title): string
    {
        $values = $submission?->values ?? [];
        $errors = [];
        foreach ($submission?->result['errors'] ?? [] as $error) {
            $errors[(string) $error['where']] ??= $error;
        }
        $hint = (string) ($submission?->result['hint'] ?? '');
        $suggestion = $submission?->result['suggestion'] ?? null;
        $html = '<div class="newsletter-signup" id="' . esc_attr($id) . '" tabindex="-1">';
        if ($with_title) {
            $html .= '<h2 class="newsletter-signup-title">' . esc_html($form['title']) . '</h2>';
            $html .= $form['description'] !== '' ? '<p>' . esc_html($form['description']) . '</p>' : '';
        }
        $html .= $hint !== '' ? '<p class="newsletter-signup-notice" role="alert">' . esc_html($hint) . '</p>' : '';
        $html .= self::summary($form, $errors, $id);
        $html .= sprintf(
            '<form method="post" action="%s" novalidate data-newsletter-challenge="%s">',
            esc_url("#$id"),
            esc_url(add_query_arg('list', $form['list'], rest_url(Rest::NAMESPACE . '/challenge')))
        );
        if (is_array($suggestion)) {  // the first button is the one that the Enter key presses
            $html .= '<div class="newsletter-signup-trap" aria-hidden="true"><button tabindex="-1">' . esc_html($form['button']) . '</button></div>';
        }
        foreach ($form['fields'] as $field) {
            $html .= self::field($field, $id, $values, $errors[$field['name']] ?? null, $field['name'] === 'email' ? $suggestion : null);
        }
        $html .= self::trap($form['trap'], $id);
        foreach (['list' => $form['list'], 'form' => $id, 'wording' => $form['wording'], 'hinted' => $values['hinted'] ?? '', 'hinted_city' => $values['hinted_city'] ?? '', 'proof' => ''] as $name => $value) {
            $html .= sprintf('<input type="hidden" name="%s" value="%s">', esc_attr(self::name($name)), esc_attr($value));
        }
        $html .= sprintf('<input type="hidden" name="%s" value="%s">', esc_attr(Submission::NONCE), esc_attr(wp_create_nonce(Submission::FIELD)));
        $html .= '<p class="newsletter-signup-wording">' . esc_html($form['wording']) . '</p>';
        $html .= '<p><button type="submit" class="wp-block-button__link wp-element-button">' . esc_html($form['button']) . '</button></p>';
        return $html . '</form></div>';
    }

    private static function summary(array $form, array $errors, string $id): string
    {
        if (!$errors) {
            return '';
        }
        $lines = '';
        foreach ($form['fields'] as $field) {
            if (isset($errors[$field['name']])) {
                $lines .= sprintf('<li><a href="%s">%s</a></li>', esc_url("#$id-{$field['name']}"), esc_html($errors[$field['name']]['what']));
            }
        }
        return '<div class="newsletter-signup-notice" role="alert"><p>' . esc_html__('Please correct this:', 'newsletter-signup') . "</p><ul>$lines</ul></div>";
    }

    private static function field(array $field, string $form_id, array $values, ?array $error, ?array $suggestion): string
    {
        $id = "$form_id-{$field['name']}";
        $value = $values[$field['name']] ?? ($field['kind'] === 'many' ? [] : '');
        $note = $field['note'] !== '' ? ' <span class="newsletter-signup-quiet">' . esc_html($field['note']) . '</span>' : '';
        $label = esc_html($field['label']) . $note;
        if ($field['kind'] === 'many') {
            return '<fieldset class="newsletter-signup-field" id="' . esc_attr($id) . "\"><legend>$label</legend>" . self::boxes($field, $value) . '</fieldset>';
        }
        $described = [];
        $before = '';
        if ($field['hint'] !== '') {
            $before .= sprintf('<p class="newsletter-signup-quiet" id="%s">%s</p>', esc_attr("$id-hint"), esc_html($field['hint']));
            $described[] = "$id-hint";
        }
        if ($error !== null) {
            $before .= sprintf('<p class="newsletter-signup-error" id="%s">%s</p>', esc_attr("$id-error"), esc_html($error['what']));
            $described[] = "$id-error";
        }
        if ($suggestion !== null) {
            $described[] = "$id-suggestion";
        }
        $attributes = sprintf(' id="%s" name="%s"', esc_attr($id), esc_attr(self::name($field['name'])));
        $attributes .= $described ? ' aria-describedby="' . esc_attr(implode(' ', $described)) . '"' : '';
        $attributes .= $error !== null ? ' aria-invalid="true"' : '';
        $control = $field['kind'] === 'one' ? self::menu($field, $attributes, (string) $value) : self::input($field, $attributes, (string) $value);
        return sprintf('<div class="newsletter-signup-field"><label for="%s">%s</label>', esc_attr($id), $label)
            . $before . $control . self::suggestion($suggestion, $id) . self::towns($error, $values) . '</div>';
    }

    private static function input(array $field, string $attributes, string $value): string
    {
        $attributes .= $field['autocomplete'] !== '' ? ' autocomplete="' . esc_attr($field['autocomplete']) . '"' : '';
        $attributes .= $field['required'] ? ' required' : '';
        $attributes .= $field['kind'] === 'email' ? ' inputmode="email" dir="ltr"' : '';
        return sprintf('<input type="%s" value="%s"%s>', $field['kind'] === 'email' ? 'email' : 'text', esc_attr($value), $attributes);
    }

    private static function menu(array $field, string $attributes, string $value): string
    {
        $options = '';
        foreach ($field['choices'] as $choice) {
            $options .= sprintf('<option value="%s"%s>%s</option>', esc_attr($choice['value']), selected($value, $choice['value'], false), esc_html($choice['label']));
        }
        return "<select$attributes>$options</select>";
    }

    private static function boxes(array $field, array $chosen): string
    {
        $html = '';
        foreach ($field['choices'] as $choice) {
            $html .= sprintf(
                '<label class="newsletter-signup-choice"><input type="checkbox" name="%s" value="%s"%s> %s</label>',
                esc_attr(self::name($field['name']) . '[]'),
                esc_attr($choice['value']),
                checked(in_array($choice['value'], $chosen, true), true, false),
                esc_html($choice['label'])
            );
        }
        return $html;
    }

    private static function suggestion(?array $suggestion, string $id): string
    {
        if ($suggestion === null) {
            return '';
        }
        return sprintf(
            '<p id="%s" role="alert">%s</p><p><button name="%s" value="%s">%s</button> <button>%s</button></p>',
            esc_attr("$id-suggestion"),
            esc_html($suggestion['text']),
            esc_attr(self::name('corrected')),
            esc_attr($suggestion['address']),
            esc_html($suggestion['accept']),
            esc_html($suggestion['keep'])
        );
    }

    /** Return the towns that the typed name could mean, to choose one of. */
    private static function towns(?array $error, array $values): string
    {
        if (empty($error['choices'])) {
            return '';
        }
        $html = '<fieldset><legend>' . esc_html($error['choices_label']) . '</legend>';
        foreach ($error['choices'] as $index => $town) {
            $html .= sprintf(
                '<label class="newsletter-signup-choice"><input type="radio" name="%s" value="%s"%s> %s</label>',
                esc_attr(self::name('meant')),
                esc_attr($town),
                checked($values['meant'] ?? '', $town, false),
                esc_html($error['choice_labels'][$index] ?? $town)
            );
        }
        return "$html</fieldset>";
    }

    /** Return a field that people do not see. A robot that fills it in is thanked and not signed up. */
    private static function trap(array $trap, string $id): string
    {
        return sprintf(
            '<div class="newsletter-signup-trap" aria-hidden="true"><label for="%1$s">%2$s</label><input id="%1$s" name="%3$s" tabindex="-1" autocomplete="off"></div>',
            esc_attr("$id-{$trap['value']}"),
            esc_html($trap['label']),
            esc_attr(self::name($trap['value']))
        );
    }

    private static function render_unavailable(string $list, Failure $failure): string
    {
        $address = Options::all()['address'];
        $page = $address !== '' ? esc_url("$address/join/$list") : '';
        $text = $page !== ''
            ? sprintf(
                /* translators: %s: the address of the newsletter's own sign-up page */
                __('The sign-up form cannot be shown at the moment. You can sign up <a href="%s">on the newsletter’s own page</a>.', 'newsletter-signup'),
                $page
            )
            : '';
        return '<div class="newsletter-signup">' . ($text !== '' ? '<p>' . wp_kses($text, ['a' => ['href' => []]]) . '</p>' : '') . self::note_for_editors($failure) . '</div>';
    }

    private static function note_for_editors(Failure $failure): string
    {
        if (!current_user_can('manage_options')) {
            return '';
        }
        return '<p class="newsletter-signup-notice">' . esc_html__('Only you and other administrators see this:', 'newsletter-signup') . ' ' . esc_html($failure->explain()) . '</p>';
    }

    private static function enqueue(): void
    {
        wp_enqueue_style('newsletter-signup');
        wp_enqueue_script('newsletter-signup-form');
    }

    private static function name(string $field): string
    {
        return Submission::FIELD . "[$field]";
    }
}
