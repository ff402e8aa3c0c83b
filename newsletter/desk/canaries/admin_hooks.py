"""Register the pages of canary mailboxes with Wagtail."""

from django.urls import URLPattern, path
from wagtail import hooks

from newsletter.desk.canaries.pages import LOG_ACTIONS, CanariesPage, CanaryPage
from subscribers.desk.listing import register_log_actions, register_page_item


def register_canary_urls() -> list[URLPattern]:
    return [
        path("canaries/", CanariesPage.as_view(), name="newsletter_canaries"),
        path("canaries/<int:pk>/", CanaryPage.as_view(), name="newsletter_canary"),
    ]


hooks.register("register_admin_urls", register_canary_urls)
register_page_item(CanariesPage, "newsletter_canaries", name="canaries", order=8905)
register_log_actions(LOG_ACTIONS)
