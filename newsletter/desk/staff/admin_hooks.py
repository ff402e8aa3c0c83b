"""Register the menu items, pages and log actions of staff, settings and reports with Wagtail, and the search of the desk."""

from django.urls import path as route
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from newsletter.desk.canaries import pages as canaries
from newsletter.desk.content import protected_terms
from newsletter.desk.dmarc import page as dmarc
from newsletter.desk.home.search import SearchPage
from newsletter.desk.issues.decision_page import DecisionPage
from newsletter.desk.mails import pages as mails
from newsletter.desk.publications.limits_page import LimitsPage
from newsletter.desk.replies import page as replies
from newsletter.desk.sends import gifts_page
from newsletter.desk.sends.report_pages import ClickMap, IssueReport, Results
from newsletter.desk.staff import api_keys, audit
from newsletter.desk.staff.processing_record import ProcessingPage
from newsletter.desk.webhooks import pages as webhooks
from subscribers.desk.listing import PermittedMenuItem, register_log_actions, register_page_item, register_pages

register_pages(
    route("search/", SearchPage.as_view(), name="newsletter_search"),
    route("api-keys/", api_keys.ApiKeysPage.as_view(), name="newsletter_api_keys"),
    route("api-keys/<int:pk>/", api_keys.ApiKeyPage.as_view(), name="newsletter_api_key"),
    route("canaries/", canaries.CanariesPage.as_view(), name="newsletter_canaries"),
    route("canaries/<int:pk>/", canaries.CanaryPage.as_view(), name="newsletter_canary"),
    route("dmarc/", dmarc.DmarcPage.as_view(), name="newsletter_dmarc"),
    route("limits/", LimitsPage.as_view(), name="newsletter_limits"),
    route("mails/", mails.MailTemplatesPage.as_view(), name="newsletter_mails"),
    route("mails/<int:pk>/", mails.MailTemplatePage.as_view(), name="newsletter_mail_template"),
    route(
        "mails/<int:pk>/preview/<slug:language>/",
        mails.MailTemplatePreview.as_view(),
        name="newsletter_mail_template_preview",
    ),
    route("protected-terms/", protected_terms.ProtectedTermsPage.as_view(), name="newsletter_protected_terms"),
    route("processing/", ProcessingPage.as_view(), name="newsletter_processing"),
    route("replies/", replies.RepliesPage.as_view(), name="newsletter_replies"),
    route("staff-log/", audit.AuditLogPage.as_view(), name="newsletter_audit"),
    route("webhooks/", webhooks.WebhooksPage.as_view(), name="newsletter_webhooks"),
    route("webhooks/<int:pk>/", webhooks.WebhookPage.as_view(), name="newsletter_webhook"),
    route("issues/<int:pk>/report/", IssueReport.as_view(), name="newsletter_report"),
    route("issues/<int:pk>/report/mail/", ClickMap.as_view(), name="newsletter_clicked_mail"),
    route("results/gifts/", gifts_page.GiftsPage.as_view(), name="newsletter_gifts"),
    route("results/", Results.as_view(), name="newsletter_results"),
    route("decide/<str:token>/", DecisionPage.as_view(), name="newsletter_decide"),
)
register_page_item(replies.RepliesPage, "newsletter_replies", name="replies", order=8780)
register_page_item(dmarc.DmarcPage, "newsletter_dmarc", name="dmarc", order=8790)
register_page_item(LimitsPage, "newsletter_limits", name="limits", order=8790)
register_page_item(protected_terms.ProtectedTermsPage, "newsletter_protected_terms", name="protected-terms", order=8800)
register_page_item(ProcessingPage, "newsletter_processing", name="processing", order=8850)
register_page_item(api_keys.ApiKeysPage, "newsletter_api_keys", name="api-keys", order=8900)
register_page_item(canaries.CanariesPage, "newsletter_canaries", name="canaries", order=8905)
register_page_item(webhooks.WebhooksPage, "newsletter_webhooks", name="webhooks", order=8910)
register_page_item(mails.MailTemplatesPage, "newsletter_mails", name="mails", order=8920)
register_page_item(audit.AuditLogPage, "newsletter_audit", name="staff-log", order=9000)
hooks.register(
    "register_admin_menu_item",
    lambda: PermittedMenuItem(
        _("Results"),
        "newsletter_results",
        name="results",
        icon_name="table",
        order=105,
        is_permitted=Results.admits,
    ),
)
hooks.register("register_log_actions", audit.keep_entries_in_audit_log, order=1000)
for module in (audit, api_keys, canaries, dmarc, gifts_page, mails, protected_terms, replies, webhooks):
    register_log_actions(module.LOG_ACTIONS)
