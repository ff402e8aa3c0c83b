"""The details of an entry of the staff log, in the words of its reader. The CSV file keeps them as they are stored."""

from collections.abc import Mapping
from typing import get_args

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.translation import language_label, translate
from newsletter.desk.staff.refusal_labels import LOGGED_REFUSALS, REFUSAL_LABELS
from newsletter.desk.staff.staff_forms import ROLE_NAMES
from newsletter.issues.planning.create_issue import Beginning
from newsletter.organisation.accounts.roles import Role
from subscribers.models import Basis, ImportKind

MAX_LENGTH = 200
_ROLES = ("role", "was")
ONLY_FOR_PROGRAMS = ("key_id", "list_id")
_CHOICES: Mapping[str, Mapping[str, object]] = {
    "basis": dict(Basis.choices),
    "begins": dict(Beginning.choices),
    "kind": dict(ImportKind.choices),
}
LABELS = {
    "account": gettext_lazy("account"),
    "added": gettext_lazy("added"),
    "approval_withdrawn": gettext_lazy("approval withdrawn"),
    "approvals": gettext_lazy("approvals"),
    "asked_by_mail": gettext_lazy("asked for by mail"),
    "basis": gettext_lazy("legal basis"),
    "batch": gettext_lazy("batch"),
    "before": gettext_lazy("earlier"),
    "begins": gettext_lazy("begins with"),
    "by_link": gettext_lazy("by the link"),
    "changed": gettext_lazy("changed"),
    "comment": gettext_lazy("comment"),
    "detail": gettext_lazy("detail"),
    "due": gettext_lazy("planned time"),
    "events": gettext_lazy("events"),
    "email": gettext_lazy("email"),
    "fields": gettext_lazy("fields"),
    "first": gettext_lazy("first account"),
    "import": gettext_lazy("import"),
    "issue": gettext_lazy("issue"),
    "key": gettext_lazy("API key"),
    "kind": gettext_lazy("kind"),
    "language": gettext_lazy("language"),
    "list": gettext_lazy("list"),
    "lists": gettext_lazy("lists"),
    "made": gettext_lazy("created issue"),
    "name": gettext_lazy("name"),
    "people": gettext_lazy("people"),
    "provider": gettext_lazy("provider"),
    "publication": gettext_lazy("publication"),
    "reason": gettext_lazy("reason"),
    "refused": gettext_lazy("refused"),
    "revision": gettext_lazy("revision"),
    "role": gettext_lazy("role"),
    "scope": gettext_lazy("permissions"),
    "send": gettext_lazy("send"),
    "sessions": gettext_lazy("sessions"),
    "suppression": gettext_lazy("suppression"),
    "terms": gettext_lazy("terms"),
    "to_edit": gettext_lazy("to edit it"),
    "warnings": gettext_lazy("warnings"),
    "was": gettext_lazy("earlier"),
    "with": gettext_lazy("with"),
}


def label_details(data: Mapping[str, object] | None, *, action: str) -> str:
    """Return “role: Editor, earlier: Writer”. Leave out long values, and ids that only programs need."""
    if data and action in LOGGED_REFUSALS:
        data = {**data, "reason": REFUSAL_LABELS.get(str(data.get("reason")), data.get("reason"))}
    return ", ".join(
        f"{LABELS.get(name, name.replace('_', ' '))}: {_label_value(name, value)}"
        for name, value in (data or {}).items()
        if name not in ONLY_FOR_PROGRAMS and not is_long(value)
    )


def is_long(value: object) -> bool:
    return isinstance(value, dict | list) or len(str(value)) > MAX_LENGTH


def _label_value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in _ROLES and value in get_args(Role):
        return str(ROLE_NAMES[str(value)])
    if value in (choices := _CHOICES.get(name, {})):
        return str(choices[str(value)])
    if name in _ROLES and value == "":
        return _("none")
    return language_label(value) if name == "language" and isinstance(value, str) and value else translate(value)
