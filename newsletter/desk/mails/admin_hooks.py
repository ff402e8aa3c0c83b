"""Register the pages of mail templates with Wagtail."""

from django.urls import URLPattern, path
from wagtail import hooks

from newsletter.desk.mails.pages import (
    LOG_ACTIONS,
    MailTemplatePage,
    MailTemplatePreview,
    MailTemplatesPage,
)
from subscribers.desk.listing import register_log_actions, register_page_item


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
register_page_item(MailTemplatesPage, "newsletter_mails", name="mails", order=8920)
register_log_actions(LOG_ACTIONS)
