"""Resend: one call for a batch of complete mails (resend.com/docs, batch), with a key that makes a replay harmless.

All or nothing (strict mode, its default). For a day, the same batch with the same bytes is sent once.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import orjson

from newsletter.common.messages import Message
from newsletter.providers.base.attempt import PreparedBatch, attempt, check_bytes, prepare
from newsletter.providers.base.bisection import can_bisect
from newsletter.providers.base.contract import BatchCall, Capabilities, HttpRequest, Outcome, ProviderResponse, Verdict
from newsletter.providers.base.full_merge import PersonalMail, merge_personal_mails
from newsletter.providers.base.headers import ascii_header, mailbox
from newsletter.providers.base.responses import quote, read_json, read_refusal, read_retry_after
from newsletter.providers.base.transport import Transport

ENDPOINT = "https://api.resend.com"
MAX_BATCH_SIZE = 100
MAX_REQUEST_BYTES = 10_000_000
CALLS_PER_SECOND = 2.0
_IN_FLIGHT_WAIT = 10.0


class Resend:
    """The adapter. Safe to share between threads; ``close`` when done."""

    def __init__(
        self,
        *,
        key: str,
        endpoint: str = ENDPOINT,
        max_batch: int = 50,
        people_per_second: float | None = None,
        calls_per_second: float | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._key = key
        self._url = f"{endpoint}/emails/batch"
        self._transport = transport or Transport()
        self._clock = clock
        self._capabilities = Capabilities(
            name="resend",
            merge="full",
            max_batch=max_batch,
            max_bytes=MAX_REQUEST_BYTES,
            idempotency="http_header",
            idempotency_seconds=24 * 3600,
            reconcile="replay",
            rate_unit="calls",
            people_per_second=people_per_second,
            calls_per_second=calls_per_second or CALLS_PER_SECOND,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def deliver(self, call: BatchCall) -> Outcome:
        """Make one attempt. Raises BadMail or BadBatch, with nothing sent, where the call itself is at fault."""
        prepared = prepare(call, capabilities=self._capabilities)
        return attempt(prepared, transport=self._transport, build=self._request, read=self._read)

    def build(self, call: BatchCall) -> HttpRequest:
        """Give the request of a batch. The same batch gives the same bytes. Raises BadMail or BadBatch."""
        return self._request(prepare(call, capabilities=self._capabilities))

    def close(self) -> None:
        self._transport.close()

    def _request(self, prepared: PreparedBatch) -> HttpRequest:
        body = orjson.dumps([_message(prepared, personal) for personal in merge_personal_mails(prepared)])
        check_bytes(body, capabilities=self._capabilities)
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key(prepared.call.key),
        }
        return HttpRequest("POST", self._url, headers, body, None, (5.0, 90.0))

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        parsed = read_json(answer.body)
        row = parsed if isinstance(parsed, Mapping) else {}
        said = quote(str(row.get("message") or ""), secrets=(self._key,))
        if answer.status == 409:
            return self._read_conflict(answer, str(row.get("name") or ""), said)
        bisect = can_bisect(answer, words=str(row.get("message") or ""), people=len(prepared.people))
        refusal = read_refusal(answer, provider="Resend", said=said, now=self._clock(), bisect=bisect)
        if refusal is not None:
            return refusal
        ids = _ids(row) if answer.status == 200 and answer.complete else []
        if len(ids) == len(prepared.people):
            return Outcome(Verdict.ACCEPTED, Message("Taken by Resend."), provider_id=ids[0])
        why = Message(
            "Resend's answer (%(status)s) is not its usual receipt. It may or may not have taken this batch.",
            status=answer.status,
        )
        return Outcome(Verdict.UNCERTAIN, why)

    def _read_conflict(self, answer: ProviderResponse, name: str, said: str) -> Outcome:
        if name == "concurrent_idempotent_requests":
            wait = read_retry_after(answer, now=self._clock()) or _IN_FLIGHT_WAIT
            return Outcome(
                Verdict.THROTTLED,
                Message("Resend is still busy with an earlier call of this very batch."),
                retry_after=wait,
            )
        # Somebody left or moved between the call and its repeat: that is about this batch, not about the send.
        why = Message(
            'Resend was called with this batch before, and with other content. It said: "%(said)s"', said=said
        )
        return Outcome(Verdict.UNCERTAIN, why + Message(" Look at what it sent before sending again."))


def idempotency_key(key: str) -> str:
    """Give a batch's key as a header of at most 256 ASCII characters."""
    return key if re.fullmatch(r"[A-Za-z0-9._:/-]{1,256}", key) else hashlib.sha256(key.encode()).hexdigest()


def _message(prepared: PreparedBatch, personal: PersonalMail) -> dict[str, object]:
    call, mail = prepared.call, prepared.call.mail
    tags = {"issue": call.issue, "batch": call.key, "delivery": str(personal.delivery)}
    message: dict[str, object] = {
        "from": mailbox(mail.from_name, mail.from_email),
        "to": [personal.address],
        "subject": personal.subject,
        "html": personal.html,
        "text": personal.text,
        "headers": {name: ascii_header(value) for name, value in personal.headers.items()},
        "tags": [{"name": name, "value": _tag(value)} for name, value in tags.items()],
    }
    if mail.reply_to:
        message["reply_to"] = mail.reply_to
    return message


def _tag(value: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", value)[:256]


def _ids(row: Mapping[str, object]) -> list[str]:
    data = row.get("data")
    if not isinstance(data, list):
        return []
    return [each["id"] for each in data if isinstance(each, Mapping) and isinstance(each.get("id"), str) and each["id"]]
