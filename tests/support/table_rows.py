"""Give every empty table of a database a row, so that a migration of any table meets data."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import uuid4

from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

MAX_ROUNDS = 4
_HEX = "f" * 64


class Unfilled(Exception):
    """Some tables have constraints that a row with plain values does not meet."""


def fill_empty_tables(*, now: datetime, known: dict[str, dict[str, object]]) -> None:
    """Insert a row into each table without one.

    ``known`` has columns' values by the model's label, for tables whose constraints plain values do not meet. Raise Unfilled,
    naming the models that have no row afterwards.
    """
    reasons: dict[str, str] = {}
    for _ in range(MAX_ROUNDS):  # a row may need one of a table that comes later
        for model in list_empty_models():
            reasons[model._meta.label] = _insert(model, now=now, given=known.get(model._meta.label, {}))
    left = [f"{label} ({reason})" for label, reason in reasons.items() if reason]
    if left:
        raise Unfilled(f"Add values for these in tests/support/release_sample.py: {'; '.join(left)}")


def list_empty_models() -> list[type[models.Model]]:
    """Return the models whose table has no row."""
    every = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    return [model for model in every if not models.query.QuerySet(model).exists()]


def _insert(model: type[models.Model], *, now: datetime, given: dict[str, object]) -> str:
    """Insert a row, if possible with a value in each column, else with what is required. Return why it was refused, or ""."""
    reason = ""
    for optional in (True, False):
        values = dict(_list_values(model, now=now, optional=optional)) | given
        try:
            with transaction.atomic():
                models.query.QuerySet(model).bulk_create([model(**values)])
                connection.check_constraints([model._meta.db_table])
        except (DatabaseError, ValueError, TypeError) as error:
            reason = str(error)
            continue
        return ""
    return reason


def _list_values(model: type[models.Model], *, now: datetime, optional: bool) -> Iterator[tuple[str, object]]:
    for field in model._meta.concrete_fields:
        is_left_out = field.has_default() or (field.null and not optional) or isinstance(field, models.AutoField)
        if not is_left_out:
            yield field.attname, _make_value(field, now=now)


def _make_value(field: models.Field[object, object], *, now: datetime) -> object:
    if isinstance(field, models.ForeignKey):
        return _find_related(field)
    choices = [value for value, _ in field.flatchoices if value not in ("", None)]
    if choices:
        return choices[0]
    return _make_plain_value(field, now=now)


def _find_related(field: models.ForeignKey[object, object]) -> object:
    """Return the key of the newest row of the table that this field refers to, or None."""
    rows = models.query.QuerySet(field.related_model).order_by("-pk")
    return rows.values_list(field.target_field.attname, flat=True).first()


def _make_plain_value(field: models.Field[object, object], *, now: datetime) -> object:
    match field:
        case models.BooleanField():
            return True
        case models.DateTimeField():
            return now - timedelta(days=1)
        case models.DateField():
            return date(now.year, 1, 1)
        case models.TimeField():
            return time(9)
        case models.DurationField():
            return timedelta(hours=1)
        case models.DecimalField():
            return Decimal(1)
        case models.IntegerField() | models.FloatField():
            return 1
        case models.UUIDField():
            return uuid4()
        case models.BinaryField():
            return b"\x01"
        case models.JSONField():
            return {"a": 1}
        case models.EmailField():
            return "made@example.org"
        case models.GenericIPAddressField():
            return "127.0.0.1"
        case models.URLField():
            return "https://example.org/filled"
        case _:
            text = _HEX if field.max_length == len(_HEX) else "filled"
            return text[: field.max_length]
