"""Register the menu items, pages and log actions of staff, settings and reports with Wagtail."""

from django.urls import URLPattern
from django.urls import path as route
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from newsletter.desk.content import protected_terms
from newsletter.desk.content.protected_terms import ProtectedTermsPage
from newsletter.desk.issues.decision_page import DecisionPage
from newsletter.desk.publications.limits_page import LimitsPage
from newsletter.desk.sends import gifts_page
from newsletter.desk.sends.gifts_page import GiftsPage
from newsletter.desk.sends.report_pages import ClickMap, IssueReport, Results
from newsletter.desk.staff import api_keys, audit
from newsletter.desk.staff.api_keys import ApiKeyPage, ApiKeysPage
from newsletter.desk.staff.audit import AuditLogPage, keep_entries_in_audit_log
from newsletter.desk.staff.processing_page import ProcessingPage
from subscribers.desk.listing import PermittedMenuItem, register_log_actions, register_page_item


def register_admin_urls() -> list[URLPattern]:
    return [
        route("api-keys/", ApiKeysPage.as_view(), name="newsletter_api_keys"),
        route("api-keys/<int:pk>/", ApiKeyPage.as_view(), name="newsletter_api_key"),
        route("limits/", LimitsPage.as_view(), name="newsletter_limits"),
        route("protected-terms/", ProtectedTermsPage.as_view(), name="newsletter_protected_terms"),
        route("processing/", ProcessingPage.as_view(), name="newsletter_processing"),
        route("staff-log/", AuditLogPage.as_view(), name="newsletter_audit"),
        route("issues/<int:pk>/report/", IssueReport.as_view(), name="newsletter_report"),
        route("issues/<int:pk>/report/mail/", ClickMap.as_view(), name="newsletter_clicked_mail"),
        route("results/gifts/", GiftsPage.as_view(), name="newsletter_gifts"),
        route("results/", Results.as_view(), name="newsletter_results"),
        route("decide/<str:token>/", DecisionPage.as_view(), name="newsletter_decide"),
    ]


hooks.register("register_admin_urls", register_admin_urls)
register_page_item(AuditLogPage, "newsletter_audit", name="staff-log", order=9000)
register_page_item(ApiKeysPage, "newsletter_api_keys", name="api-keys", order=8900)
register_page_item(ProtectedTermsPage, "newsletter_protected_terms", name="protected-terms", order=8800)
register_page_item(LimitsPage, "newsletter_limits", name="limits", order=8790)
register_page_item(ProcessingPage, "newsletter_processing", name="processing", order=8850)
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
hooks.register("register_log_actions", keep_entries_in_audit_log, order=1000)
register_log_actions(audit.LOG_ACTIONS | api_keys.LOG_ACTIONS | gifts_page.LOG_ACTIONS | protected_terms.LOG_ACTIONS)
