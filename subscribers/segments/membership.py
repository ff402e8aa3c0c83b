"""How a condition asks whether a person is among others: by a probe for each, or by looking the others up once.

PostgreSQL plans a probe as a join, but a large list that is looked up once by running through it for each person. SQLite
does the opposite: there the list is faster, unless few people are asked about.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

_FEW = ContextVar("few", default=False)


def subscriber_in(people: QuerySet[Any]) -> Q:
    """A condition on `Subscriber`: there is a row of `people` with their `subscriber_id`."""
    if _FEW.get() or connection.vendor == "postgresql":
        return Q(Exists(people.filter(subscriber_id=OuterRef("pk"))))
    return Q(pk__in=people.values("subscriber_id"))


@contextmanager
def for_few_people() -> Iterator[None]:
    """Rules compiled inside are meant for a query about few people."""
    token = _FEW.set(True)
    try:
        yield
    finally:
        _FEW.reset(token)
