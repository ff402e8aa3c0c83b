"""Change states by compare-and-set: one UPDATE that names the expected states and must change one row."""

from collections.abc import Iterable

from django.db import models


def transition(row: models.Model, *, from_states: Iterable[str], to: str, **changes: object) -> bool:
    """Set ``row.state`` to ``to``, and the other ``changes``, if the database still has one of ``from_states``.

    Return True if this call changed the row. Only then does the row in memory change too.
    """
    manager = type(row)._default_manager
    expected = manager.filter(pk=row.pk, state__in=list(from_states))
    changed = expected.update(state=to, **changes)
    if changed:
        for name, value in {"state": to, **changes}.items():
            setattr(row, name, value)
    return bool(changed)


def one_of(name: str, field: str, values: Iterable[str]) -> models.CheckConstraint:
    """Return a CHECK constraint: a text column holds one of the values."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": list(values)}), name=name)
