"""Show counts of people from the last 15 minutes on pages that decide nothing, with the time of the oldest.

Outside `kept_counts` people are counted each time: approvals, sends and jobs never use a kept count.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from subscribers.audience.count_cache import recall_or_count

T = TypeVar("T")


@dataclass
class KeptCounts:
    """The counts of one page. ``counted_at`` is the time of the oldest kept one, None if all were made for the page.

    ``made`` names those. With ``again``, none is used that the page did not make.
    """

    again: bool = False
    counted_at: datetime | None = None
    made: set[str] = field(default_factory=set)


_page: ContextVar[KeptCounts | None] = ContextVar("page", default=None)


@contextmanager
def kept_counts(*, again: bool = False) -> Iterator[KeptCounts]:
    """Make `count_or_recall` use cached counts within this block. With ``again``, count each once more. Decide nothing in it."""
    page = KeptCounts(again=again)
    token = _page.set(page)
    try:
        yield page
    finally:
        _page.reset(token)


def uses_kept_counts() -> bool:
    """Return True within a block of `kept_counts`."""
    return _page.get() is not None


def count_or_recall(
    what: str, people: Callable[[datetime], QuerySet[Any]], count: Callable[[], T], *, now: datetime
) -> T:
    """Return the result of ``count``. Within `kept_counts`, reuse a recent result for the same query.

    ``what`` names the kind of count. ``people`` returns the query of the counted people at a moment. A kept count belongs to the
    text of this query on this day: who is selected, and how they are grouped, is never an old one. What changed of the
    people since is not in it.
    """
    page = _page.get()
    if page is None:
        return count()
    try:
        text, values = people(now.replace(hour=0, minute=0, second=0, microsecond=0)).query.sql_with_params()
    except EmptyResultSet:
        return count()
    name = f"{what} {hashlib.sha256(f'{text} {values}'.encode()).hexdigest()}"
    is_made = name in page.made
    figure = recall_or_count(name, count, now=now, again=page.again and not is_made)
    if figure.counted_at is None:
        page.made.add(name)
    elif not is_made:
        page.counted_at = min(figure.counted_at, page.counted_at or figure.counted_at)
    return figure.value
