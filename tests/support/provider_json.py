"""The JSON send APIs of Postmark, Resend and SendGrid, for the fake provider: what they refuse and deliver."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.provider_mailgun import ReceivedMail, RequestRefused, SendRequest

PATHS = ("/email/batch", "/emails/batch", "/v3/mail/send")
POSTMARK_PATHS = ("/messages/", "/message-streams/", "/stats/")


@dataclass(frozen=True)
class PostmarkBatch:
    """A list of complete mails; the answer has one row for each."""

    rows: list[dict[str, Any]] = field(repr=False)
    own_id = replay_key = ""
    content = b""
    refuses_replay = False

    @property
    def recipients(self) -> list[str]:
        return [row["To"] for row in self.rows]

    def mail_for(self, address: str) -> ReceivedMail:
        row = next(row for row in self.rows if row["To"] == address)
        return ReceivedMail(
            to=address,
            sender=row["From"],
            subject=row["Subject"],
            html=row["HtmlBody"],
            text=row["TextBody"],
            headers={**{h["Name"]: h["Value"] for h in row["Headers"]}, "Reply-To": row.get("ReplyTo", "")},
            variables=row["Metadata"],
            tags=(row["Tag"],),
        )

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        rows = [
            {"ErrorCode": refused[to], "Message": "You tried to send to a recipient that is not allowed."}
            if to in refused
            else {"ErrorCode": 0, "Message": "OK", "MessageID": f"{provider_id}-{n}", "To": to}
            for n, to in enumerate(self.recipients)
        ]
        return 200, {}, json.dumps(rows).encode()


@dataclass(frozen=True)
class ResendBatch:
    """A list of complete mails with an idempotency key."""

    rows: list[dict[str, Any]] = field(repr=False)
    replay_key: str
    content: bytes = field(repr=False)
    own_id = ""
    refuses_replay = False

    @property
    def recipients(self) -> list[str]:
        return [row["to"][0] for row in self.rows]

    def mail_for(self, address: str) -> ReceivedMail:
        row = next(row for row in self.rows if row["to"] == [address])
        return ReceivedMail(
            to=address,
            sender=row["from"],
            subject=row["subject"],
            html=row["html"],
            text=row["text"],
            headers={**row["headers"], "Reply-To": row.get("reply_to", "")},
            variables={tag["name"]: tag["value"] for tag in row["tags"]},
        )

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, json.dumps({"data": [{"id": f"{provider_id}-{n}"} for n in range(len(self.rows))]}).encode()


@dataclass(frozen=True)
class SendGridSend:
    """One mail with a personalization for each recipient."""

    payload: dict[str, Any] = field(repr=False)
    own_id = replay_key = ""
    content = b""
    refuses_replay = False

    @property
    def recipients(self) -> list[str]:
        return [each["to"][0]["email"] for each in self.payload["personalizations"]]

    def mail_for(self, address: str) -> ReceivedMail:
        payload = self.payload
        person = next(each for each in payload["personalizations"] if each["to"][0]["email"] == address)

        def fill(text: str) -> str:
            for mark, value in person.get("substitutions", {}).items():
                text = text.replace(mark, value)
            return text

        parts = {each["type"]: fill(each["value"]) for each in payload["content"]}
        headers = {**payload.get("headers", {}), **person.get("headers", {})}
        return ReceivedMail(
            to=address,
            sender=f'"{payload["from"].get("name", "")}" <{payload["from"]["email"]}>',
            subject=fill(payload["subject"]),
            html=parts["text/html"],
            text=parts["text/plain"],
            headers={**headers, "Reply-To": payload.get("reply_to", {}).get("email", "")},
            variables=person["custom_args"],
            tags=tuple(payload["categories"]),
        )

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        return 202, {"X-Message-Id": provider_id.strip("<>")}, b""


def check_json_key(path: str, *, headers: Any, key: str) -> None:
    """Raise RequestRefused if the key is wrong."""
    of_postmark = path == "/email/batch" or path.startswith(POSTMARK_PATHS)
    given = headers.get("X-Postmark-Server-Token") if of_postmark else headers.get("Authorization")
    if given not in (key, f"Bearer {key}"):
        raise RequestRefused(401, "The key is not valid")


def read_json_send(path: str, *, body: bytes, headers: Any) -> SendRequest:
    """Return a parsed request, or raise RequestRefused as the provider of that path does."""
    try:
        parsed = json.loads(body)
    except ValueError:
        raise RequestRefused(400, "The body is not JSON") from None
    if path == "/email/batch":
        if len(parsed) > 500:
            raise RequestRefused(422, "Batch is too big")
        return PostmarkBatch(parsed)
    if path == "/emails/batch":
        if len(parsed) > 100:
            raise RequestRefused(422, "At most 100 emails")
        return ResendBatch(parsed, headers.get("Idempotency-Key", ""), body)
    people = parsed["personalizations"]
    addresses = [to["email"] for each in people for to in each["to"]]
    if len(people) > 1000 or len(set(addresses)) != len(addresses):
        raise RequestRefused(400, "personalizations are too many or have an address twice")
    if any(not isinstance(value, str) for each in people for value in each.get("substitutions", {}).values()):
        raise RequestRefused(400, "substitutions must be strings")
    return SendGridSend(parsed)
