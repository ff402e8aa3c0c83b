"""Register the pages of webhooks with Wagtail."""

from django.urls import URLPattern, path
from wagtail import hooks

from newsletter.desk.webhooks.pages import LOG_ACTIONS, WebhookPage, WebhooksPage
from subscribers.desk.listing import register_log_actions, register_page_item


def register_webhook_urls() -> list[URLPattern]:
    return [
        path("webhooks/", WebhooksPage.as_view(), name="newsletter_webhooks"),
        path("webhooks/<int:pk>/", WebhookPage.as_view(), name="newsletter_webhook"),
    ]


hooks.register("register_admin_urls", register_webhook_urls)
register_page_item(WebhooksPage, "newsletter_webhooks", name="webhooks", order=8910)
register_log_actions(LOG_ACTIONS)
