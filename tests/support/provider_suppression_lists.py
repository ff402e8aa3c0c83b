"""The fake provider's lists of addresses that it mails no more, as each API writes them, in pages."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

_ELSEWHERE = "https://api.elsewhere.invalid"
_MAILGUN = {"bounces": "hard", "complaints": "complaint", "unsubscribes": "left"}
_SENDGRID = {"bounces": "hard", "spam_reports": "complaint", "unsubscribes": "left"}
_POSTMARK = {"hard": "HardBounce", "complaint": "SpamComplaint", "left": "ManualSuppression"}
_BREVO = {"hard": "hardBounce", "complaint": "contactFlaggedAsSpam", "left": "unsubscribedViaEmail"}
_SPARKPOST = {"hard": "Bounce Rule", "complaint": "Spam Complaint", "left": "List Unsubscribe"}


@dataclass(frozen=True)
class ListedAddress:
    """One entry. ``kind`` is hard, complaint or left; Amazon has no list of those who left."""

    kind: str
    address: str
    at: datetime
    said: str = ""


def answer_suppression_list(path: str, query: str, suppressed: list[ListedAddress], *, domain: str, most: int) -> Any:
    """Give the JSON of a page, or None for a path that is no list."""
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    name = path.rpartition("/")[2]
    if path.startswith(f"/v3/{domain}/") and name in _MAILGUN:
        return _mailgun(path, [each for each in suppressed if each.kind == _MAILGUN[name]], asked, most=most)
    if path.startswith("/v3/suppression/") and name in _SENDGRID:
        chosen = [each for each in _since(suppressed, asked.get("start_time")) if each.kind == _SENDGRID[name]]
        return [_sendgrid_row(each) for each in _slice(chosen, asked)]
    if path.startswith("/message-streams/") and path.endswith("/suppressions/dump"):
        return {"Suppressions": [_postmark_row(each) for each in _since(suppressed, asked.get("fromdate"))]}
    if path == "/v2/email/suppression/addresses":
        return _ses(
            [each for each in _since(suppressed, asked.get("StartDate")) if each.kind != "left"], asked, most=most
        )
    if path == "/v3/smtp/blockedContacts":
        chosen = _since(suppressed, asked.get("startDate"))
        rows = [_brevo_row(each) for each in _slice(chosen, asked)]
        return {"count": len(chosen), **({"contacts": rows} if rows else {})}
    if path == "/api/v1/suppression-list":
        return _sparkpost(_since(suppressed, asked.get("from")), asked, most=most)
    return None


def _since(suppressed: list[ListedAddress], said: str | None) -> list[ListedAddress]:
    if said is None:
        return suppressed
    moment = datetime.fromtimestamp(int(said), UTC) if said.isdigit() else datetime.fromisoformat(said)
    begin = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return [each for each in suppressed if each.at >= begin]


def _slice(rows: list[ListedAddress], asked: dict[str, str]) -> list[ListedAddress]:
    offset = int(asked.get("offset", 0))
    return rows[offset : offset + int(asked["limit"])]


def _mailgun(path: str, rows: list[ListedAddress], asked: dict[str, str], *, most: int) -> dict[str, Any]:
    """Its pages go on until one is empty, and name another host than a test's."""
    at = int(asked.get("page_from", 0))
    items = [
        {
            "address": each.address,
            "created_at": format_datetime(each.at.astimezone(UTC)).replace("+0000", "UTC"),
            **({"code": "550", "error": each.said} if each.kind == "hard" else {}),
        }
        for each in rows[at : at + min(most, int(asked["limit"]))]
    ]
    following = urlencode({"limit": asked["limit"], "page": "next", "page_from": at + len(items)})
    return {"items": items, "paging": {"next": f"{_ELSEWHERE}{path}?{following}"}}


def _sendgrid_row(each: ListedAddress) -> dict[str, Any]:
    row: dict[str, Any] = {"email": each.address, "created": int(each.at.timestamp())}
    return {**row, "reason": each.said, "status": ""} if each.kind == "hard" else row


def _postmark_row(each: ListedAddress) -> dict[str, Any]:
    return {
        "EmailAddress": each.address,
        "SuppressionReason": _POSTMARK.get(each.kind, "ManualSuppression"),
        "Origin": "Customer" if each.kind == "staff" else "Recipient",
        "CreatedAt": each.at.isoformat(),
    }


def _ses(rows: list[ListedAddress], asked: dict[str, str], *, most: int) -> dict[str, Any]:
    at = int(asked.get("NextToken", "0"))
    chosen = rows[at : at + min(most, int(asked["PageSize"]))]
    page: dict[str, Any] = {
        "SuppressedDestinationSummaries": [
            {
                "EmailAddress": each.address,
                "Reason": "COMPLAINT" if each.kind == "complaint" else "BOUNCE",
                "LastUpdateTime": each.at.timestamp(),
            }
            for each in chosen
        ]
    }
    return {**page, "NextToken": str(at + len(chosen))} if at + len(chosen) < len(rows) else page


def _brevo_row(each: ListedAddress) -> dict[str, Any]:
    code = _BREVO.get(each.kind, "adminBlocked")
    return {
        "email": each.address,
        "senderEmail": "news@news.example.org",
        "reason": {"code": code, "message": each.said},
        "blockedAt": each.at.isoformat(),
    }


def _sparkpost(rows: list[ListedAddress], asked: dict[str, str], *, most: int) -> dict[str, Any]:
    at = 0 if asked["cursor"] == "initial" else int(asked["cursor"])
    chosen = rows[at : at + min(most, int(asked["per_page"]))]
    results = [
        {
            "recipient": each.address,
            "type": "non_transactional",
            "source": _SPARKPOST.get(each.kind, "Manually Added"),
            "description": each.said,
            "created": each.at.isoformat(),
            "updated": each.at.isoformat(),
        }
        for each in chosen
    ]
    following = f"/api/v1/suppression-list?cursor={at + len(chosen)}&per_page={asked['per_page']}"
    more = [{"href": following, "rel": "next"}] if at + len(chosen) < len(rows) else []
    return {"results": results, "links": more, "total_count": len(rows)}
