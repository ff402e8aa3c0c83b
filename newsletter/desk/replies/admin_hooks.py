"""Register the page of mail that comes in with Wagtail."""

from django.urls import URLPattern, path
from wagtail import hooks

from newsletter.desk.replies.page import LOG_ACTIONS, RepliesPage
from subscribers.desk.listing import register_log_actions, register_page_item


def register_reply_urls() -> list[URLPattern]:
    return [path("replies/", RepliesPage.as_view(), name="newsletter_replies")]


hooks.register("register_admin_urls", register_reply_urls)
register_page_item(RepliesPage, "newsletter_replies", name="replies", order=8780)
register_log_actions(LOG_ACTIONS)
