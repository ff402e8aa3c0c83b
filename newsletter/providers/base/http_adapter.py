"""The base of every adapter that calls a provider over HTTP.

It has the parts that are the same for all of them: one attempt, reading the answer, asking about a batch, lists and counts.
An adapter adds what only its provider has: addresses, headers, the payload, errors and the receipt.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar, Self, Unpack
from urllib.parse import urlencode

from newsletter.common.messages import Message
from newsletter.providers.base.batch_lookup import query_provider
from newsletter.providers.base.contract import (
    BatchCall,
    BatchLookup,
    HttpCaller,
    HttpRequest,
    Outcome,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.errors import OutcomeUnknown, RequestNotSent
from newsletter.providers.base.issue_counts import ask_for_counts
from newsletter.providers.base.json_values import Row, as_mapping, parse_json_or_none
from newsletter.providers.base.mail.json_texts import write_json
from newsletter.providers.base.prepared_batch import NO_VALID_ADDRESS, PreparedBatch, check_bytes, prepare_batch
from newsletter.providers.base.provider_adapter import AccountOptions, ProviderAdapter
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.base.responses import can_bisect, is_web_page, mask_provider_text, read_refusal
from newsletter.providers.base.suppression_lists import SuppressedAddress, SuppressionListQuery, read_pages
from newsletter.providers.base.transport import Transport

JSON_TYPE = "application/json"
_CONNECT_SECONDS = 5.0


class AdapterOptions(AccountOptions, total=False):
    """Optional settings of every adapter, besides its account."""

    transport: HttpCaller
    clock: Callable[[], datetime]


class HttpAdapter(ProviderAdapter):
    """One account of a provider. Threads may share it; ``close`` it when done.

    ``receipt_status`` is the only status with which a batch is accepted.
    ``may_bisect`` is False for a provider that refuses a recipient and never a batch because of one.
    """

    default_endpoint: ClassVar[str] = ""
    receipt_status: ClassVar[int] = 200
    read_seconds: ClassVar[float] = 90.0
    may_bisect: ClassVar[bool] = True
    send_path: str

    def __init__(self, *, key: str, **options: Unpack[AdapterOptions]) -> None:
        super().__init__(
            max_batch=options.get("max_batch"),
            people_per_second=options.get("people_per_second"),
            calls_per_second=options.get("calls_per_second"),
        )
        self._key = key
        self._secrets: tuple[str, ...] = (key,)
        self._auth: tuple[str, str] | None = None
        self._endpoint = options.get("endpoint") or self.default_endpoint
        self._transport = options.get("transport") or Transport()
        self._clock = options.get("clock") or _utc_now

    @classmethod
    def from_settings(cls, settings: ProviderSettings, **options: Unpack[AdapterOptions]) -> Self:
        """Return the adapter of an account. Override it for an account that is more than a key."""
        return cls(key=settings.key, **options)

    def deliver(self, call: BatchCall) -> Outcome:
        prepared = prepare_batch(call, capabilities=self._capabilities)
        outcome = self._attempt(prepared)
        return replace(outcome, people={**outcome.people, **prepared.rejections})

    def build(self, call: BatchCall) -> HttpRequest:
        """Return the request of a batch. The same batch makes the same bytes. Raise BadMail or BadBatch."""
        return self._build_request(prepare_batch(call, capabilities=self._capabilities))

    def close(self) -> None:
        self._transport.close()

    def _headers(self) -> dict[str, str]:
        """Return the headers of every request, with the key."""
        return {}

    def _batch_headers(self, prepared: PreparedBatch) -> dict[str, str]:
        """Return further headers of the request that sends a batch."""
        return {}

    @abstractmethod
    def _build_payload(self, prepared: PreparedBatch) -> object:
        """Return the JSON data of a batch's request. It may contain a ``JsonText``."""

    @abstractmethod
    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        """Return the outcome in a complete answer of ``receipt_status``, None if it is not the provider's usual receipt."""

    def _read_message(self, answer: ProviderResponse) -> str:
        """Return the provider's own message in an answer."""
        return str(as_mapping(parse_json_or_none(answer.body)).get("message") or "")

    def _read_message_and_fields(self, answer: ProviderResponse) -> str:
        """Return the message with the names of the fields that it is about, if they are apart from it."""
        return self._read_message(answer)

    def _read_error(self, answer: ProviderResponse, *, provider_message: str) -> Outcome | None:
        """Return the outcome of an error that means something else at this provider than its status says."""
        return None

    def _encode(self, prepared: PreparedBatch) -> tuple[bytes, str]:
        """Return the body of a batch's request and its content type."""
        return write_json(self._build_payload(prepared)), JSON_TYPE

    def _build_request(self, prepared: PreparedBatch) -> HttpRequest:
        return self._make_request(prepared, *self._encode(prepared))

    def _make_request(self, prepared: PreparedBatch, body: bytes, content_type: str) -> HttpRequest:
        check_bytes(body, capabilities=self._capabilities)
        headers = {**self._headers(), "Content-Type": content_type, **self._batch_headers(prepared)}
        timeout = (_CONNECT_SECONDS, self.read_seconds)
        return HttpRequest("POST", f"{self._endpoint}{self.send_path}", headers, body, self._auth, timeout)

    def _attempt(self, prepared: PreparedBatch) -> Outcome:
        if not prepared.people:
            return Outcome(Verdict.REJECTED, NO_VALID_ADDRESS)
        return self._send(self._build_request(prepared), prepared)

    def _send(self, request: HttpRequest, prepared: PreparedBatch) -> Outcome:
        """Call the provider once with the request of a batch, and read the answer."""
        try:
            answer = self._transport.call(request)
        except RequestNotSent as error:
            return Outcome(Verdict.NOT_SENT, error.message)
        except OutcomeUnknown as error:
            return Outcome(Verdict.UNCERTAIN, error.message)
        return self._read(answer, prepared)

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        message = self._mask(self._read_message(answer))
        if (outcome := self._read_error(answer, provider_message=message)) is not None:
            return outcome
        bisect = self.may_bisect and can_bisect(
            answer, text=self._read_message_and_fields(answer), people=len(prepared.people)
        )
        refusal = read_refusal(answer, provider=self.label, provider_message=message, now=self._clock(), bisect=bisect)
        if refusal is not None:
            return refusal
        if answer.status == self.receipt_status and answer.complete:
            receipt = self._read_receipt(answer, prepared)
            if receipt is not None:
                return receipt
        if is_web_page(answer):
            why = Message(
                "A web page answered instead of %(provider)s (answer %(status)s). Check the endpoint, and whether a proxy or the "
                "network’s sign-in page answered. It is not known whether this batch was accepted.",
                provider=self.label,
                status=answer.status,
            )
            # Every further batch would become uncertain too.
            return Outcome(Verdict.UNCERTAIN, why, stop=True)
        return self._unusual_receipt(answer)

    def _unusual_receipt(self, answer: ProviderResponse) -> Outcome:
        why = Message(
            "%(provider)s’s answer (%(status)s) is not its usual receipt. It may or may not have accepted this batch.",
            provider=self.label,
            status=answer.status,
        )
        return Outcome(Verdict.UNCERTAIN, why)

    def _accepted(self, provider_id: str, *, people: Mapping[int, tuple[Verdict, str]] | None = None) -> Outcome:
        reason = Message("Accepted by %(provider)s.", provider=self.label)
        return Outcome(Verdict.ACCEPTED, reason, provider_id=provider_id, people=people or {})

    def _mask(self, text: str) -> str:
        return mask_provider_text(text, secrets=self._secrets)

    def _get(self, url: str) -> HttpRequest:
        return HttpRequest("GET", url, self._headers(), b"", self._auth)

    def _query(self, path: str, parameters: Mapping[str, object]) -> Row | BatchLookup:
        """Return the JSON object that the provider answers, else what to say of a batch that nothing is known of."""
        return query_provider(
            self._get(f"{self._endpoint}{path}?{urlencode(parameters)}"),
            transport=self._transport,
            provider=self.label,
            secrets=self._secrets,
            now=self._clock(),
        )

    def _ask_for_counts(self, request: HttpRequest) -> object:
        """Return the JSON that the provider answers about its counts. Raise IssueCountsError."""
        return ask_for_counts(request, transport=self._transport, provider=self.label, now=self._clock())

    def _read_list(self, query: SuppressionListQuery) -> Iterator[list[SuppressedAddress]]:
        """Return the pages of a suppression list whose ``first_url`` is a path. Raise SuppressionListError."""
        return read_pages(
            replace(query, first_url=f"{self._endpoint}{query.first_url}"),
            request=self._get,
            transport=self._transport,
            provider=self.label,
            secrets=self._secrets,
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)
