<?php
/** Why a call to the newsletter did not succeed. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Failure extends \RuntimeException
{
    /** `reason` is one of the keys of `explain()`; `detail` is what the newsletter said, in English. */
    public function __construct(public readonly string $reason, public readonly string $detail = '')
    {
        parent::__construct($reason);
    }

    /** Return what happened and what to do, for somebody who may change the settings. */
    public function explain(): string
    {
        return match ($this->reason) {
            'no_settings' => __('The newsletter’s address or the key is missing. Fill in both and save.', 'newsletter-signup'),
            'not_secure' => __('The address begins with http://, so the key could be read on its way. Use the https:// address of the newsletter.', 'newsletter-signup'),
            'unreachable' => __('The newsletter did not answer. Check the address, and whether this server may call it. Visitors see a sentence and keep what they typed.', 'newsletter-signup'),
            'not_newsletter' => __('There is an answer at this address, but not from a newsletter. Check the address; it is the beginning of the newsletter’s own pages, such as https://news.example.org.', 'newsletter-signup'),
            'wrong_key' => __('The newsletter does not know this key, or it was revoked or has expired. Ask for a new one.', 'newsletter-signup'),
            'other_scope' => __('The key may not do this. Ask for a key with the permission to show sign-up forms and sign people up (scope “website”).', 'newsletter-signup'),
            'too_many' => __('This site called the newsletter too often in this minute. Wait a minute; if it happens again, ask for a key with more calls a minute.', 'newsletter-signup'),
            'unknown' => __('The newsletter has no such sign-up form or source, or the key may not use it. Choose another in the settings.', 'newsletter-signup'),
            default => __('The newsletter refused the call.', 'newsletter-signup') . ' ' . $this->detail,
        };
    }
}
