"""Cache a job's results about open issues for five minutes, while their rows stay the same. Resolving an issue takes 50 queries.

The texts and addresses of the stories, events and appeals that they may show are compared too, by one query for all issues.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db.models import CharField, Model, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

from newsletter.models import Appeal, EventNotice, Issue, Story, StoryPlacement

T = TypeVar("T")
MAX_AGE_SECONDS = 300.0
"""Other rows may change too, such as an image, or a story of a welcome mail. So no result is used for longer."""
_PAST_EVENTS = timedelta(days=2)
_MAX_RESULTS = 100


class RecentResults(Generic[T]):
    """The results of one job in this process, by the stamp that `make_stamp` returns for an issue before it is resolved."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, T]] = {}

    def find(self, stamp: str) -> T | None:
        """Return the result, or None without a valid one."""
        if stamp not in self._found:
            return None
        kept_at, result = self._found[stamp]
        return result if self._clock() - kept_at < MAX_AGE_SECONDS else None

    def keep(self, stamp: str, result: T) -> None:
        if len(self._found) >= _MAX_RESULTS:
            self._found.clear()
        self._found[stamp] = self._clock(), result


def make_shown_stamp(issues: "QuerySet[Issue]", *, now: datetime) -> str:
    """Return a hash of the texts and addresses of the issues' stories, of events to come and of appeals."""
    placed = StoryPlacement.objects.filter(issue__in=issues.order_by().values("pk")).values("story")
    stories = Story.objects.filter(Q(pk__in=placed) | Q(translation_of__in=placed))
    events = EventNotice.objects.filter(starts_at__gt=now - _PAST_EVENTS)
    changed = Coalesce(Cast("changed_at", TextField()), Value(""), output_field=TextField())
    rows = _select(stories, "story", "url", "title", "teaser", "text").union(
        _select(events, "event", "url", "title", "summary", changed),
        _select(Appeal.objects.all(), "appeal", "link", "headline", "text", "button"),
        all=True,
    )
    return hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()


def _select(rows: "QuerySet[Any]", kind: str, *columns: "str | Coalesce") -> "QuerySet[Any, tuple[Any, ...]]":
    """Return these columns of the rows as texts, so that rows of several tables fit into one query."""
    texts = {f"text_{number}": Cast(column, TextField()) for number, column in enumerate(columns)}
    annotated = rows.order_by().annotate(kind=Value(kind, CharField()), **texts)
    selected: QuerySet[Any, tuple[Any, ...]] = annotated.values_list("kind", "pk", *texts)
    return selected


def make_stamp(issue: Issue, *, shown_stamp: str) -> str:
    """Return a hash that changes with ``shown_stamp`` and with each change of an issue, its publication or its brand."""
    rows = (issue, issue.publication, issue.publication.brand)
    return hashlib.sha256("\0".join([shown_stamp, *map(_describe, rows)]).encode()).hexdigest()


def _describe(row: Model) -> str:
    left_out = row.get_deferred_fields()
    fields = (field for field in row._meta.concrete_fields if field.attname not in left_out)
    return "\0".join(repr(field.get_prep_value(field.value_from_object(row))) for field in fields)
