"""Register the pages of mail templates with Wagtail."""

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from wagtail import hooks

from newsletter.desk.mails.pages import (
    MailTemplatePage,
    MailTemplatePreview,
    MailTemplatesPage,
    can_write_mails,
    register_mail_actions,
)
from subscribers.desk.listing import register_menu_item


def register_mail_urls() -> list[URLPattern]:
    return [
        path("mails/", MailTemplatesPage.as_view(), name="newsletter_mails"),
        path("mails/<int:pk>/", MailTemplatePage.as_view(), name="newsletter_mail_template"),
        path(
            "mails/<int:pk>/preview/<slug:language>/",
            MailTemplatePreview.as_view(),
            name="newsletter_mail_template_preview",
        ),
    ]


hooks.register("register_admin_urls", register_mail_urls)
register_menu_item(
    "register_settings_menu_item",
    gettext_lazy("Single mails"),
    "newsletter_mails",
    name="mails",
    icon_name="mail",
    order=8920,
    is_permitted=can_write_mails,
)
hooks.register("register_log_actions", register_mail_actions)
