"""The lists of suppressed addresses of the providers that have parse_row: where they are, and what their rows say.

A row that cannot be read is left out; a list that cannot be read is none.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from newsletter.providers.base.suppression_list_reader import Page, SuppressedAddress, SuppressionListQuery
from newsletter.providers.base.webhooks.bounces import classify_bounce
from newsletter.providers.base.webhooks.events import BounceClass, FeedbackKind
from newsletter.providers.base.webhooks.values import parse_time, text

HARD, COMPLAINED, LEFT = FeedbackKind.BOUNCED, FeedbackKind.COMPLAINED, FeedbackKind.UNSUBSCRIBED
_Row = Mapping[str, Any]
_Read = Callable[[_Row], SuppressedAddress | None]


def mailgun_lists(base: str) -> list[SuppressionListQuery]:
    """Three lists, each from its beginning: Mailgun's cannot be asked from a parse_time on."""
    kinds = {"bounces": HARD, "complaints": COMPLAINED, "unsubscribes": LEFT}
    return [
        SuppressionListQuery(
            f"{base}/{name}?limit=1000",
            partial(_read, rows="items", parse_row=partial(_mailgun, kind), find_next=_mailgun_next),
        )
        for name, kind in kinds.items()
    ]


def sendgrid_lists(base: str, *, since: datetime | None) -> list[SuppressionListQuery]:
    kinds = {"bounces": HARD, "spam_reports": COMPLAINED, "unsubscribes": LEFT}
    begin = {"start_time": int(since.timestamp())} if since else {}
    return [
        SuppressionListQuery(
            f"{base}/v3/suppression/{name}?{urlencode({'limit': 500, 'offset': 0, **begin})}",
            partial(_read, rows="", parse_row=partial(_sendgrid, kind), find_next=_by_offset),
        )
        for name, kind in kinds.items()
    ]


def postmark_list(base: str, *, stream: str, since: datetime | None) -> SuppressionListQuery:
    """One list a stream, in parse_row answer."""
    begin = f"?{urlencode({'fromdate': since.date().isoformat()})}" if since else ""
    url = f"{base}/message-streams/{stream}/suppressions/dump{begin}"
    return SuppressionListQuery(url, partial(_read, rows="Suppressions", parse_row=_postmark, find_next=_no_next_page))


