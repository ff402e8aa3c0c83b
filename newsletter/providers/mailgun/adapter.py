"""Mailgun: one call for a batch, personal values as recipient variables (documentation.mailgun.com, v3 messages).

All or nothing: one answer is the verdict for everybody. No idempotency key exists, so nothing here may try twice.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.attempt import PreparedBatch, attempt, check_bytes, prepare
from newsletter.providers.base.batch_lookup import NO_RECORD, ask, list_rows
from newsletter.providers.base.bisection import can_bisect
from newsletter.providers.base.contract import (
    BatchCall,
    BatchLookup,
    Capabilities,
    HttpRequest,
    Outcome,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.errors import BadBatch
from newsletter.providers.base.headers import mailbox
from newsletter.providers.base.multipart import build_multipart
from newsletter.providers.base.responses import quote, read_json, read_refusal
from newsletter.providers.base.suppression_list_formats import mailgun_lists
from newsletter.providers.base.suppression_list_reader import SuppressedAddress, read_pages
from newsletter.providers.base.tokens import rename_tokens
from newsletter.providers.base.transport import Transport
from newsletter.providers.mailgun import text as mailgun_text
from newsletter.providers.mailgun.variables import VARIABLES, RecipientVariables

ENDPOINT = "https://api.mailgun.net"
MAX_BATCH_SIZE = 1000
MAX_REQUEST_BYTES = 25_000_000
MAX_OPTION_BYTES = 16 * 1024


class Mailgun:
    """The adapter. Safe to share between threads; ``close`` when done."""

    def __init__(
        self,
        *,
        key: str,
        domain: str,
        endpoint: str = ENDPOINT,
        max_batch: int = 500,
        people_per_second: float | None = None,
        calls_per_second: float | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._key = key
        self._domain = domain
        self._endpoint = endpoint
        self._url = f"{endpoint}/v3/{domain}/messages"
        self._transport = transport or Transport()
        self._clock = clock
        self._capabilities = Capabilities(
            name="mailgun",
            merge="substitute",
            max_batch=max_batch,
            max_bytes=MAX_REQUEST_BYTES,
            reconcile="query",
            people_per_second=people_per_second,
            calls_per_second=calls_per_second,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def deliver(self, call: BatchCall) -> Outcome:
        """Make one attempt. Raises BadMail or BadBatch, with nothing sent, where the call itself is at fault."""
        return attempt(
            prepare(call, capabilities=self._capabilities),
            transport=self._transport,
            build=self._request,
            read=self._read,
        )

    def build(self, call: BatchCall) -> HttpRequest:
        """Give the request of a batch. The same batch gives the same bytes. Raises BadMail or BadBatch."""
        return self._request(prepare(call, capabilities=self._capabilities))

    def fields(self, call: BatchCall) -> list[tuple[str, str]]:
        """Give the form's fields in order, before they become bytes; ``to`` comes once for each person."""
        prepared = prepare(call, capabilities=self._capabilities)
        table = RecipientVariables(prepared)
        return [*self._fields(prepared, table), (VARIABLES, table.as_json().decode())]

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask for any event of the batch's own Message-ID; Mailgun takes all or nothing, so one speaks for all."""
        mine = message_id(key, domain=self._domain)
        begin = int((sent_at - timedelta(minutes=5)).timestamp())
        query = urlencode({"message-id": mine, "begin": begin, "ascending": "yes", "limit": 10})
        request = HttpRequest("GET", f"{self._endpoint}/v3/{self._domain}/events?{query}", {}, b"", ("api", self._key))
        answer = ask(request, transport=self._transport, provider="Mailgun", secrets=(self._key,), now=self._clock())
        if isinstance(answer, BatchLookup):
            return answer
        for row in list_rows(answer, "items"):
            message = row.get("message")
            headers = message.get("headers") if isinstance(message, Mapping) else None
            if isinstance(headers, Mapping) and str(headers.get("message-id") or "").strip("<> ") == mine:
                return BatchLookup(Verdict.ACCEPTED, Message("Mailgun has records of this batch."), mine)
        return BatchLookup(Verdict.UNCERTAIN, f"Mailgun {NO_RECORD}")

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Give the domain's bounces, complaints and unsubscribes. Raises SuppressionListError."""
        for question in mailgun_lists(f"{self._endpoint}/v3/{self._domain}"):
            yield from read_pages(
                question,
                request=lambda url: HttpRequest("GET", url, {}, b"", ("api", self._key)),
                transport=self._transport,
                provider="Mailgun",
                secrets=(self._key,),
            )

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        said = quote(_message(answer), secrets=(self._key,))
        bisect = can_bisect(answer, words=_message(answer), people=len(prepared.people))
        refusal = read_refusal(answer, provider="Mailgun", said=said, now=self._clock(), bisect=bisect)
        if refusal is not None:
            return refusal
        parsed = read_json(answer.body) if answer.status == 200 and answer.complete else None
        provider_id = parsed.get("id") if isinstance(parsed, dict) else None
        if isinstance(provider_id, str) and provider_id.strip("<> "):
            return Outcome(Verdict.ACCEPTED, said, provider_id=provider_id.strip("<> "))
        why = Message(
            "Mailgun's answer (%(status)s) is not its usual receipt. It may or may not have taken this batch.",
            status=answer.status,
        )
        return Outcome(Verdict.UNCERTAIN, why)

    def close(self) -> None:
        self._transport.close()

    def _request(self, prepared: PreparedBatch) -> HttpRequest:
        table = RecipientVariables(prepared)
        fields = [(name, value.encode("utf-8")) for name, value in self._fields(prepared, table)]
        fields.append((VARIABLES, table.as_json()))
        body, content_type = build_multipart(fields, key=prepared.call.key)
        check_bytes(body, capabilities=self._capabilities)
        return HttpRequest("POST", self._url, {"Content-Type": content_type}, body, ("api", self._key), (5.0, 90.0))

    def _fields(self, prepared: PreparedBatch, table: RecipientVariables) -> list[tuple[str, str]]:
        """Everything but the table of values."""
        call, mail, good = prepared.call, prepared.call.mail, prepared.people
        subject = mailgun_text.plain(rename_tokens(mail.subject, table.shared))
        html = mailgun_text.html(rename_tokens(mail.html, table.shared))
        text = mailgun_text.plain(rename_tokens(mail.text, table.shared))
        written = {
            name: mailgun_text.header(rename_tokens(value, table.shared)) for name, value in prepared.headers.items()
        }
        mailgun_text.check_variables([subject, html, text, *written.values()], declared=set(table.names))
        options = [
            *((f"h:{name}", value) for name, value in written.items()),
            *([("h:Reply-To", mail.reply_to)] if mail.reply_to else []),
            ("h:Message-Id", f"<{message_id(call.key, domain=self._domain)}>"),
            ("o:tag", tag(call.issue)),
            ("o:tracking", "no"),
            ("o:tracking-clicks", "no"),
            ("o:tracking-opens", "no"),
            ("v:issue", mailgun_text.plain(call.issue)),
            ("v:variant", mailgun_text.plain(call.variant)),
            ("v:batch", mailgun_text.plain(call.key)),
            ("v:delivery", "%recipient.did%"),
        ]
        size = sum(len(name.encode()) + len(value.encode()) for name, value in options)
        if size > MAX_OPTION_BYTES:
            raise BadBatch(
                "The mail's headers and ids make %(size)s bytes and Mailgun takes %(most_option_bytes)s. "
                "Nothing was sent; shorten the publication's name or its other headers.",
                size=Quantity(size),
                most_option_bytes=Quantity(MAX_OPTION_BYTES),
            )
        return [
            ("from", mailbox(mailgun_text.plain(mail.from_name), mail.from_email)),
            *(("to", address) for address, _ in good),
            ("subject", subject),
            ("text", text),
            ("html", html),
            *options,
        ]


def message_id(key: str, *, domain: str) -> str:
    """Give the fixed Message-ID of a batch (without angle brackets), by which Mailgun can be asked about it later."""
    local = (
        key
        if re.fullmatch(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*", key) and len(key) <= 64
        else hashlib.sha256(key.encode()).hexdigest()[:40]
    )
    return f"{local}@{domain}"


def tag(issue: str) -> str:
    """Give an issue's name as a tag of Mailgun: ASCII, at most 128 characters."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", issue).strip("-")[:128] or "newsletter"


def _message(answer: ProviderResponse) -> str:
    parsed = read_json(answer.body)
    if isinstance(parsed, dict):
        return str(parsed.get("message") or parsed.get("error") or "")
    text = answer.body[:400].decode("utf-8", "replace")
    return "" if "<" in text else text
