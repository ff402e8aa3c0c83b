"""SendGrid: one call for a batch, personal values as substitutions (twilio.com/docs/sendgrid, v3 mail send).

All or nothing. No idempotency key exists, so nothing here may try twice.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import orjson

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.attempt import PreparedBatch, attempt, check_bytes, prepare
from newsletter.providers.base.bisection import can_bisect
from newsletter.providers.base.contract import (
    BatchCall,
    Capabilities,
    HttpRequest,
    Outcome,
    Person,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.providers.base.headers import ascii_header
from newsletter.providers.base.responses import quote, read_json, read_refusal
from newsletter.providers.base.suppression_list_formats import sendgrid_lists
from newsletter.providers.base.suppression_list_reader import SuppressedAddress, read_pages
from newsletter.providers.base.tokens import TOKEN, CompiledText, clean_value, find_tokens
from newsletter.providers.base.transport import Transport

ENDPOINT = "https://api.sendgrid.com"
MAX_BATCH_SIZE = 1000
MAX_REQUEST_BYTES = 30_000_000
MAX_PERSON_VALUE_BYTES = 10_000


class SendGrid:
    """The adapter. Safe to share between threads; ``close`` when done."""

    def __init__(
        self,
        *,
        key: str,
        endpoint: str = ENDPOINT,
        max_batch: int = MAX_BATCH_SIZE,
        people_per_second: float | None = None,
        calls_per_second: float | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._key = key
        self._endpoint = endpoint
        self._url = f"{endpoint}/v3/mail/send"
        self._transport = transport or Transport()
        self._clock = clock
        self._capabilities = Capabilities(
            name="sendgrid",
            merge="substitute",
            max_batch=max_batch,
            max_bytes=MAX_REQUEST_BYTES,
            max_variable_bytes=MAX_PERSON_VALUE_BYTES,
            reconcile="events",
            people_per_second=people_per_second,
            calls_per_second=calls_per_second,
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

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Give the account's bounces, spam reports and global unsubscribes. Raises SuppressionListError."""
        for question in sendgrid_lists(self._endpoint, since=since):
            yield from read_pages(
                question,
                request=lambda url: HttpRequest("GET", url, {"Authorization": f"Bearer {self._key}"}, b""),
                transport=self._transport,
                provider="SendGrid",
                secrets=(self._key,),
            )

    def close(self) -> None:
        self._transport.close()

    def _request(self, prepared: PreparedBatch) -> HttpRequest:
        body = orjson.dumps(_payload(prepared))
        check_bytes(body, capabilities=self._capabilities)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        return HttpRequest("POST", self._url, headers, body, None, (5.0, 90.0))

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        said = quote(_errors(answer), secrets=(self._key,))
        bisect = can_bisect(answer, words=_errors(answer, fields=True), people=len(prepared.people))
        refusal = read_refusal(answer, provider="SendGrid", said=said, now=self._clock(), bisect=bisect)
        if refusal is not None:
            return refusal
        provider_id = answer.headers.get("x-message-id", "").strip()
        if answer.status == 202 and answer.complete and provider_id:
            return Outcome(Verdict.ACCEPTED, Message("Taken by SendGrid."), provider_id=provider_id)
        why = Message(
            "SendGrid's answer (%(status)s) is not its usual receipt. It may or may not have taken this batch.",
            status=answer.status,
        )
        return Outcome(Verdict.UNCERTAIN, why)


def _payload(prepared: PreparedBatch) -> dict[str, object]:
    call, mail = prepared.call, prepared.call.mail
    mark = "pv" + hashlib.sha256(call.key.encode()).hexdigest()[:12]
    if any(mark in part for part in (mail.subject, mail.html, mail.text)):
        raise BadMail("The mail holds the mark of its own personal fields. Prepare the send again.")

    def write(text: str) -> str:
        return TOKEN.sub(lambda match: f"%%{mark}_{match.group(1)}%%", text)

    names = sorted(find_tokens(mail.subject) | find_tokens(mail.html) | find_tokens(mail.text))
    personal = {name: CompiledText(value) for name, value in prepared.headers.items() if find_tokens(value)}
    common = {name: ascii_header(value) for name, value in prepared.headers.items() if name not in personal}
    people = [
        _personalization(prepared, address, person, {f"%%{mark}_{name}%%": name for name in names}, personal)
        for address, person in prepared.people
    ]
    payload: dict[str, object] = {
        "personalizations": people,
        "from": {"email": mail.from_email, **({"name": mail.from_name} if mail.from_name else {})},
        "subject": write(mail.subject),
        "content": [
            {"type": "text/plain", "value": write(mail.text)},
            {"type": "text/html", "value": write(mail.html)},
        ],
        "categories": [re.sub(r"[^\x21-\x7e]+", "-", call.issue)[:255] or "newsletter"],
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
        },
    }
    if common:
        payload["headers"] = common
    if mail.reply_to:
        payload["reply_to"] = {"email": mail.reply_to}
    return payload


def _personalization(
    prepared: PreparedBatch, address: str, person: Person, marks: Mapping[str, str], headers: Mapping[str, CompiledText]
) -> dict[str, object]:
    values = {name: clean_value(name, person.variables[name]) for name in prepared.needed}
    substitutions = {mark: values[name] for mark, name in marks.items()}
    size = sum(len(mark) + len(value.encode("utf-8")) for mark, value in substitutions.items())
    if size > MAX_PERSON_VALUE_BYTES:
        raise BadBatch(
            "Delivery %(delivery)s has personal values of %(size)s bytes; SendGrid takes "
            "%(most_value_bytes)s. Nothing of this batch was sent.",
            delivery=person.delivery,
            size=Quantity(size),
            most_value_bytes=Quantity(MAX_PERSON_VALUE_BYTES),
        )
    entry: dict[str, object] = {
        "to": [{"email": address}],
        "custom_args": {"delivery": str(person.delivery), "batch": prepared.call.key, "issue": prepared.call.issue},
    }
    if substitutions:
        entry["substitutions"] = substitutions
    if headers:
        entry["headers"] = {name: ascii_header(compiled.fill(values)) for name, compiled in headers.items()}
    return entry


def _errors(answer: ProviderResponse, *, fields: bool = False) -> str:
    parsed = read_json(answer.body)
    rows = parsed.get("errors") if isinstance(parsed, Mapping) else None
    if not isinstance(rows, list):
        return ""
    named = [row for row in rows[:5] if isinstance(row, Mapping)]
    words = "; ".join(str(row.get("message") or "") for row in named)
    # Under a person's entry there may be a field that is ours (personalizations.0.substitutions), and so about one too.
    return words if not fields else words + "; " + "; ".join(str(row.get("field") or "") for row in named)
