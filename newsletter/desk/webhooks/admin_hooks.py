"""Register the pages of webhooks with Wagtail."""

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from wagtail import hooks

from newsletter.desk.webhooks.pages import WebhookPage, WebhooksPage, can_manage_webhooks, register_webhook_actions
from subscribers.desk.listing import register_menu_item


def register_webhook_urls() -> list[URLPattern]:
    return [
        path("webhooks/", WebhooksPage.as_view(), name="newsletter_webhooks"),
        path("webhooks/<int:pk>/", WebhookPage.as_view(), name="newsletter_webhook"),
    ]


hooks.register("register_admin_urls", register_webhook_urls)
register_menu_item(
    "register_settings_menu_item",
    gettext_lazy("Webhooks"),
    "newsletter_webhooks",
    name="webhooks",
    icon_name="resubmit",
    order=8910,
    is_permitted=can_manage_webhooks,
)
hooks.register("register_log_actions", register_webhook_actions)
