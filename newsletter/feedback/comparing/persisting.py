"""Find sends whose numbers still differ from those of one of their accounts at the end of the week. Reads only."""

from datetime import datetime, timedelta

from django.db.models import Q

from newsletter.feedback.comparing.compare_counts import find_day, needs_attention
from newsletter.models import CountComparison
from newsletter.providers.base.errors import CountsFailure

NAMED_FROM = timedelta(days=6)
"""The seventh day, if the one on which the send ended is the first."""
READ_FROM = timedelta(days=5)
"""Providers have counted by the sixth day, so its result stands in for a last day without an answer."""
SHOWN_FOR = timedelta(days=14)
_HAS_RESULT = ~Q(result=CountComparison.Result.UNAVAILABLE) | Q(failure=CountsFailure.UNKNOWN_ISSUE)


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
