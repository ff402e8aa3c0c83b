"""Find sends whose numbers still differ from their provider's at the end of the week. Reads only."""

from datetime import datetime, timedelta

from newsletter.feedback.comparing.decide import find_day, needs_attention
from newsletter.models import CountComparison

NAMED_FROM = timedelta(days=6)
"""The seventh day, if the one on which the send ended is the first."""
SHOWN_FOR = timedelta(days=14)


def find_persisting_differences(*, now: datetime) -> list[CountComparison]:
    """Return the last comparison of each send that ended within two weeks, if it differs from the seventh day on."""
    rows = CountComparison.objects.filter(send__ended_at__gt=now - SHOWN_FOR)
    last: dict[int, CountComparison] = {}
    for row in rows.select_related("send__issue__publication").order_by("day"):
        last[row.send_id] = row
    return [row for row in last.values() if _is_of_last_day(row) and needs_attention(row)]


def _is_of_last_day(row: CountComparison) -> bool:
    return row.send.ended_at is not None and row.day >= find_day(row.send.ended_at) + NAMED_FROM
