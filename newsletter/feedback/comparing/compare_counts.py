"""Decide how a send's numbers and those of its provider compare, and read the results that are stored.

Uncertain recipients make our number of accepted mails a range: the provider has those mails, or it does not. If the provider
counts more reports than we received, some were lost. If it counts fewer, it is late, or somebody was reported once by
another way.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q

from newsletter.models import Issue
from newsletter.models.feedback import CountComparison
from newsletter.providers.base.errors import CountsFailure
from newsletter.providers.base.issue_counts import Figure, IssueCounts

Result = CountComparison.Result
COUNTED_AFTER = timedelta(hours=24)
"""Providers count hours late."""
COMPARED_DAYS = 7
"""A send is compared until the end of this day (UTC) after the one on which it ended, which is day 0."""
NAMED_FROM = timedelta(days=6)
"""The seventh day, if the one on which the send ended is the first."""
READ_FROM = timedelta(days=5)
"""Providers have counted by the sixth day, so its result is used if the last day has no answer."""
SHOWN_FOR = timedelta(days=14)
_HAS_RESULT = ~Q(result=CountComparison.Result.UNAVAILABLE) | Q(failure=CountsFailure.UNKNOWN_ISSUE)


@dataclass(frozen=True)
class OwnCounts:
    """Our numbers of the same mails. ``uncertain`` people are not among ``accepted``."""

    accepted: int = 0
    uncertain: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0


@dataclass(frozen=True)
class Comparison:
    """``figure`` is the first number that differs, None if none does. ``provider_accepted`` is the count that was compared."""

    result: Result
    figure: Figure | None
    provider_accepted: int


def find_day(moment: datetime) -> date:
    """Return the day (UTC) of a comparison. Days are compared as dates, because the hour of a comparison varies."""
    return moment.astimezone(UTC).date()


def find_oldest_end(*, now: datetime) -> datetime:
    """Return the earliest end of a send that is still compared."""
    return datetime.combine(find_day(now) - timedelta(days=COMPARED_DAYS), time.min, tzinfo=UTC)


def compare_counts(ours: OwnCounts, provider_counts: IssueCounts, *, age: timedelta) -> Comparison:
    """Return the result of a send that ended ``age`` ago."""
    accepted = min(max(provider_counts.accepted, ours.accepted), provider_counts.accepted + provider_counts.unclear)
    result, figure = _find_difference(ours, provider_counts, accepted=accepted)
    if figure is not None and age < COUNTED_AFTER:
        result = Result.NOT_COUNTED_YET
    return Comparison(result, figure, accepted)


def needs_attention(row: CountComparison) -> bool:
    """Return True if staff should know: the mails themselves differ, reports did not come, or the issue is not known there."""
    if row.result == Result.FEWER_AT_PROVIDER:
        return row.figure == Figure.ACCEPTED
    return row.result == Result.MORE_AT_PROVIDER or row.failure == CountsFailure.UNKNOWN_ISSUE


def _find_difference(ours: OwnCounts, provider_counts: IssueCounts, *, accepted: int) -> tuple[Result, Figure | None]:
    if accepted < ours.accepted:
        return Result.FEWER_AT_PROVIDER, Figure.ACCEPTED
    if accepted > ours.accepted + ours.uncertain:
        return Result.MORE_AT_PROVIDER, Figure.ACCEPTED
    reported = {
        Figure.DELIVERED: (ours.delivered, provider_counts.delivered),
        Figure.BOUNCED: (ours.bounced, provider_counts.bounced),
        Figure.COMPLAINED: (ours.complained, provider_counts.complained),
    }
    for figure, (our_figure, provider_figure) in reported.items():
        if provider_figure is not None and provider_figure > our_figure:
            return Result.MORE_AT_PROVIDER, figure
    for figure, (our_figure, provider_figure) in reported.items():
        if provider_figure is not None and provider_figure < our_figure and figure not in provider_counts.at_least:
            return Result.FEWER_AT_PROVIDER, figure
    return Result.EQUAL, None


def describe_comparisons(issue: Issue) -> list[dict[str, object]]:
    """Return each day's comparison with each account, the newest day first.

    A provider's number is None if the provider does not count it.
    """
    rows = CountComparison.objects.filter(send__issue=issue).order_by("-day", "-send", "account")
    return [
        {
            "send": row.send_id,
            "account": row.account,
            "day": row.day.isoformat(),
            "result": row.result,
            "figure": row.figure,
            "failure": row.failure,
            "uncertain": row.uncertain,
            "ours": {figure.value: getattr(row, figure) for figure in Figure},
            "provider": {figure.value: getattr(row, f"provider_{figure}") for figure in Figure},
            "deliveries": row.deliveries,
        }
        for row in rows
    ]


def find_persisting_differences(*, now: datetime) -> list[CountComparison]:
    """Return the newest result of each send and account that differs, if the send ended within two weeks.

    A day without an answer has no result.
    """
    rows = CountComparison.objects.filter(_HAS_RESULT, send__ended_at__gt=now - SHOWN_FOR)
    newest: dict[tuple[int, str], CountComparison] = {}
    for row in rows.select_related("send__issue__publication").order_by("day"):
        newest[row.send_id, row.account] = row
    return [row for row in newest.values() if _is_late_enough(row, now=now) and needs_attention(row)]


def _is_late_enough(row: CountComparison, *, now: datetime) -> bool:
    if row.send.ended_at is None:
        return False
    ended = find_day(row.send.ended_at)
    return row.day >= ended + READ_FROM and find_day(now) >= ended + NAMED_FROM
