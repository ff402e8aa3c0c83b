"""Two people edit one row in the desk: the second to save overwrites nothing, learns who saved, and sees both texts.

Every save without the field is taken: only a form that the desk drew has it. An issue's editor compares revisions instead.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import FieldDoesNotExist
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name
from wagtail.log_actions import registry as log_registry

from subscribers.desk.editing.row_pages import EditRowMixin
from subscribers.desk.listing import format_moment

VERSION_FIELD = "nl-version"


@dataclass(frozen=True)
class Difference:
    """A field whose stored value differs from the typed value."""

    label: str
    stored: str
    typed: str


class VersionedEditMixin(EditRowMixin):
    """For edit views of rows without revisions."""

    request: HttpRequest
    model: type[models.Model]
    object: Any
    produced_error_message: str
    differences: list[Difference] | None = None

    def describe_value(self, row: Any, name: str) -> str:
        """Return how the row's field is shown to somebody who compares two texts."""
        return describe_field(row, name)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        version = self.request.POST.get(VERSION_FIELD)
        if version is None or self.differences is not None:
            stored = self.model._base_manager.get(pk=self.object.pk)
            version = make_version(stored, names=context["form"].fields, at=timezone.now())
        return {**context, "row_version": version, "differences": self.differences}

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            stored = self.model._base_manager.select_for_update().get(pk=self.object.pk)
            loaded = self.request.POST.get(VERSION_FIELD, "")
            if not loaded or is_version_of(stored, loaded, names=form.fields):
                response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
                return response
        self.differences = list(self._find_differences(stored, form))
        self.produced_error_message = describe_change(stored, loaded=loaded, reader=self.request.user)
        refused: HttpResponse = self.form_invalid(form)  # type: ignore[attr-defined]
        return refused

    def _find_differences(self, stored: models.Model, form: Any) -> Iterable[Difference]:
        for field in _list_fields(stored, form.fields):
            stored_value = _read(stored, field)
            typed: Any = form.instance
            typed_value = _sort_keys(form.cleaned_data[field.name]) if field.many_to_many else _read(typed, field)
            if stored_value == typed_value:
                continue
            yield Difference(
                label=capfirst(str(form[field.name].label)),
                stored=self.describe_value(stored, field.name),
                typed=_join(form.cleaned_data[field.name])
                if field.many_to_many
                else self.describe_value(typed, field.name),
            )


def make_version(row: models.Model, *, names: Iterable[str], at: datetime) -> str:
    """Return a hash of the row's fields that a form of these names shows, and when they were read."""
    values = {field.name: _read(row, field) for field in _list_fields(row, names)}
    text = json.dumps(values, default=str, sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]} {at.isoformat()}"


def is_version_of(row: models.Model, version: str, *, names: Iterable[str]) -> bool:
    now = make_version(row, names=names, at=timezone.now())
    return now.partition(" ")[0] == version.partition(" ")[0]


def describe_change(row: models.Model, *, loaded: str, reader: User | AnonymousUser) -> str:
    """Return a text: who saved the row since this version was loaded, when, and what to do."""
    advice = _("Nothing was saved, and your text is still here. Compare both below. To replace theirs, save again.")
    since = parse_datetime(loaded.partition(" ")[2].strip())
    logs = log_registry.get_logs_for_instance(row).select_related("user")
    entry = logs.filter(timestamp__gte=since).first() if since else None
    if entry is None:
        change = _("This was changed after you opened it, by its source or by the program.")
        return f"{change} {advice}"
    who = _("You, in another window,") if entry.user == reader else _name(entry.user)
    moment = format_moment(entry.timestamp, now=timezone.now())
    saved = _("%(who)s saved this on %(moment)s, after you opened it.") % {"who": who, "moment": moment}
    return f"{saved} {advice}"


def describe_field(row: models.Model, name: str) -> str:
    field = row._meta.get_field(name)
    value = getattr(row, name)
    if field.many_to_many:
        return _join(value.all())
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime):
        return format_moment(value, now=timezone.now())
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if getattr(field, "choices", None):
        return str(getattr(row, f"get_{name}_display")())
    return "" if value is None else str(value)


def _name(person: User | None) -> str:
    return str(user_display_name(person)) if person else _("The system")


def _list_fields(row: models.Model, names: Iterable[str]) -> Iterable[Any]:
    for name in sorted(names):
        try:
            field = row._meta.get_field(name)
        except FieldDoesNotExist:  # a field of the form alone, such as a file to upload
            continue
        yield field


def _read(row: models.Model, field: Any) -> object:
    value = field.value_from_object(row)
    return _sort_keys(value) if field.many_to_many else value


def _sort_keys(rows: Iterable[models.Model]) -> list[object]:
    return sorted(row.pk for row in rows)


def _join(rows: Iterable[models.Model]) -> str:
    return ", ".join(sorted(map(str, rows)))
