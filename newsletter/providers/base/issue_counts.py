"""Read a provider's counts for an issue, and the people that it names.

Nothing is changed at the provider, and no call is repeated.
An answer is believed only if it can be nothing else: a count that is negative, too large or missing makes it unreadable.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from newsletter.common.messages import Message
from newsletter.providers.base.contract import HttpCaller, HttpRequest, ProviderResponse
from newsletter.providers.base.errors import CountsFailure, IssueCountsError, TransportError
from newsletter.providers.base.json_values import Row, as_mapping, parse_json_or_none
from newsletter.providers.base.responses import read_retry_after

MAX_COUNT = 2**31 - 1
MAX_NAMED_PEOPLE = 10_000
"""The most records of people that are read: Postmark lists no more."""


class Figure(StrEnum):
    """A number of an issue that we and the provider count."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True)
class IssueCounts:
    """A provider's counts of mails. A figure is None if the provider does not count it, or not as its webhooks do.

    ``unclear`` mails may be among ``accepted`` or not. ``at_least`` names figures of which the provider counts only a part.
    """

    accepted: int
    delivered: int | None = None
    bounced: int | None = None
    complained: int | None = None
    unclear: int = 0
    at_least: Collection[Figure] = ()


@dataclass(frozen=True)
class IssueRecords:
    """The people of whom a provider has a record: our delivery id to the key of its batch. ``complete``: there are no more."""

    batches: Mapping[int, str]
    complete: bool


@runtime_checkable
class IssueCounter(Protocol):
    """An adapter whose provider counts by issue. ``since`` (aware) is when the issue's first mail was handed over."""

    def count_issue(self, *, issue: str, since: datetime) -> IssueCounts:
        """Ask once. Raise IssueCountsError."""


@runtime_checkable
class RecordLister(Protocol):
    """An adapter whose provider names the people of an issue."""

    def list_records(self, *, issue: str, figure: Figure, since: datetime) -> IssueRecords | None:
        """Return at most MAX_NAMED_PEOPLE; None if it names nobody for this figure. Raise IssueCountsError."""


class CountsReader:
    """Reads a provider's counts and people of an issue. It has nothing of the adapter that can send."""

    def __init__(self, adapter: IssueCounter) -> None:
        self._count = adapter.count_issue
        self._list = adapter.list_records if isinstance(adapter, RecordLister) else None

    def count_issue(self, *, issue: str, since: datetime) -> IssueCounts:
        """Ask once. Raise IssueCountsError."""
        return self._count(issue=issue, since=since)

    def list_records(self, *, issue: str, figure: Figure, since: datetime) -> IssueRecords | None:
        """Return at most MAX_NAMED_PEOPLE; None if the provider does not name them. Raise IssueCountsError."""
        return self._list(issue=issue, figure=figure, since=since) if self._list else None


def read_count(row: Row, name: str, *, provider: str, missing: int | None = None) -> int:
    """Return a whole number from 0 to MAX_COUNT, or ``missing``. Raise IssueCountsError for anything else."""
    value = row.get(name, missing)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_COUNT:
        raise make_unreadable(provider)
    return value


def add_counts(rows: Iterable[Row], *names: str, provider: str) -> int:
    """Return the sum of counts of several rows, 0 for one that is missing. Raise IssueCountsError if one or the sum is wrong."""
    total = sum(read_count(row, name, provider=provider, missing=0) for row in rows for name in names)
    if total > MAX_COUNT:
        raise make_unreadable(provider)
    return total


def make_unreadable(provider: str) -> IssueCountsError:
    return IssueCountsError(
        Message("%(provider)s’s answer about its counts cannot be read.", provider=provider), CountsFailure.UNREADABLE
    )


def make_unknown_issue(provider: str) -> IssueCountsError:
    return IssueCountsError(
        Message("%(provider)s counts no mail under the name of this issue.", provider=provider),
        CountsFailure.UNKNOWN_ISSUE,
    )


def ask_for_counts(request: HttpRequest, *, transport: HttpCaller, provider: str, now: datetime) -> object:
    """Return the JSON of a good answer. Raise IssueCountsError, whose text has neither our key nor the provider's words."""
    try:
        answer = transport.call(request)
    except TransportError as error:
        raise IssueCountsError(
            Message("%(provider)s could not be asked for its counts.", provider=provider), CountsFailure.NO_ANSWER
        ) from error
    parsed = parse_json_or_none(answer.body) if answer.complete and answer.status == 200 else None
    if parsed is not None:
        return parsed
    if 200 <= answer.status < 300:
        raise make_unreadable(provider)
    raise IssueCountsError(
        Message("%(provider)s gave no counts (answer %(status)s).", provider=provider, status=answer.status),
        _classify(answer),
        retry_after=read_retry_after(answer, now=now),
    )


def as_counts_row(parsed: object, *, provider: str) -> Row:
    """Return a JSON object that is not empty. Raise IssueCountsError."""
    row = as_mapping(parsed)
    if not row:
        raise make_unreadable(provider)
    return row


def _classify(answer: ProviderResponse) -> CountsFailure:
    if answer.status in (401, 402, 403):
        return CountsFailure.KEY_REFUSED
    if answer.status in (420, 429) or (answer.status == 503 and "retry-after" in answer.headers):
        return CountsFailure.THROTTLED
    return CountsFailure.UNKNOWN_ISSUE if answer.status == 404 else CountsFailure.PROVIDER_ERROR
