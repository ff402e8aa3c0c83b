"""Answers of the fake provider about accepted mail: rows from its ledger in each API's form."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

from tests.support.provider_mailgun import ReceivedMail


def answer_query(path: str, query: str, *, taken: list[Any], domain: str) -> dict[str, Any] | None:
    """Return the JSON of an answer, or None for a path that no provider has."""
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    if path == f"/v3/{domain}/events":
        return {"items": _mailgun(taken, asked), "paging": {}}
    if path == "/messages/outbound":
        rows = _postmark(taken, asked)
        return {"TotalCount": len(rows), "Messages": rows[: int(asked["count"])]}
    if path == "/api/v1/events/message":
        rows = _sparkpost(taken, asked)
        return {"results": rows, "total_count": len(rows), "links": {}}
    if path == "/v3/smtp/statistics/events":
        return {"events": _brevo(taken, asked)}
    return None


def _mails(taken: list[Any]) -> Iterator[tuple[Any, ReceivedMail]]:
    for entry in taken:
        for address in entry.recipients:
            if entry.form is not None and address not in entry.refused:
                yield entry, entry.form.mail_for(address)


def _mailgun(taken: list[Any], asked: dict[str, str]) -> list[dict[str, Any]]:
    batch = [entry for entry in taken if entry.provider_id.strip("<>") == asked["message-id"]]
    return [
        {
            "event": "accepted",
            "recipient": mail.to,
            "message": {"headers": {"message-id": entry.provider_id.strip("<>")}},
        }
        for entry, mail in islice(_mails(batch), int(asked["limit"]))
    ]


def _postmark(taken: list[Any], asked: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"MessageID": f"{entry.provider_id}-{n}", "To": [{"Email": mail.to}], "Metadata": dict(mail.variables)}
        for n, (entry, mail) in enumerate(_mails(taken))
        if mail.variables.get("batch") == asked["metadata_batch"]
    ]


def _sparkpost(taken: list[Any], asked: dict[str, str]) -> list[dict[str, Any]]:
    """Return its events; its search matches a campaign if one word of the name is the same."""
    words = set(re.split(r"[ _-]", asked["campaigns"]))
    return [
        {
            "type": "injection",
            "campaign_id": mail.tags[0],
            "rcpt_to": mail.to,
            "rcpt_meta": dict(mail.variables),
            "transmission_id": entry.provider_id,
        }
        for entry, mail in _mails(taken)
        if mail.tags and words & set(re.split(r"[ _-]", mail.tags[0]))
    ]


def _brevo(taken: list[Any], asked: dict[str, str]) -> list[dict[str, Any]]:
    (tag,) = json.loads(asked["tags"])
    return [
        {"event": "requests", "email": mail.to, "messageId": entry.provider_id, "tag": json.dumps(mail.tags)}
        for entry, mail in _mails(taken)
        if tag in mail.tags
    ][: int(asked["limit"])]
