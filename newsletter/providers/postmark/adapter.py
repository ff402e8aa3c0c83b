"""Postmark: one call for a batch of complete mails (postmarkapp.com/developer, batch API).

Not all or nothing: an answer of 200 has one verdict for each message, in our order. No idempotency key exists.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import orjson

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.attempt import PreparedBatch, attempt, check_bytes, prepare
from newsletter.providers.base.batch_lookup import ask, combine_records, list_rows
from newsletter.providers.base.contract import (
    BatchCall,
    BatchLookup,
    Capabilities,
    HttpRequest,
    Outcome,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.full_merge import PersonalMail, merge_personal_mails
from newsletter.providers.base.headers import mailbox
from newsletter.providers.base.responses import quote, read_json, read_refusal
from newsletter.providers.base.row_verdicts import combine_row_verdicts
from newsletter.providers.base.suppression_list_formats import postmark_list
from newsletter.providers.base.suppression_list_reader import SuppressedAddress, read_pages
from newsletter.providers.base.transport import Transport

ENDPOINT = "https://api.postmarkapp.com"
MAX_BATCH_SIZE = 500
MAX_REQUEST_BYTES = 50_000_000
STREAM = "broadcast"
_RETRYABLE_ERRORS = {100, 429, 500, 503}
_ACCOUNT_ERRORS = {10, 400, 401, 405, 412, 413}


class Postmark:
    """The adapter. Safe to share between threads; ``close`` when done."""

    def __init__(
        self,
        *,
        token: str,
        endpoint: str = ENDPOINT,
        stream: str = STREAM,
        max_batch: int = 100,
        people_per_second: float | None = None,
        calls_per_second: float | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._token = token
        self._endpoint = endpoint
        self._url = f"{endpoint}/email/batch"
        self._stream = stream
        self._transport = transport or Transport()
        self._clock = clock
        self._capabilities = Capabilities(
            name="postmark",
            merge="full",
            max_batch=max_batch,
            max_bytes=MAX_REQUEST_BYTES,
            reconcile="query",
            atomic=False,
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

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask for the messages that carry the batch's id. Each person needs one of her own; none proves nothing."""
        batch = key[:80]
        query = urlencode(
            {
                "count": MAX_BATCH_SIZE,
                "offset": 0,
                "messagestream": self._stream,
                "metadata_batch": batch,
                # Postmark reads a date in its own zone, so a day is added.
                "fromdate": (sent_at - timedelta(days=1)).date().isoformat(),
            }
        )
        headers = {"Accept": "application/json", "X-Postmark-Server-Token": self._token}
        request = HttpRequest("GET", f"{self._endpoint}/messages/outbound?{query}", headers, b"")
        answer = ask(request, transport=self._transport, provider="Postmark", secrets=(self._token,), now=self._clock())
        if isinstance(answer, BatchLookup):
            return answer
        people: dict[int, Verdict] = {}
        first = ""
        for row in list_rows(answer, "Messages"):
            meta = row.get("Metadata")
            if not isinstance(meta, Mapping) or meta.get("batch") != batch:
                continue
            delivery = str(meta.get("delivery") or "")
            if re.fullmatch(r"\d{1,18}", delivery):
                people[int(delivery)] = Verdict.ACCEPTED
                first = first or str(row.get("MessageID") or "")
        return combine_records(people, deliveries=deliveries, provider="Postmark", provider_id=first)

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Give the stream's list. Raises SuppressionListError."""
        headers = {"Accept": "application/json", "X-Postmark-Server-Token": self._token}
        return read_pages(
            postmark_list(self._endpoint, stream=self._stream, since=since),
            request=lambda url: HttpRequest("GET", url, headers, b""),
            transport=self._transport,
            provider="Postmark",
            secrets=(self._token,),
        )

    def close(self) -> None:
        self._transport.close()

    def _request(self, prepared: PreparedBatch) -> HttpRequest:
        body = orjson.dumps([self._message(prepared, personal) for personal in merge_personal_mails(prepared)])
        check_bytes(body, capabilities=self._capabilities)
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-Postmark-Server-Token": self._token,
        }
        return HttpRequest("POST", self._url, headers, body, None, (5.0, 90.0))

    def _message(self, prepared: PreparedBatch, personal: PersonalMail) -> dict[str, object]:
        call, mail = prepared.call, prepared.call.mail
        message: dict[str, object] = {
            "From": mailbox(mail.from_name, mail.from_email),
            "To": personal.address,
            "Subject": personal.subject,
            "HtmlBody": personal.html,
            "TextBody": personal.text,
            "Headers": [{"Name": name, "Value": value} for name, value in personal.headers.items()],
            "Tag": call.issue[:1000],
            "TrackOpens": False,
            "TrackLinks": "None",
            "Metadata": {"delivery": str(personal.delivery), "batch": call.key[:80], "issue": call.issue[:80]},
            "MessageStream": self._stream,
        }
        if mail.reply_to:
            message["ReplyTo"] = mail.reply_to
        return message

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        parsed = read_json(answer.body)
        code, said = self._said(parsed)
        refusal = read_refusal(answer, provider="Postmark", said=said, now=self._clock())
        if refusal is not None:
            if code in _ACCOUNT_ERRORS and refusal.verdict is Verdict.REJECTED:
                return Outcome(refusal.verdict, refusal.reason, stop=True)
            return refusal
        if answer.status != 200 or not answer.complete or not isinstance(parsed, list):
            why = Message(
                "Postmark's answer (%(status)s) is not its usual receipt. It may have taken this batch.",
                status=answer.status,
            )
            return Outcome(Verdict.UNCERTAIN, why)
        if len(parsed) != len(prepared.people):
            why = Message(
                "Postmark answered for %(parsed)s messages and was given %(people)s.",
                parsed=Quantity(len(parsed)),
                people=Quantity(len(prepared.people)),
            )
            return Outcome(Verdict.UNCERTAIN, why + Message(" Which of them it took is not known."))
        pairs = list(zip(prepared.people, parsed, strict=True))
        taken = (str(row["MessageID"]) for row in parsed if isinstance(row, Mapping) and row.get("MessageID"))
        return combine_row_verdicts(
            {person.delivery: self._verdict(row, address) for (address, person), row in pairs},
            account_errors=[person.delivery for (_, person), row in pairs if self._said(row)[0] in _ACCOUNT_ERRORS],
            provider_id=next(taken, ""),
        )

    def _verdict(self, row: object, address: str) -> tuple[Verdict, str]:
        code, said = self._said(row)
        if not isinstance(row, Mapping) or code is None:
            return Verdict.UNCERTAIN, Message("Postmark's answer for this person cannot be read.")
        to = row.get("To")
        if isinstance(to, str) and to and to.lower() != address.lower():
            return Verdict.UNCERTAIN, Message("Postmark's answer in this person's place is about somebody else.")
        if code == 0:
            if isinstance(row.get("MessageID"), str) and row["MessageID"]:
                return Verdict.ACCEPTED, ""
            return Verdict.UNCERTAIN, Message("Postmark said yes without an id for the message.")
        if code in _RETRYABLE_ERRORS:
            return Verdict.THROTTLED, Message('Postmark asked to try this person later. It said: "%(said)s"', said=said)
        return Verdict.REJECTED, Message(
            'Postmark refused this person (code %(code)s). It said: "%(said)s"', code=code, said=said
        )

    def _said(self, row: object) -> tuple[int | None, str]:
        if not isinstance(row, Mapping):
            return None, ""
        code = row.get("ErrorCode")
        good = isinstance(code, int) and not isinstance(code, bool)
        return (code if good else None), quote(str(row.get("Message") or ""), secrets=(self._token,))
