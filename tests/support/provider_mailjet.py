"""Mailjet's Send API v3.1 for the fake provider: a status for each mail, and 400 if one of them is refused."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.provider_mailgun import ReceivedMail, RequestRefused
from tests.support.provider_templates import SECRET

MAILJET = "/v3.1/send"
# dev.mailjet.com/email/guides/send-api-v31, “List of forbidden headers”.
_FORBIDDEN = {
    "from",
    "sender",
    "subject",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "return-path",
    "list-id",
    "date",
    "message-id",
}


@dataclass(frozen=True)
class MailjetSend:
    """A list of complete mails; the answer has one row for each."""

    rows: list[dict[str, Any]] = field(repr=False)
    own_id = replay_key = ""
    content = b""
    refuses_replay = False

    @property
    def recipients(self) -> list[str]:
        return [row["To"][0]["Email"] for row in self.rows]

    def mail_for(self, address: str) -> ReceivedMail:
        row = next(row for row in self.rows if row["To"][0]["Email"] == address)
        assert (row["TrackOpens"], row["TrackClicks"]) == ("disabled", "disabled")
        delivery, _, batch = row["EventPayload"].partition(" ")
        assert delivery == row["CustomID"]
        return ReceivedMail(
            to=address,
            sender=f'"{row["From"]["Name"]}" <{row["From"]["Email"]}>',
            subject=row["Subject"],
            html=row["HTMLPart"],
            text=row["TextPart"],
            headers={**row["Headers"], "Reply-To": row.get("ReplyTo", {}).get("Email", "")},
            variables={"delivery": delivery, "batch": batch},
        )

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        rows = [
            _refuse(refused[to])
            if to in refused
            else {"Status": "success", "CustomID": "", "To": [{"Email": to, "MessageID": 7065021916500000 + n}]}
            for n, to in enumerate(self.recipients)
        ]
        return 400 if any(to in refused for to in self.recipients) else 200, {}, json.dumps({"Messages": rows}).encode()


def check_mailjet_key(headers: Any, *, key: str) -> None:
    """Raise RequestRefused if the pair of keys is wrong."""
    if headers.get("Authorization") != "Basic " + base64.b64encode(f"{key}:{SECRET}".encode()).decode():
        raise RequestRefused(401, "API key authentication/authorization failure.")


def read_mailjet_send(body: bytes) -> MailjetSend:
    """Return a parsed request, or raise RequestRefused."""
    rows = json.loads(body)["Messages"]
    if len(rows) > 50:
        raise RequestRefused(400, "At most 50 messages")
    names = {name.lower() for row in rows for name in row["Headers"]}
    if names & _FORBIDDEN:
        raise RequestRefused(400, f"send-0011: header cannot be customized: {names & _FORBIDDEN}")
    return MailjetSend(rows)


def _refuse(code: int | str) -> dict[str, Any]:
    """Return the row of a refused mail: ``code`` is a status, or the field that is wrong."""
    error = {
        "ErrorIdentifier": "88b5ca9f-5f1f-42e7-a45e-9ecbad0c285e",
        "ErrorCode": "mj-0013",
        "StatusCode": code if isinstance(code, int) else 400,
        "ErrorMessage": '"x@example.com" is an invalid email address.',
        "ErrorRelatedTo": ["To[0].Email" if isinstance(code, int) else code],
    }
    return {"Status": "error", "Errors": [error]}
