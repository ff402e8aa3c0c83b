"""The staff log in the desk: who did what, with filters, as a page and as CSV. It only reads; rows are added by `log`."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import registry
from wagtail.models import ModelLogEntry
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.text import escape_csv_cell
from newsletter.models import AuditEntry

PER_PAGE, ROWS_CHECKED = 50, 500
PERIODS = {
    "1": gettext_lazy("one day"),
    "7": gettext_lazy("7 days"),
    "30": gettext_lazy("30 days"),
    "": gettext_lazy("ever"),
}
LOG_ACTIONS = {
    "signed_in": (gettext_lazy("Sign in"), gettext_lazy("Signed in")),
    "sign_in_failed": (gettext_lazy("Fail to sign in"), gettext_lazy("A wrong password was given")),
    "sign_in_stopped": (
        gettext_lazy("Be stopped after many wrong passwords"),
        gettext_lazy("Stopped for five minutes after many wrong passwords"),
    ),
    "session_ended": (gettext_lazy("End a session"), gettext_lazy("Session ended")),
    "factor_changed": (gettext_lazy("Change the second factor"), gettext_lazy("Second factor changed")),
    "factor_forgotten": (gettext_lazy("Take a second factor away"), gettext_lazy("Second factor taken away")),
    "staff_added": (gettext_lazy("Add staff"), gettext_lazy("Added to the staff")),
    "role_changed": (gettext_lazy("Change a role"), gettext_lazy("Role changed")),
    "password_set": (gettext_lazy("Set a password"), gettext_lazy("Password set")),
    "exported": (gettext_lazy("Export"), gettext_lazy("Exported")),
}


def register_staff_actions(actions: Any) -> None:
    """Everything that staff do, whatever it is done to, goes into the one log that is only added to."""
    actions.register_model(models.Model, AuditEntry)
    actions.log_entry_models.discard(ModelLogEntry)
    for name, (label, message) in LOG_ACTIONS.items():
        actions.register_action(f"newsletter.{name}", label, message)


@dataclass(frozen=True)
class AuditFilters:
    """What of the log is asked for; empty is everything. ``days`` is how far back."""

    person: str = ""
    action: str = ""
    days: str = ""
    words: str = ""

    @classmethod
    def read(cls, request: HttpRequest) -> "AuditFilters":
        asked = {name: request.GET.get(name, "").strip()[:200] for name in ("person", "action", "days", "words")}
        asked["days"] = asked["days"] if asked["days"] in PERIODS else ""
        return cls(**asked)

    def apply(self, *, now: datetime) -> QuerySet[AuditEntry]:
        rows: QuerySet[AuditEntry] = AuditEntry.objects.select_related("user", "content_type").order_by("-pk")
        if self.person.isdecimal():
            rows = rows.filter(user_id=int(self.person))
        if self.person == "nobody":
            rows = rows.filter(user_id__isnull=True)
        if self.action:
            rows = rows.filter(action=self.action)
        if self.days:
            rows = rows.filter(timestamp__gt=now - timedelta(days=int(self.days)))
        if self.words:
            rows = rows.filter(label__icontains=self.words)
        return rows


class AuditPermission(PermissionCheckedMixin):
    permission_policy = ModelPermissionPolicy(AuditEntry)
    permission_required = "view"


class AuditLog(AuditPermission, WagtailAdminTemplateMixin, TemplateView):
    template_name = "desk/audit.html"
    header_icon = "list-ul"
    page_title = gettext_lazy("Staff log")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [{"url": reverse("wagtailadmin_home"), "label": _("Home")}, {"url": "", "label": _("Staff log")}]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.GET.get("as") == "csv":
            return export(AuditFilters.read(request).apply(now=timezone.now()))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        filters = AuditFilters.read(self.request)
        page = Paginator(filters.apply(now=timezone.now()), PER_PAGE).get_page(self.request.GET.get("p"))
        query = self.request.GET.copy()
        query.pop("p", None)
        query.pop("as", None)
        return {
            **context,
            "filters": filters,
            "page": page,
            "rows": [describe_entry(entry) for entry in page],
            "people": User.objects.filter(pk__in=AuditEntry.objects.all().get_user_ids()).order_by("username"),
            "actions": sorted(_actions().items(), key=lambda pair: pair[1]),
            "periods": PERIODS.items(),
            "broken": AuditEntry.objects.find_break(limit=ROWS_CHECKED),
            "query": query.urlencode(),
        }


def describe_entry(entry: AuditEntry) -> dict[str, Any]:
    """One row in words: when, who, what, to what, from where, and what else was written down."""
    kind = entry.content_type.model_class() if entry.content_type else None
    return {
        "at": entry.timestamp,
        "who": entry.user_display_name if entry.user_id else _("the system"),
        "what": entry.message,
        "label": entry.label,
        "kind": _(str(kind._meta.verbose_name)) if kind else "",
        "address": entry.address,
        "details": ", ".join(f"{name}: {value}" for name, value in (entry.data or {}).items() if not _is_long(value)),
        "deleted": entry.deleted,
    }


def export(rows: QuerySet[AuditEntry]) -> StreamingHttpResponse:
    """The same rows as CSV, formulas made harmless, with the hashes by which a copy can be checked."""
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="staff-log.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _lines(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    yield "﻿" + _line(["at", "who", "what", "to", "kind", "from", "details", "previous", "sha256"])
    for entry in rows.iterator(chunk_size=1000):
        said = describe_entry(entry)
        names = ("who", "what", "label", "kind", "address", "details")
        yield _line([entry.timestamp.isoformat(), *(said[name] for name in names), entry.previous, entry.sha256])


def _line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([escape_csv_cell(str(cell)) for cell in cells])
    return line.getvalue()


def _actions() -> dict[str, str]:
    """The actions that the log holds, with their labels."""
    known = dict(registry.get_choices())
    return {action: str(known.get(action, action)) for action in AuditEntry.objects.all().get_actions()}


def _is_long(value: Any) -> bool:
    return isinstance(value, dict | list) or len(str(value)) > 200
