"""Register the page of DMARC reports with Wagtail."""

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from wagtail import hooks

from newsletter.desk.dmarc.page import DmarcPage, can_view_reports, register_dmarc_actions
from subscribers.desk.listing import register_menu_item


def register_dmarc_urls() -> list[URLPattern]:
    return [path("dmarc/", DmarcPage.as_view(), name="newsletter_dmarc")]


hooks.register("register_admin_urls", register_dmarc_urls)
register_menu_item(
    "register_settings_menu_item",
    gettext_lazy("Who sends in our name"),
    "newsletter_dmarc",
    name="dmarc",
    icon_name="globe",
    order=8790,
    is_permitted=can_view_reports,
)
hooks.register("register_log_actions", register_dmarc_actions)
