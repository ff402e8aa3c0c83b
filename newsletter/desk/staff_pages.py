"""Puts the staff log into the administration, and what staff do into the staff log. Only registrations stand here."""

from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.urls import path as route
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from newsletter.desk.audit import AuditLog, name_own_actions
from newsletter.desk.decide_page import Decide


class AuditItem(MenuItem):
    """The staff log, for those who may read it."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("newsletter.view_auditentry"))


def add_item() -> MenuItem:
    return AuditItem(_("Staff log"), reverse("newsletter_audit"), name="staff-log", icon_name="list-ul", order=9000)


def add_urls() -> list[URLPattern]:
    return [
        route("staff-log/", AuditLog.as_view(), name="newsletter_audit"),
        route("decide/<str:token>/", Decide.as_view(), name="newsletter_decide"),
    ]


hooks.register("register_admin_urls", add_urls)
hooks.register("register_settings_menu_item", add_item)
hooks.register("register_log_actions", name_own_actions, order=1000)
