"""SendGrid's counts of a category (twilio.com/docs/sendgrid, category statistics), by day. It names nobody by category."""

import re
from datetime import datetime, timedelta

from newsletter.providers.base.issue_counts import (
    IssueCounts,
    add_counts,
    make_unknown_issue,
    make_unreadable,
    read_count,
)
from newsletter.providers.base.json_values import as_list, as_mapping

PROVIDER = "SendGrid"
_FAILED = ("bounces", "blocks", "bounce_drops", "spam_report_drops", "unsubscribe_drops", "invalid_emails")
"""What SendGrid reports as bounced or dropped."""


def make_category(issue: str) -> str:
    """Return the name of an issue in printable ASCII, as SendGrid asks for."""
    return re.sub(r"[^\x21-\x7e]+", "-", issue)[:255] or "newsletter"


def make_stats_query(*, category: str, since: datetime) -> dict[str, object]:
    """Return the query of the counts until today. SendGrid's days are in its own zone, so the day before is asked for too."""
    start = (since - timedelta(days=1)).date().isoformat()
    return {"categories": category, "start_date": start, "aggregated_by": "day"}


def read_stats(parsed: object, *, category: str) -> IssueCounts:
    """Return the sum of the days of the category, not of another. Raise IssueCountsError."""
    if not isinstance(parsed, list):
        raise make_unreadable(PROVIDER)
    stats = [as_mapping(row) for day in parsed for row in as_list(as_mapping(day).get("stats"))]
    rows = [as_mapping(row.get("metrics")) for row in stats if row.get("name") == category]
    if not rows:
        raise make_unknown_issue(PROVIDER)
    for row in rows:
        read_count(row, "requests", provider=PROVIDER)
    return IssueCounts(
        accepted=add_counts(rows, "requests", provider=PROVIDER),
        delivered=add_counts(rows, "delivered", provider=PROVIDER),
        bounced=add_counts(rows, *_FAILED, provider=PROVIDER),
        complained=add_counts(rows, "spam_reports", provider=PROVIDER),
    )
