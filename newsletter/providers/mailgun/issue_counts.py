"""Mailgun's counts of a tag (documentation.mailgun.com, Metrics) and its events, which name people (Events).

Mailgun's own count of accepted mails has one more for each batch, so its count of processed mails is read. It does not say
if these include the mails that it did not try to send because of its suppression list.
"""

from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

from newsletter.providers.base.issue_counts import (
    Figure,
    IssueCounts,
    add_counts,
    as_counts_row,
    make_unknown_issue,
    make_unreadable,
    read_count,
)
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text, parse_delivery_id

PROVIDER = "Mailgun"
EVENTS_PER_PAGE = 300
_SUPPRESSED = ("suppressed_bounces_count", "suppressed_unsubscribed_count", "suppressed_complaints_count")
_METRICS = ("processed_count", "delivered_count", "permanent_failed_count", "complained_count", *_SUPPRESSED)
_EVENTS = {
    Figure.ACCEPTED: {"event": "accepted"},
    Figure.DELIVERED: {"event": "delivered"},
    Figure.BOUNCED: {"event": "failed", "severity": "permanent"},
    Figure.COMPLAINED: {"event": "complained"},
}


def make_metrics_query(*, domain: str, tag: str, since: datetime, now: datetime) -> dict[str, object]:
    """Return the body of the call for the counts of a tag. Metrics are by day, so the day before is asked for too."""
    values = {"domain": domain, "tag": tag}
    return {
        "start": format_datetime(since - timedelta(days=1)),
        "end": format_datetime(now),
        "resolution": "day",
        "dimensions": ["tag"],
        "metrics": list(_METRICS),
        "filter": {
            "AND": [
                {"attribute": name, "comparator": "=", "values": [{"label": value, "value": value}]}
                for name, value in values.items()
            ]
        },
        "include_subaccounts": False,
    }


def read_metrics(parsed: object, *, tag: str) -> IssueCounts:
    """Return the counts of the tag, not those of another. Raise IssueCountsError."""
    rows = [as_mapping(item.get("metrics")) for item in _read_items(parsed) if _is_about(item, tag)]
    if not rows:
        raise make_unknown_issue(PROVIDER)
    for row in rows:
        read_count(row, "processed_count", provider=PROVIDER)
    return IssueCounts(
        accepted=add_counts(rows, "processed_count", provider=PROVIDER),
        delivered=add_counts(rows, "delivered_count", provider=PROVIDER),
        bounced=add_counts(rows, "permanent_failed_count", provider=PROVIDER),
        complained=add_counts(rows, "complained_count", provider=PROVIDER),
        unclear=add_counts(rows, *_SUPPRESSED, provider=PROVIDER),
    )


def make_events_query(*, tag: str, figure: Figure, since: datetime) -> dict[str, object]:
    begin = int((since - timedelta(minutes=5)).timestamp())
    return {**_EVENTS[figure], "tags": tag, "begin": begin, "ascending": "yes", "limit": EVENTS_PER_PAGE}


def read_events(parsed: object, *, tag: str) -> tuple[int, dict[int, str]]:
    """Return a page's number of events and, by delivery id, the batch's key. Raise IssueCountsError."""
    items = _read_items(parsed)
    key_by_delivery: dict[int, str] = {}
    for item in items:
        ids = as_mapping(item.get("user-variables"))
        delivery = parse_delivery_id(ids.get("delivery"))
        if delivery is not None and tag in as_list(item.get("tags")):
            key_by_delivery[delivery] = as_text(ids.get("batch"), max_length=80)
    return len(items), key_by_delivery


def find_next_events(parsed: object, *, path: str) -> str:
    """Return the path of the next page, "" if there is none. Only a path below ours is followed, never another host."""
    following = as_text(as_mapping(as_mapping(parsed).get("paging")).get("next"), max_length=2000)
    next_path = urlsplit(following).path
    return next_path if next_path.startswith(f"{path}/") and ".." not in next_path else ""


def _read_items(parsed: object) -> list[Row]:
    items = as_counts_row(parsed, provider=PROVIDER).get("items")
    if not isinstance(items, list):
        raise make_unreadable(PROVIDER)
    return [as_mapping(item) for item in items]


def _is_about(item: Row, tag: str) -> bool:
    dimensions = [as_mapping(dimension) for dimension in as_list(item.get("dimensions"))]
    return any(dimension.get("dimension") == "tag" and dimension.get("value") == tag for dimension in dimensions)
