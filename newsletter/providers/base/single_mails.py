"""Adapters of providers that take one person's mail in a call: a batch is as many calls, one after another.

After an answer that would meet every further mail too, the rest is not sent: trying it again is safe.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple, Unpack

from newsletter.common.messages import Message
from newsletter.providers.base.contract import BatchCall, HttpRequest, Outcome, ProviderResponse, Verdict
from newsletter.providers.base.http_adapter import JSON_TYPE, AdapterOptions, HttpAdapter
from newsletter.providers.base.mail.json_texts import write_json
from newsletter.providers.base.prepared_batch import NO_VALID_ADDRESS, PreparedBatch, prepare_batch
from newsletter.providers.base.responses import can_bisect, combine_row_verdicts, quote_provider

BEGIN_SECONDS = 45.0
"""A batch begins no further call after these seconds, so that a slow provider does not outlast the lease of the batch."""
SINGLE_MAIL_BATCH = 10
"""So few mails of a batch stay uncertain if the program ends among them."""
MAX_SINGLE_MAIL_BATCH = 100
_REFUSED_CONTENT = (400, 413, 422)


class _ReadyMail(NamedTuple):
    """One person's batch and its request."""

    delivery: int
    prepared: PreparedBatch
    request: HttpRequest


class SingleMailAdapter(HttpAdapter):
    """An account of a provider that takes one person's mail in a call."""

    read_seconds: ClassVar[float] = 30.0
    may_bisect: ClassVar[bool] = False

    def __init__(self, *, key: str, **options: Unpack[AdapterOptions]) -> None:
        super().__init__(key=key, **options)
        self._seconds: Callable[[], float] = time.monotonic

    def build(self, call: BatchCall) -> HttpRequest:
        """Return the request of the batch's first mail. The same batch makes the same bytes. Raise BadMail or BadBatch."""
        prepared = prepare_batch(call, capabilities=self._capabilities)
        return self._build_request(replace(prepared, people=prepared.people[:1]))

    @abstractmethod
    def _build_messages(self, prepared: PreparedBatch) -> Iterable[Mapping[str, object]]:
        """Return the JSON data of each person's mail, in the batch's order. It may contain a ``JsonText``."""

    @abstractmethod
    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        """Return the outcome in a complete answer of ``receipt_status`` for the one person in ``prepared``."""

    def _list_refused_fields(self, answer: ProviderResponse) -> Sequence[str]:
        """Return the names of the fields that a refusal is about, such as ``to``; none if the provider does not say."""
        return ()

    def _build_payload(self, prepared: PreparedBatch) -> Mapping[str, object]:
        (message,) = self._build_messages(prepared)
        return message

    def _attempt(self, prepared: PreparedBatch) -> Outcome:
        if not prepared.people:
            return Outcome(Verdict.REJECTED, NO_VALID_ADDRESS)
        # All requests are made before the first is sent: one that cannot be made stops the batch with nobody mailed.
        messages = self._build_messages(prepared)
        return self._send_each(
            [
                self._make_ready(replace(prepared, people=[person]), message)
                for person, message in zip(prepared.people, messages, strict=True)
            ]
        )

    def _make_ready(self, single: PreparedBatch, message: Mapping[str, object]) -> _ReadyMail:
        ((_, recipient),) = single.people
        return _ReadyMail(recipient.delivery, single, self._make_request(single, write_json(message), JSON_TYPE))

    def _send_each(self, mails: Sequence[_ReadyMail]) -> Outcome:
        began = self._seconds()
        outcomes: dict[int, Outcome] = {}
        for mail in mails:
            outcomes[mail.delivery] = outcome = self._send(mail.request, mail.prepared)
            outcome_of_rest = _find_rest(outcome, provider=self.label)
            if outcome_of_rest is None and self._seconds() - began > BEGIN_SECONDS:
                why = Message("%(provider)s is slow; the rest of the batch follows.", provider=self.label)
                outcome_of_rest = Outcome(Verdict.NOT_SENT, why)
            if outcome_of_rest is not None:
                outcomes = {**dict.fromkeys((unsent.delivery for unsent in mails), outcome_of_rest), **outcomes}
                break
        return _combine(outcomes)

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        """Distinguish a refused person from a refused mail. A refused mail stops the send: it would be refused for everybody."""
        outcome = super()._read(answer, prepared)
        if outcome.verdict is not Verdict.REJECTED or outcome.stop or answer.status not in _REFUSED_CONTENT:
            return outcome
        text = self._mask(self._read_message(answer))
        if self._is_about_person(answer):
            why = Message(
                "%(provider)s refused this person (answer %(status)s).", provider=self.label, status=answer.status
            )
            return replace(outcome, reason=quote_provider(why, text))
        why = Message(
            "%(provider)s refused the mail because of our account or its content (answer %(status)s).",
            provider=self.label,
            status=answer.status,
        )
        return replace(outcome, reason=quote_provider(why, text), stop=True)

    def _is_about_person(self, answer: ProviderResponse) -> bool:
        """Return True if the mail of another person may be accepted."""
        if fields := self._list_refused_fields(answer):
            return any(field.partition(".")[0] == "to" for field in fields)
        # As if the batch had two people: by the words of the refusal.
        return can_bisect(answer, text=self._read_message_and_fields(answer), people=2)


def _find_rest(outcome: Outcome, *, provider: str) -> Outcome | None:
    """Return what to say of the mails after this one if they must not be sent now."""
    if outcome.verdict is Verdict.UNCERTAIN:
        why = Message(
            "%(provider)s’s answer to the mail before was unclear; the rest of the batch follows.", provider=provider
        )
        return Outcome(Verdict.NOT_SENT, why)
    is_for_all = outcome.stop or outcome.verdict in (Verdict.THROTTLED, Verdict.NOT_SENT)
    return outcome if is_for_all else None


def _combine(outcomes: dict[int, Outcome]) -> Outcome:
    """Return one outcome. An error that would affect every mail stops the send, unless the provider accepted another mail."""
    waits = [outcome.retry_after for outcome in outcomes.values() if outcome.retry_after is not None]
    stopping = {delivery: outcome for delivery, outcome in outcomes.items() if outcome.stop}
    combined = combine_row_verdicts(
        {delivery: (outcome.verdict, outcome.reason) for delivery, outcome in outcomes.items()},
        account_errors={delivery for delivery, outcome in stopping.items() if outcome.verdict is not Verdict.UNCERTAIN},
        provider_id=next((outcome.provider_id for outcome in outcomes.values() if outcome.provider_id), ""),
        retry_after=max(waits, default=None),
    )
    return replace(combined, stop=True) if stopping and combined.verdict is Verdict.UNCERTAIN else combined
