"""Puts decisions, reports and the staff log into the administration, and what staff do into the log. Only registrations."""

from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.urls import path as route
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from newsletter.desk.content.protected_terms import (
    ProtectedTerms,
    can_manage_protected_terms,
    register_protected_term_actions,
)
from newsletter.desk.issues.decision_page import DecisionPage
from newsletter.desk.sends.report_pages import ClickMap, IssueReport, Results
from newsletter.desk.staff.api_keys import ApiKeys, can_manage_api_keys, register_api_key_actions
from newsletter.desk.staff.audit import AuditLog, register_staff_actions
from newsletter.desk.staff.policies import ISSUE_POLICY
from newsletter.desk.staff.processing_page import ProcessingPage, can_read_processing


class AuditItem(MenuItem):
    """The staff log, for those who may read it."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("newsletter.view_auditentry"))


class ApiKeysItem(MenuItem):
    """The keys of the API, for administrators."""

    def is_shown(self, request: HttpRequest) -> bool:
        return can_manage_api_keys(request.user)


class ProtectedTermsItem(MenuItem):
    """The protected terms, for those who look after people."""

    def is_shown(self, request: HttpRequest) -> bool:
        return can_manage_protected_terms(request.user)


class ProcessingItem(MenuItem):
    """The record of processing, for those who look after people."""

    def is_shown(self, request: HttpRequest) -> bool:
        return can_read_processing(request.user)


class ResultsItem(MenuItem):
    """The results, for those who may look at issues."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(ISSUE_POLICY.user_has_any_permission(request.user, ["view", "change", "approve", "send"]))


def add_results() -> MenuItem:
    return ResultsItem(_("Results"), reverse("newsletter_results"), name="results", icon_name="table", order=105)


def add_audit_item() -> MenuItem:
    return AuditItem(_("Staff log"), reverse("newsletter_audit"), name="staff-log", icon_name="list-ul", order=9000)


def add_keys() -> MenuItem:
    return ApiKeysItem(_("API keys"), reverse("newsletter_api_keys"), name="api-keys", icon_name="key", order=8900)


def add_protected() -> MenuItem:
    name, url = "protected-terms", reverse("newsletter_protected_terms")
    return ProtectedTermsItem(_("Protected terms"), url, name=name, icon_name="lock", order=8800)


def add_processing() -> MenuItem:
    name, url = "processing", reverse("newsletter_processing")
    return ProcessingItem(_("Record of processing"), url, name=name, icon_name="doc-full-inverse", order=8850)


def register_admin_urls() -> list[URLPattern]:
    return [
        route("api-keys/", ApiKeys.as_view(), name="newsletter_api_keys"),
        route("protected-terms/", ProtectedTerms.as_view(), name="newsletter_protected_terms"),
        route("processing/", ProcessingPage.as_view(), name="newsletter_processing"),
        route("staff-log/", AuditLog.as_view(), name="newsletter_audit"),
        route("issues/<int:pk>/report/", IssueReport.as_view(), name="newsletter_report"),
        route("issues/<int:pk>/report/mail/", ClickMap.as_view(), name="newsletter_clicked_mail"),
        route("results/", Results.as_view(), name="newsletter_results"),
        route("decide/<str:token>/", DecisionPage.as_view(), name="newsletter_decide"),
    ]


hooks.register("register_admin_urls", register_admin_urls)
hooks.register("register_settings_menu_item", add_audit_item)
hooks.register("register_settings_menu_item", add_keys)
hooks.register("register_settings_menu_item", add_protected)
hooks.register("register_settings_menu_item", add_processing)
hooks.register("register_admin_menu_item", add_results)
hooks.register("register_log_actions", register_staff_actions, order=1000)
hooks.register("register_log_actions", register_api_key_actions)
hooks.register("register_log_actions", register_protected_term_actions)
