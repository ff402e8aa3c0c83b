"""Register the page of DMARC reports with Wagtail."""

from django.urls import URLPattern, path
from wagtail import hooks

from newsletter.desk.dmarc.page import LOG_ACTIONS, DmarcPage
from subscribers.desk.listing import register_log_actions, register_page_item


def register_dmarc_urls() -> list[URLPattern]:
    return [path("dmarc/", DmarcPage.as_view(), name="newsletter_dmarc")]


hooks.register("register_admin_urls", register_dmarc_urls)
register_page_item(DmarcPage, "newsletter_dmarc", name="dmarc", order=8790)
register_log_actions(LOG_ACTIONS)
