"""Register the page of mail that comes in with Wagtail."""

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from wagtail import hooks

from newsletter.desk.replies.page import RepliesPage, can_view_replies, register_reply_actions
from subscribers.desk.listing import register_menu_item


def register_reply_urls() -> list[URLPattern]:
    return [path("replies/", RepliesPage.as_view(), name="newsletter_replies")]


hooks.register("register_admin_urls", register_reply_urls)
register_menu_item(
    "register_settings_menu_item",
    gettext_lazy("Mail that comes in"),
    "newsletter_replies",
    name="replies",
    icon_name="mail",
    order=8780,
    is_permitted=can_view_replies,
)
hooks.register("register_log_actions", register_reply_actions)
