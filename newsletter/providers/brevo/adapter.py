"""Brevo: one call for a batch, personal values as params of message versions (developers.brevo.com, smtp/email).

All or nothing. Its idempotency key lives for half an hour (an older page says a quarter): a repeat within it is
refused, which is safe, and says only that Brevo has seen the batch.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

import orjson

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base import curly_variables
from newsletter.providers.base.attempt import PreparedBatch, attempt, check_bytes, prepare
from newsletter.providers.base.batch_lookup import NO_RECORD, ask, list_rows
from newsletter.providers.base.bisection import can_bisect
from newsletter.providers.base.contract import (
    BatchCall,
    BatchLookup,
    Capabilities,
    HttpRequest,
    Outcome,
    Person,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.errors import BadBatch
from newsletter.providers.base.headers import ascii_header
from newsletter.providers.base.responses import quote, read_json, read_refusal
from newsletter.providers.base.suppression_list_formats import brevo_list
from newsletter.providers.base.suppression_list_reader import SuppressedAddress, read_pages
from newsletter.providers.base.tags import make_ascii_tag
from newsletter.providers.base.tokens import CompiledText, clean_value, find_tokens
from newsletter.providers.base.transport import Transport

ENDPOINT = "https://api.brevo.com"
MAX_BATCH_SIZE = 1000
MAX_REQUEST_BYTES = 10_000_000
MAX_PERSON_VALUE_BYTES = 100_000
MAX_CALL_VALUE_BYTES = 1_000_000
CALLS_PER_SECOND = 100 / 60
REPLAY_SECONDS = 15 * 60


class Brevo:
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
        self._transport = transport or Transport()
        self._clock = clock
        self._capabilities = Capabilities(
            name="brevo",
            merge="substitute",
            max_batch=max_batch,
            max_bytes=MAX_REQUEST_BYTES,
            max_variable_bytes=MAX_PERSON_VALUE_BYTES,
            max_call_variable_bytes=MAX_CALL_VALUE_BYTES,
            idempotency="body",
            idempotency_seconds=REPLAY_SECONDS,
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

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask for any event that carries the batch's tag; Brevo takes a batch as a whole, so one speaks for all.

        Its list of batches (smtp/emailStatus) knows only mail that was scheduled for later, so it is not asked.
        """
        tag = make_ascii_tag(key)
        query = urlencode(
            {
                "tags": json.dumps([tag]),
                "startDate": sent_at.astimezone(UTC).date().isoformat(),
                "endDate": max(self._clock(), sent_at).astimezone(UTC).date().isoformat(),
                "limit": 50,
            }
        )
        request = HttpRequest("GET", f"{self._endpoint}/v3/smtp/statistics/events?{query}", self._headers(), b"")
        answer = ask(request, transport=self._transport, provider="Brevo", secrets=(self._key,), now=self._clock())
        if isinstance(answer, BatchLookup):
            return answer
        for row in list_rows(answer, "events"):
            if tag in _tags(row.get("tag")):
                return BatchLookup(
                    Verdict.ACCEPTED, Message("Brevo has records of this batch."), str(row.get("messageId") or "")
                )
        return BatchLookup(Verdict.UNCERTAIN, f"Brevo {NO_RECORD}")

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Give the account's blocked contacts. Raises SuppressionListError."""
        return read_pages(
            brevo_list(self._endpoint, since=since, now=self._clock()),
            request=lambda url: HttpRequest("GET", url, self._headers(), b""),
            transport=self._transport,
            provider="Brevo",
            secrets=(self._key,),
        )

    def close(self) -> None:
        self._transport.close()

    def _headers(self) -> dict[str, str]:
        return {"api-key": self._key, "Accept": "application/json", "Content-Type": "application/json"}

    def _request(self, prepared: PreparedBatch) -> HttpRequest:
        body = orjson.dumps(_payload(prepared))
        check_bytes(body, capabilities=self._capabilities)
        return HttpRequest("POST", f"{self._endpoint}/v3/smtp/email", self._headers(), body, None, (5.0, 90.0))

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        parsed = read_json(answer.body)
        row: Mapping[str, object] = parsed if isinstance(parsed, Mapping) else {}
        code, words = str(row.get("code") or ""), str(row.get("message") or "")
        said = quote(words, secrets=(self._key,))
        if answer.status == 400 and code in ("duplicate_parameter", "duplicate_request"):
            why = Message(
                "Brevo has seen this batch before and did not take it again. Whether it was mailed is not known."
            )
            return Outcome(Verdict.UNCERTAIN, Message('%(why)s It said: "%(said)s"', why=why, said=said))
        if answer.status == 400 and code in ("not_enough_credits", "account_under_validation", "permission_denied"):
            return Outcome(
                Verdict.REJECTED,
                Message('Brevo does not send for this account now. It said: "%(said)s"', said=said),
                stop=True,
            )
        bisect = can_bisect(answer, words=words, people=len(prepared.people))
        refusal = read_refusal(answer, provider="Brevo", said=said, now=self._clock(), bisect=bisect)
        if refusal is not None:
            return refusal
        ids = row.get("messageIds") or ([row["messageId"]] if row.get("messageId") else [])
        good = [each for each in ids if isinstance(each, str) and each] if isinstance(ids, list) else []
        if answer.status == 201 and answer.complete and len(good) == len(prepared.people):
            return Outcome(Verdict.ACCEPTED, Message("Taken by Brevo."), provider_id=good[0].strip("<>"))
        why = Message(
            "Brevo's answer (%(status)s) is not its usual receipt. It may or may not have taken this batch.",
            status=answer.status,
        )
        return Outcome(Verdict.UNCERTAIN, why)


