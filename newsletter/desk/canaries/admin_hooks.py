"""Register the pages of canary mailboxes with Wagtail."""

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from wagtail import hooks

from newsletter.desk.canaries.pages import CanariesPage, CanaryPage, can_manage_canaries, register_canary_actions
from subscribers.desk.listing import register_menu_item


def register_canary_urls() -> list[URLPattern]:
    return [
        path("canaries/", CanariesPage.as_view(), name="newsletter_canaries"),
        path("canaries/<int:pk>/", CanaryPage.as_view(), name="newsletter_canary"),
    ]


hooks.register("register_admin_urls", register_canary_urls)
register_menu_item(
    "register_settings_menu_item",
    gettext_lazy("Canary mailboxes"),
    "newsletter_canaries",
    name="canaries",
    icon_name="view",
    order=8905,
    is_permitted=can_manage_canaries,
)
hooks.register("register_log_actions", register_canary_actions)
