"""Register the menu items, pages and log actions of staff, settings and reports with Wagtail."""

from django.contrib.auth.models import AnonymousUser, User
from django.urls import URLPattern
from django.urls import path as route
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from newsletter.desk.content.protected_terms import (
    ProtectedTermsPage,
    can_manage_protected_terms,
    register_protected_term_actions,
)
from newsletter.desk.issues.decision_page import DecisionPage
from newsletter.desk.publications.limits_page import LimitsPage, can_change_limits
from newsletter.desk.sends.gifts_page import GiftsPage, register_gift_actions
from newsletter.desk.sends.report_pages import ClickMap, IssueReport, Results
from newsletter.desk.staff.api_keys import ApiKeyPage, ApiKeysPage, can_manage_api_keys, register_api_key_actions
from newsletter.desk.staff.audit import AuditLogPage, can_view_audit_log, register_staff_actions
from newsletter.desk.staff.policies import ISSUE_POLICY
from newsletter.desk.staff.processing_page import ProcessingPage, can_view_processing
from subscribers.desk.listing import register_menu_item


def _can_view_results(user: User | AnonymousUser) -> bool:
    return bool(ISSUE_POLICY.user_has_any_permission(user, ["view", "change", "approve", "send"]))


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
register_menu_item(
    "register_settings_menu_item",
    _("Staff log"),
    "newsletter_audit",
    name="staff-log",
    icon_name="list-ul",
    order=9000,
    is_permitted=can_view_audit_log,
)
register_menu_item(
    "register_settings_menu_item",
    _("API keys"),
    "newsletter_api_keys",
    name="api-keys",
    icon_name="key",
    order=8900,
    is_permitted=can_manage_api_keys,
)
register_menu_item(
    "register_settings_menu_item",
    _("Protected terms"),
    "newsletter_protected_terms",
    name="protected-terms",
    icon_name="lock",
    order=8800,
    is_permitted=can_manage_protected_terms,
)
register_menu_item(
    "register_settings_menu_item",
    _("Limits for one person"),
    "newsletter_limits",
    name="limits",
    icon_name="mail",
    order=8790,
    is_permitted=can_change_limits,
)
register_menu_item(
    "register_settings_menu_item",
    _("Record of processing"),
    "newsletter_processing",
    name="processing",
    icon_name="doc-full-inverse",
    order=8850,
    is_permitted=can_view_processing,
)
register_menu_item(
    "register_admin_menu_item",
    _("Results"),
    "newsletter_results",
    name="results",
    icon_name="table",
    order=105,
    is_permitted=_can_view_results,
)
hooks.register("register_log_actions", register_staff_actions, order=1000)
hooks.register("register_log_actions", register_api_key_actions)
hooks.register("register_log_actions", register_gift_actions)
hooks.register("register_log_actions", register_protected_term_actions)