def batch_uuid(key: str) -> str:
    """Give a batch's key in the form that Brevo wants (a version 4 UUID); the same key gives the same."""
    return str(uuid.UUID(bytes=hashlib.sha256(key.encode()).digest()[:16], version=4))


def _payload(prepared: PreparedBatch) -> dict[str, object]:
    call, mail = prepared.call, prepared.call.mail
    names = sorted(find_tokens(mail.html) | find_tokens(mail.text))
    subject = CompiledText(mail.subject)
    headers = {name: CompiledText(value) for name, value in prepared.headers.items()}
    versions = [_version(prepared, address, person, names, subject, headers) for address, person in prepared.people]
    _check_params(versions)
    payload: dict[str, object] = {
        "sender": {"email": mail.from_email, **({"name": mail.from_name} if mail.from_name else {})},
        "subject": versions[0]["subject"],
        # Brevo escapes every value for HTML, in the text part too; ours are escaped already for where they stand.
        "htmlContent": _unescaped(curly_variables.html(mail.html, write=_param)),
        "textContent": _unescaped(curly_variables.plain(mail.text, write=_param)),
        "messageVersions": versions,
        "tags": [make_ascii_tag(call.issue), make_ascii_tag(call.key)],
        "headers": {"idempotencyKey": batch_uuid(call.key)},
        "batchId": batch_uuid(call.key),
    }
    if mail.reply_to:
        payload["replyTo"] = {"email": mail.reply_to}
    return payload


def _version(
    prepared: PreparedBatch,
    address: str,
    person: Person,
    names: list[str],
    subject: CompiledText,
    headers: Mapping[str, CompiledText],
) -> dict[str, object]:
    values = {name: clean_value(name, person.variables[name]) for name in prepared.needed}
    ids = {"delivery": str(person.delivery), "batch": prepared.call.key, "issue": prepared.call.issue}
    version: dict[str, object] = {
        "to": [{"email": address}],
        "subject": curly_variables.plain(subject.fill(values), write=_param),
        "headers": {
            **{name: ascii_header(compiled.fill(values)) for name, compiled in headers.items()},
            "X-Mailin-custom": json.dumps(ids, separators=(",", ":")),
        },
    }
    if names:
        version["params"] = {name: curly_variables.value(name, values[name]) for name in names}
    return version


def _check_params(versions: list[dict[str, object]]) -> None:
    sizes = [len(orjson.dumps(version.get("params", {}))) for version in versions]
    if max(sizes) > MAX_PERSON_VALUE_BYTES or sum(sizes) > MAX_CALL_VALUE_BYTES:
        raise BadBatch(
            "The personal values of this batch come to %(sizes)s bytes, %(sizes_2)s for one person; Brevo "
            "takes %(most_value_bytes_of_all)s and %(most_value_bytes)s. Nothing was sent; use fewer people "
            "in a batch.",
            sizes=Quantity(sum(sizes)),
            sizes_2=Quantity(max(sizes)),
            most_value_bytes_of_all=Quantity(MAX_CALL_VALUE_BYTES),
            most_value_bytes=Quantity(MAX_PERSON_VALUE_BYTES),
        )


def _param(name: str) -> str:
    return f"{{{{params.{name}}}}}"


def _unescaped(text: str) -> str:
    return f"{{% autoescape off %}}{text}{{% endautoescape %}}"


def _tags(written: object) -> list[str]:
    """Give the tags of an event, which come as one text: a plain tag, or a JSON list of them."""
    text = written if isinstance(written, str) else ""
    listed = read_json(text.encode())
    return [str(each) for each in listed] if isinstance(listed, list) else [text]
