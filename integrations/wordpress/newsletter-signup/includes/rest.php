<?php
/** Two addresses for scripts: a challenge for the form, and “tell the newsletter” for the editor. */

declare(strict_types=1);

namespace NewsletterSignup;

defined('ABSPATH') || exit;

final class Rest
{
    public const NAMESPACE = 'newsletter-signup/v1';

    public static function register(): void
    {
        add_action('rest_api_init', [self::class, 'register_routes']);
    }

    public static function register_routes(): void
    {
        register_rest_route(self::NAMESPACE, '/challenge', [
            'methods' => 'GET',
            'permission_callback' => '__return_true',
            'args' => ['list' => ['required' => true, 'sanitize_callback' => [Forms::class, 'clean_slug']]],
            'callback' => [self::class, 'answer_challenge'],
        ]);
        register_rest_route(self::NAMESPACE, '/tell', [
            'methods' => 'POST',
            'permission_callback' => fn (\WP_REST_Request $request): bool => current_user_can('edit_post', (int) $request['post']),
            'args' => ['post' => ['required' => true, 'type' => 'integer', 'minimum' => 1]],
            'callback' => [self::class, 'answer_tell'],
        ]);
    }

    public static function answer_challenge(\WP_REST_Request $request): \WP_REST_Response
    {
        try {
            $response = new \WP_REST_Response(Client::get('sign-up-forms/' . rawurlencode((string) $request['list']) . '/challenge'));
        } catch (Failure $failure) {
            $response = new \WP_REST_Response(['code' => $failure->reason], 503);
        }
        $response->header('Cache-Control', 'no-store');
        return $response;
    }

    public static function answer_tell(\WP_REST_Request $request): \WP_REST_Response
    {
        return new \WP_REST_Response(Tell::about((int) $request['post']));
    }
}
