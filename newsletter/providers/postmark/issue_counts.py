"""Postmark's counts of a tag (postmarkapp.com/developer, Stats API) and its messages, which name people (Messages API).

Without dates the counts are of all time, and a tag is one issue's. Postmark has no count of delivered mails. Of bounces it
counts some kinds only, and hears of others by webhook.
"""

from newsletter.providers.base.issue_counts import (
    Figure,
    IssueCounts,
    add_counts,
    as_counts_row,
    make_unreadable,
    read_count,
)
from newsletter.providers.base.json_values import as_mapping, as_text, parse_delivery_id

PROVIDER = "Postmark"
MESSAGES_PER_PAGE = 500
_BOUNCES = ("HardBounce", "SoftBounce", "SMTPApiError")


def read_stats(overview: object, bounces: object) -> IssueCounts:
    """Return the counts in two answers. Raise IssueCountsError. A tag that Postmark does not know has 0 of everything."""
    totals = as_counts_row(overview, provider=PROVIDER)
    # A tag without bounces is answered with an empty object, or without the kinds that it does not have.
    by_kind = as_mapping(bounces)
    if not isinstance(bounces, dict):
        raise make_unreadable(PROVIDER)
    return IssueCounts(
        accepted=read_count(totals, "Sent", provider=PROVIDER),
        bounced=add_counts([by_kind], *_BOUNCES, provider=PROVIDER),
        complained=read_count(totals, "SpamComplaints", provider=PROVIDER),
        at_least=(Figure.BOUNCED,),
    )


def read_messages(parsed: object, *, tag: str) -> tuple[int, dict[int, str]]:
    """Return a page's number of messages and, by delivery id, the batch's key. Raise IssueCountsError."""
    messages = as_counts_row(parsed, provider=PROVIDER).get("Messages")
    if not isinstance(messages, list):
        raise make_unreadable(PROVIDER)
    found: dict[int, str] = {}
    for message in map(as_mapping, messages):
        ids = as_mapping(message.get("Metadata"))
        delivery = parse_delivery_id(ids.get("delivery"))
        if delivery is not None and message.get("Tag") == tag:
            found[delivery] = as_text(ids.get("batch"), max_length=80)
    return len(messages), found
