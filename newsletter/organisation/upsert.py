"""Create or update one row from the file's values, and report what changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db import models

from newsletter.common.errors import BadFile
from newsletter.models import Picture
from newsletter.organisation.read_file import entry_label

Action = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class Change:
    """A change of one table of the file. `fields` has (old, new) by the file's key; old is None in a new row."""

    kind: str
    name: str
    action: Action
    fields: dict[str, tuple[object, object]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        fields = {key: {"old": old, "new": new} for key, (old, new) in self.fields.items()}
        return {"kind": self.kind, "name": self.name, "action": self.action, "fields": fields}


def upsert(
    *,
    kind: str,
    name: str,
    row: models.Model,
    values: Mapping[str, object],
    many: Mapping[str, Sequence[models.Model]] | None = None,
    keys: Mapping[str, str] | None = None,
    show: Mapping[str, Callable[[Any], object]] | None = None,
) -> Change:
    """Write `values` (fields) and `many` (many-to-many) to a new or found `row`.

    `keys` gives the file's key if it is not the field's name; `show` how the file writes a value. Raises BadFile, which names
    the wrong key.
    """
    keys, many, show = keys or {}, many or {}, show or {}
    created = row._state.adding
    fields: dict[str, tuple[object, object]] = {}
    for attribute, new in values.items():
        old = getattr(row, attribute, None) if not _is_unset_relation(row, attribute) else None
        if created or old != new:
            in_file = show.get(attribute, _display_value)
            fields[keys.get(attribute, attribute)] = (None if created else in_file(old), in_file(new))
        setattr(row, attribute, new)
    _check(row, where=entry_label(kind, name), keys=keys)
    if created or fields:
        row.save()
    for attribute, rows in many.items():
        _set_many(row, attribute, rows, fields, created=created, key=keys.get(attribute, attribute))
    action: Action = "created" if created else "updated" if fields else "unchanged"
    return Change(kind=kind, name=name, action=action, fields=fields)


def _is_unset_relation(row: models.Model, attribute: str) -> bool:
    model_field = row._meta.get_field(attribute)
    return isinstance(model_field, models.ForeignKey) and getattr(row, model_field.attname) is None


def _set_many(
    row: models.Model,
    attribute: str,
    rows: Sequence[models.Model],
    fields: dict[str, tuple[object, object]],
    *,
    created: bool,
    key: str,
) -> None:
    manager = getattr(row, attribute)
    old = [] if created else sorted(_name(related) for related in manager.all())
    new = sorted(_name(related) for related in rows)
    if old == new:
        return
    manager.set(rows)
    fields[key] = (None if created else old, new)


def _check(row: models.Model, *, where: str, keys: Mapping[str, str]) -> None:
    """Check lengths, ranges and required values as the tables define them. Web addresses were checked when read."""
    addresses = [
        field.name
        for field in row._meta.concrete_fields
        if isinstance(field, models.URLField) and getattr(row, field.attname)
    ]
    try:
        row.clean_fields(exclude=addresses)
        row.clean()
    except ValidationError as error:
        attribute, problems = next(iter(error.error_dict.items()))
        key = keys.get(attribute, attribute)
        if problems[0].code in ("blank", "null"):
            raise BadFile(f"{where}: “{key}” is missing.") from error
        raise BadFile(f"{where}: {key}: {' '.join(problems[0].messages)}") from error


def _display_value(value: object) -> object:
    if isinstance(value, Picture):
        return value.source_url
    if isinstance(value, models.Model):
        return _name(value)
    return value


def _name(row: models.Model) -> str:
    return getattr(row, "slug", None) or str(row)
