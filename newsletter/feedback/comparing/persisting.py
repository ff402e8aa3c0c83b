"""Find sends whose numbers still differ from their provider's at the end of the week. Reads only."""

from datetime import datetime, timedelta

from newsletter.feedback.comparing.compare import COMPARED_FOR
from newsletter.feedback.comparing.decide import needs_attention
from newsletter.models import CountComparison

LAST_DAY = COMPARED_FOR - timedelta(days=1)
SHOWN_FOR = timedelta(days=14)


def find_persisting_differences(*, now: datetime) -> list[CountComparison]:
    """Return the last comparison of each send that ended within two weeks, if it differs from the seventh day on."""
    rows = CountComparison.objects.filter(send__ended_at__gt=now - SHOWN_FOR, send__ended_at__lte=now - LAST_DAY)
    last: dict[int, CountComparison] = {}
    for row in rows.select_related("send__issue__publication").order_by("day"):
        last[row.send_id] = row
    return [row for row in last.values() if _is_of_last_day(row) and needs_attention(row)]


def _is_of_last_day(row: CountComparison) -> bool:
    return row.send.ended_at is not None and row.compared_at >= row.send.ended_at + LAST_DAY
