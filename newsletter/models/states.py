"""States move by compare-and-set: one UPDATE that names the state it expects, and one row changed."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models

_Row = TypeVar("_Row", bound=models.Model)


def move(row: _Row, *, to: str, of: Iterable[str], field: str = "state", **changes: Any) -> bool:
    """Set ``row.state`` to ``to`` if the database still has one of ``of``; the other ``changes`` go in the same UPDATE.

    Returns whether this call moved it. The row in memory follows only then.
    """
    manager = type(row)._default_manager
    moved = manager.filter(pk=row.pk, **{f"{field}__in": list(of)}).update(**{field: to}, **changes)
    if moved:
        for name, value in {field: to, **changes}.items():
            setattr(row, name, value)
    return bool(moved)


def one_of(name: str, field: str, values: Iterable[str]) -> models.CheckConstraint:
    """A CHECK that a text column holds one of the values."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": list(values)}), name=name)
