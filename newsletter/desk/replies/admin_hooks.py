"""Register the page of mail that comes in with Wagtail."""

from django.contrib.auth.models import AnonymousUser, User
from django.urls import URLPattern, path
from wagtail import hooks

from newsletter.desk.replies.page import LOG_ACTIONS, RepliesPage, has_inbound_mail
from subscribers.desk.listing import PermittedMenuItem, register_log_actions


def register_reply_urls() -> list[URLPattern]:
    return [path("replies/", RepliesPage.as_view(), name="newsletter_replies")]


def is_offered_to(user: User | AnonymousUser) -> bool:
    """Return True if the person may open the page and there is something to show."""
    return RepliesPage.admits(user) and has_inbound_mail()


hooks.register("register_admin_urls", register_reply_urls)
hooks.register(
    "register_settings_menu_item",
    lambda: PermittedMenuItem(
        RepliesPage.page_title,
        "newsletter_replies",
        name="replies",
        icon_name=RepliesPage.header_icon,
        order=8780,
        is_permitted=is_offered_to,
    ),
)
register_log_actions(LOG_ACTIONS)