def ses_list(base: str, *, since: datetime | None) -> SuppressionListQuery:
    begin = {"StartDate": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if since else {}
    url = f"{base}/v2/email/suppression/addresses?{urlencode({'PageSize': 1000, **begin})}"
    return SuppressionListQuery(
        url, partial(_read, rows="SuppressedDestinationSummaries", parse_row=_ses, find_next=_ses_next)
    )


def brevo_list(base: str, *, since: datetime | None, now: datetime) -> SuppressionListQuery:
    begin = {"startDate": since.date().isoformat(), "endDate": now.date().isoformat()} if since else {}
    url = f"{base}/v3/smtp/blockedContacts?{urlencode({'limit': 100, 'offset': 0, 'sort': 'asc', **begin})}"
    return SuppressionListQuery(url, partial(_read, rows="contacts", parse_row=_brevo, find_next=_by_offset))


def sparkpost_list(base: str, *, since: datetime | None) -> SuppressionListQuery:
    begin = {"from": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if since else {}
    url = f"{base}/api/v1/suppression-list?{urlencode({'cursor': 'initial', 'per_page': 10_000, **begin})}"
    return SuppressionListQuery(url, partial(_read, rows="results", parse_row=_sparkpost, find_next=_sparkpost_next))


def _read(
    parsed: object, url: str, *, rows: str, parse_row: _Read, find_next: Callable[[object, str, int], str]
) -> Page | None:
    found = parsed.get(rows, [] if rows == "contacts" else None) if isinstance(parsed, dict) and rows else parsed
    if not isinstance(found, list):
        return None
    suppressed = [parse_row(row) for row in found if isinstance(row, Mapping)]
    return Page(
        [each for each in suppressed if each is not None and "@" in each.address], find_next(parsed, url, len(found))
    )


def _mailgun(kind: FeedbackKind, row: _Row) -> SuppressedAddress | None:
    said = f"{text(row.get('code'))} {text(row.get('error'))}".strip()
    return _make_suppressed(row.get("address"), kind, at=_parse_mail_date(row.get("created_at")), said=said)


def _sendgrid(kind: FeedbackKind, row: _Row) -> SuppressedAddress | None:
    said = f"{text(row.get('status'))} {text(row.get('reason'))}".strip()
    return _make_suppressed(row.get("email"), kind, at=parse_time(row.get("created")), said=said)


def _postmark(row: _Row) -> SuppressedAddress | None:
    """What somebody of the organisation entered at Postmark by hand is theirs to enter here too."""
    kinds = {"HardBounce": HARD, "SpamComplaint": COMPLAINED}
    reason = text(row.get("SuppressionReason"))
    if reason == "ManualSuppression" and row.get("Origin") == "Recipient":
        kinds[reason] = LEFT
    return _make_suppressed(row.get("EmailAddress"), kinds.get(reason), at=parse_time(row.get("CreatedAt")))


def _ses(row: _Row) -> SuppressedAddress | None:
    kind = {"BOUNCE": HARD, "COMPLAINT": COMPLAINED}.get(text(row.get("Reason")))
    return _make_suppressed(row.get("EmailAddress"), kind, at=parse_time(row.get("LastUpdateTime")))


def _brevo(row: _Row) -> SuppressedAddress | None:
    why = row.get("reason")
    code, words = (text(why.get("code")), text(why.get("message"))) if isinstance(why, Mapping) else ("", "")
    kinds = {"hardBounce": HARD, "contactFlaggedAsSpam": COMPLAINED, "unsubscribedViaEmail": LEFT}
    return _make_suppressed(row.get("email"), kinds.get(code), at=parse_time(row.get("blockedAt")), said=words)


def _sparkpost(row: _Row) -> SuppressedAddress | None:
    kinds = {
        "Bounce Rule": HARD,
        "Spam Complaint": COMPLAINED,
        "FBL": COMPLAINED,
        "List Unsubscribe": LEFT,
        "Unsubscribe Link": LEFT,
    }
    kind = kinds.get(text(row.get("source")))
    at = parse_time(row.get("updated")) or parse_time(row.get("created"))
    return _make_suppressed(row.get("recipient"), kind, at=at, said=text(row.get("description")))


def _make_suppressed(
    address: object, kind: FeedbackKind | None, *, at: datetime | None, said: str = ""
) -> SuppressedAddress | None:
    """A refusal that was about us bars nobody (B5)."""
    if kind is None or (kind is HARD and said and classify_bounce(said) is not BounceClass.HARD):
        return None
    return SuppressedAddress(text(address, max_length=254), kind, at, text(said, max_length=200))


def _parse_mail_date(value: object) -> datetime | None:
    try:
        found = parsedate_to_datetime(text(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _no_next_page(parsed: object, url: str, rows: int) -> str:
    return ""


def _by_offset(parsed: object, url: str, rows: int) -> str:
    asked = _parse_query(url)
    return _replace_query(url, offset=str(int(asked["offset"]) + rows)) if rows >= int(asked["limit"]) else ""


def _mailgun_next(parsed: object, url: str, rows: int) -> str:
    """Its lists end with a page that is empty. Only the query of the next address is believed, not its host."""
    paging = parsed.get("paging") if isinstance(parsed, dict) else None
    following = text(paging.get("next"), max_length=2000) if isinstance(paging, Mapping) else ""
    query = urlsplit(following).query
    return f"{url.partition('?')[0]}?{query}" if rows and query else ""


def _ses_next(parsed: object, url: str, rows: int) -> str:
    token = text(parsed.get("NextToken"), max_length=4000) if isinstance(parsed, dict) else ""
    return _replace_query(url, NextToken=token) if token else ""


def _sparkpost_next(parsed: object, url: str, rows: int) -> str:
    links = parsed.get("links") if isinstance(parsed, dict) else None
    named = [links] if isinstance(links, Mapping) else links if isinstance(links, list) else []
    for link in named:
        if not isinstance(link, Mapping):
            continue
        href = text(link.get("next") or (link.get("href") if link.get("rel") == "next" else ""), max_length=4000)
        cursor = _parse_query(href).get("cursor", "")
        if rows and cursor:
            return _replace_query(url, cursor=cursor)
    return ""


def _parse_query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _replace_query(url: str, **changes: str) -> str:
    return f"{url.partition('?')[0]}?{urlencode({**_parse_query(url), **changes})}"
