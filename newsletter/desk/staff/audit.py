"""The staff log: the recorded actions, and the page with filters and a CSV download. Entries are added by Wagtail's `log`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import LogActionRegistry, registry
from wagtail.models import ModelLogEntry
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.staff_pages import PermittedPage
from newsletter.common.text import escape_csv_cell, explain_long_search
from newsletter.common.translation import translate
from newsletter.desk.staff.log_details import is_long, label_details
from newsletter.models import AuditEntry
from subscribers.desk.csv_response import stream_csv

PER_PAGE, MAX_ROWS_CHECKED = 50, 500
CSV_COLUMNS = ("at", "who", "what", "to", "kind", "from", "details", "previous", "sha256")
PERIODS = {
    "1": gettext_lazy("Last day"),
    "7": gettext_lazy("Last 7 days"),
    "30": gettext_lazy("Last 30 days"),
    "": gettext_lazy("All time"),
}
LOG_ACTIONS = {
    "signed_in": (gettext_lazy("Sign in"), gettext_lazy("Signed in")),
    "sign_in_failed": (gettext_lazy("Enter a wrong password"), gettext_lazy("Wrong password entered")),
    "sign_in_stopped": (
        gettext_lazy("Block sign-in after many wrong passwords"),
        gettext_lazy("Sign-in blocked for five minutes after many wrong passwords"),
    ),
    "sign_in_refused": (gettext_lazy("Refuse a sign-in"), gettext_lazy("Sign-in refused")),
    "logged_out": (
        gettext_lazy("End sessions by the identity provider"),
        gettext_lazy("Sessions ended by the identity provider"),
    ),
    "logout_refused": (
        gettext_lazy("Refuse to end sessions"),
        gettext_lazy("Refused to end sessions for the identity provider"),
    ),
    "identity_linked": (gettext_lazy("Link an identity"), gettext_lazy("Linked with the identity provider")),
    "identity_unlinked": (gettext_lazy("Unlink an identity"), gettext_lazy("Unlinked from the identity provider")),
    "address_changed": (gettext_lazy("Change an address"), gettext_lazy("Address changed")),
    "session_ended": (gettext_lazy("End a session"), gettext_lazy("Session ended")),
    "factor_changed": (gettext_lazy("Change the second factor"), gettext_lazy("Second factor changed")),
    "factor_forgotten": (gettext_lazy("Remove a second factor"), gettext_lazy("Second factor removed")),
    "factor_lost": (gettext_lazy("Report a lost second factor"), gettext_lazy("Lost second factor reported")),
    "invited": (gettext_lazy("Invite staff"), gettext_lazy("Invited")),
    "link_made": (gettext_lazy("Make a link for a new password"), gettext_lazy("Link for a new password made")),
    "switched_on": (gettext_lazy("Switch an account on"), gettext_lazy("Account switched on")),
    "switched_off": (gettext_lazy("Switch an account off"), gettext_lazy("Account switched off")),
    "staff_added": (gettext_lazy("Add staff"), gettext_lazy("Added to the staff")),
    "role_changed": (gettext_lazy("Change a role"), gettext_lazy("Role changed")),
    "password_set": (gettext_lazy("Set a password"), gettext_lazy("Password set")),
    "reports_set_up": (gettext_lazy("Set up reports of the provider"), gettext_lazy("Reports of the provider set up")),
    "setup_skipped": (gettext_lazy("Skip a step of the set-up"), gettext_lazy("Step of the set-up skipped")),
    "exported": (gettext_lazy("Export"), gettext_lazy("Exported")),
}


def keep_entries_in_audit_log(actions: LogActionRegistry) -> None:
    """Send the log entries of all models to `AuditEntry`, the append-only log."""
    actions.register_model(models.Model, AuditEntry)
    actions.log_entry_models.discard(ModelLogEntry)


@dataclass(frozen=True)
class AuditFilters:
    """Filters of the log. An empty one matches everything; `days` is the number of days back."""

    person: str = ""
    action: str = ""
    days: str = ""
    words: str = ""

    @classmethod
    def read(cls, request: HttpRequest) -> "AuditFilters":
        values = {name: request.GET.get(name, "").strip() for name in ("person", "action", "days", "words")}
        values["days"] = values["days"] if values["days"] in PERIODS else ""
        return cls(**values)

    @property
    def error(self) -> str:
        """Why the log is not searched for the words."""
        return translate(explain_long_search(self.words, max_words=None))

    def apply(self, *, now: datetime) -> QuerySet[AuditEntry]:
        rows: QuerySet[AuditEntry] = AuditEntry.objects.select_related("user", "content_type").order_by("-pk")
        if self.error:
            return rows.none()
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


class AuditLogPage(PermittedPage):
    template_name = "desk/audit.html"
    header_icon = "list-ul"
    page_title = gettext_lazy("Staff log")
    permission_policy = ModelPermissionPolicy(AuditEntry)
    permission_required = "view"

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> Any:
        filters = AuditFilters.read(request)
        if request.GET.get("as") == "csv" and not filters.error:
            return stream_csv(_list_csv_rows(filters.apply(now=timezone.now())), file_name="staff-log.csv")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, object] = super().get_context_data(**kwargs)
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
            "actions": sorted(_list_actions().items(), key=lambda pair: pair[1]),
            "periods": PERIODS.items(),
            "broken": AuditEntry.objects.find_break(limit=MAX_ROWS_CHECKED),
            "query": query.urlencode(),
        }


def describe_entry(entry: AuditEntry) -> dict[str, object]:
    """Return an entry as the page shows it: time, person, action, object, network address and details."""
    kind = entry.content_type.model_class() if entry.content_type else None
    return {
        "at": entry.timestamp,
        "who": entry.user_display_name if entry.user_id else _("the system"),
        "what": entry.message,
        "label": entry.label,
        "kind": label_kind(kind) if kind else "",
        "address": entry.address,
        "details": label_details(entry.data, action=entry.action),
        "deleted": entry.deleted,
    }


def label_kind(model: type[models.Model]) -> str:
    return _("staff account") if model is User else _(str(model._meta.verbose_name))


def _list_csv_rows(entries: QuerySet[AuditEntry]) -> Iterator[Iterable[str]]:
    """Yield the entries as CSV cells that are safe in a spreadsheet, with the hashes by which a copy can be checked."""
    yield CSV_COLUMNS
    for entry in entries.iterator(chunk_size=1000):
        stored = ", ".join(f"{name}: {value}" for name, value in (entry.data or {}).items() if not is_long(value))
        row = {**describe_entry(entry), "details": stored}
        described = (row[name] for name in ("who", "what", "label", "kind", "address", "details"))
        cells = (entry.timestamp.isoformat(), *described, entry.previous, entry.sha256)
        yield [escape_csv_cell(str(cell)) for cell in cells]


def _list_actions() -> dict[str, str]:
    """Return the actions that the log holds, with their labels."""
    labels = dict(registry.get_choices())
    return {action: str(labels.get(action, action)) for action in AuditEntry.objects.all().get_actions()}
