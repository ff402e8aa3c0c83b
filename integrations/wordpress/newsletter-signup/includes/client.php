<?php
/** Calls of the newsletter's API. Made by this server; the visitor's browser never has the key. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Client
{
    private const MAX_BYTES = 1_000_000;

    public static function get(string $path, array $query = [], float $timeout = 4): array
    {
        return self::call('GET', $path . ($query ? '?' . http_build_query($query) : ''), null, $timeout);
    }

    public static function post(string $path, ?array $body, float $timeout = 10): array
    {
        return self::call('POST', $path, $body, $timeout);
    }

    /** Return the decoded answer. Throw Failure if there is none, or an error. No redirect is followed: the key stays here. */
    private static function call(string $method, string $path, ?array $body, float $timeout): array
    {
        $address = Options::all()['address'];
        $key = Options::key();
        if ($address === '' || $key === '') {
            throw new Failure('no_settings');
        }
        if (!self::is_secure($address)) {
            throw new Failure('not_secure');
        }
        $answer = wp_remote_request("$address/api/v1/$path", [
            'method' => $method,
            'timeout' => $timeout,
            'redirection' => 0,
            'limit_response_size' => self::MAX_BYTES,
            'user-agent' => 'newsletter-signup/' . VERSION,
            'headers' => ['Authorization' => "Bearer $key", 'Accept' => 'application/json', 'Content-Type' => 'application/json'],
            'body' => $body === null ? ($method === 'GET' ? null : '') : wp_json_encode($body),
        ]);
        if (is_wp_error($answer)) {
            throw new Failure('unreachable', $answer->get_error_message());
        }
        $status = (int) wp_remote_retrieve_response_code($answer);
        $document = json_decode(wp_remote_retrieve_body($answer), true);
        if ($status >= 200 && $status < 300 && is_array($document)) {
            return $document;
        }
        if (!is_array($document) || !isset($document['code'], $document['detail'])) {
            throw new Failure($status >= 500 ? 'unreachable' : 'not_newsletter', "HTTP $status");
        }
        throw new Failure(self::reason_of($status), (string) $document['detail']);
    }

    private static function reason_of(int $status): string
    {
        return match ($status) {
            401 => 'wrong_key',
            403 => 'other_scope',
            404 => 'unknown',
            429 => 'too_many',
            503 => 'unreachable',
            default => 'refused',
        };
    }

    /** Return true for https, and for a newsletter on this same machine. */
    private static function is_secure(string $address): bool
    {
        $host = trim((string) wp_parse_url($address, PHP_URL_HOST), '[]');
        return str_starts_with($address, 'https://') || in_array($host, ['localhost', '127.0.0.1', '::1'], true);
    }
}
