"""The condition that a person has a row in another table, as a probe for each person or as one set.

PostgreSQL plans a probe as a join but scans a large set once for each person. On SQLite the set is faster, unless the
query is about few people.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

_FEW = ContextVar("few", default=False)


def subscriber_in(people: QuerySet[Any]) -> Q:
    """Return a condition on `Subscriber`: one of these rows has their id as `subscriber_id`."""
    if _FEW.get() or connection.vendor == "postgresql":
        return Q(Exists(people.filter(subscriber_id=OuterRef("pk"))))
    return Q(pk__in=people.values("subscriber_id"))


@contextmanager
def for_few_people() -> Iterator[None]:
    """Compile the rules inside for a query about few people."""
    token = _FEW.set(True)
    try:
        yield
    finally:
        _FEW.reset(token)
