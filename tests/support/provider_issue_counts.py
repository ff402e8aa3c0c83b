"""The fake provider's counts of an issue, and its records of people, in each API's form."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

METRICS = "/v1/analytics/metrics"
_ELSEWHERE = "https://api.elsewhere.invalid"
_EVENTS = {"accepted": "accepted", "delivered": "delivered", "failed": "bounced", "complained": "complained"}


@dataclass
class CountedIssue:
    """A provider's counts of a tag. ``people`` maps a figure's name to (delivery, key of its batch)."""

    accepted: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0
    suppressed: int = 0
    people: dict[str, list[tuple[int, str]]] = field(default_factory=dict)


def answer_metrics(body: bytes, counted: dict[str, CountedIssue]) -> dict[str, Any]:
    """Return Mailgun's metrics. The answer names another tag beside the one that was asked for."""
    asked = json.loads(body)
    wanted = {each["attribute"]: each["values"][0]["value"] for each in asked["filter"]["AND"]}
    rows = {wanted["tag"]: counted[wanted["tag"]]} if wanted["tag"] in counted else {}
    return {
        "resolution": asked["resolution"],
        "items": [
            {
                "dimensions": [{"dimension": "tag", "value": tag, "display_value": tag}],
                "metrics": {
                    "processed_count": issue.accepted,
                    "delivered_count": issue.delivered,
                    "permanent_failed_count": issue.bounced,
                    "complained_count": issue.complained,
                    "suppressed_bounces_count": issue.suppressed,
                },
            }
            for tag, issue in {**rows, "another-issue": CountedIssue(7, 7, 7, 7, 7)}.items()
        ],
    }


def answer_counts(path: str, query: str, counted: dict[str, CountedIssue], *, domain: str) -> Any:
    """Return the JSON of an answer to GET, or None for a path that is not about counts."""
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    if path.startswith("/stats/outbound"):
        return _postmark_stats(path, counted.get(asked["tag"], CountedIssue()))
    if path == "/messages/outbound" and "tag" in asked:
        return _postmark_messages(asked, counted.get(asked["tag"], CountedIssue()))
    if path == "/v3/categories/stats":
        return _sendgrid(asked["categories"], asked["start_date"], counted)
    if path == "/v3/smtp/statistics/aggregatedReport":
        issue = counted.get(asked["tag"], CountedIssue())
        return {"requests": issue.accepted, "delivered": issue.delivered, "spamReports": issue.complained}
    if path.startswith(f"/v3/{domain}/events/"):
        return {"items": [], "paging": {"next": f"{_ELSEWHERE}{path}"}}
    if path == f"/v3/{domain}/events" and "tags" in asked:
        rows = counted.get(asked["tags"], CountedIssue()).people.get(_EVENTS[asked["event"]], [])
        items = [
            {
                "event": asked["event"],
                "recipient": f"person{delivery}@example.com",
                "tags": [asked["tags"]],
                "user-variables": {"delivery": str(delivery), "batch": batch},
            }
            for delivery, batch in rows
        ]
        whole = {"event": "accepted", "tags": [asked["tags"]], "user-variables": {"delivery": "%recipient.did%"}}
        return {"items": [whole, *items], "paging": {"next": f"{_ELSEWHERE}{path}/next-page"}}
    return None


def _postmark_stats(path: str, issue: CountedIssue) -> dict[str, Any]:
    if path.endswith("/bounces"):
        return {"Days": [], "HardBounce": issue.bounced, "Transient": 4} if issue.bounced else {}
    return {"Sent": issue.accepted, "Bounced": issue.bounced + 4, "SpamComplaints": issue.complained, "Opens": 0}


def _postmark_messages(asked: dict[str, str], issue: CountedIssue) -> dict[str, Any]:
    rows = issue.people.get("accepted", [])
    messages = [
        {
            "MessageID": f"message-{delivery}",
            "Tag": asked["tag"],
            "To": [{"Email": f"person{delivery}@example.com"}],
            "Metadata": {"delivery": str(delivery), "batch": batch},
        }
        for delivery, batch in rows
    ]
    begin = int(asked["offset"])
    return {"TotalCount": len(rows), "Messages": messages[begin : begin + int(asked["count"])]}


def _sendgrid(category: str, start: str, counted: dict[str, CountedIssue]) -> list[dict[str, Any]]:
    """Return two days, with the counts of another category beside ours."""
    issue = counted.get(category)
    first = {"requests": 0, "delivered": 0, "bounces": 0, "blocks": 0, "bounce_drops": 0, "spam_reports": 0}
    other = {"type": "category", "name": "another-issue", "metrics": {**first, "requests": 9}}
    if issue is None:
        return [{"date": start, "stats": [other]}]
    second = {
        **first,
        "requests": issue.accepted,
        "delivered": issue.delivered,
        "bounces": issue.bounced,
        "spam_reports": issue.complained,
    }
    return [
        {"date": start, "stats": [{"type": "category", "name": category, "metrics": metrics}, other]}
        for metrics in (first, second)
    ]
