"""What an adapter takes and gives: a batch of people in, one HTTP request out, a verdict for each person back.

Pure data, no Django, no network. Personal values travel as ``variables``: name (without the ``__pv_`` fence) to value,
already escaped for where they stand (``h_`` HTML, ``u_`` URL inside HTML, ``t_`` plain text).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol, runtime_checkable

# What an adapter adds by itself: the envelope of a call, and for each person the address, ids and one-click headers.
CALL_OVERHEAD_BYTES = 20_000
PERSON_OVERHEAD_BYTES = 1_500


class Verdict(StrEnum):
    """What we know of one person after a call."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"


class Person(NamedTuple):
    """One recipient: our delivery id, the address as stored (adapters write its ASCII form), the personal values."""

    delivery: int
    address: str
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Mail:
    """One variant's mail, with ``__pv_<name>__`` tokens wherever a personal value goes.

    ``headers`` hold values that may contain tokens too (List-Unsubscribe does).
    """

    subject: str
    html: str
    text: str
    from_name: str
    from_email: str
    reply_to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchCall:
    """One API call's worth: the mail, its people, and ids of ours that every message carries.

    ``label`` is the variant's name for people ("English, near London"); where it is empty they see the key.
    """

    key: str
    issue: str
    variant: str
    mail: Mail
    people: Sequence[Person]
    label: str = ""


@dataclass(frozen=True)
class HttpRequest:
    """Deterministic bytes: the same batch builds the same request. ``timeout`` is (connect, read) seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    timeout: tuple[float, float] = (5.0, 30.0)


@dataclass(frozen=True)
class ProviderResponse:
    """What came back. ``headers`` has lower-case names; ``complete`` is False for a body cut short or too long."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True


@dataclass(frozen=True)
class Outcome:
    """The verdict of a call. ``verdict`` is for everybody, except the deliveries named in ``people``.

    ``retry_after`` is seconds, where the provider said so. ``stop`` asks the send to pause at once (bad key, suspended
    account). ``people`` maps a delivery id to (verdict, reason). Where anybody was accepted, or may have been,
    ``verdict`` is ACCEPTED or UNCERTAIN, so that those who have the mail are never part of what is tried again.
    ``bisect`` says that a refusal may be about one person or about the batch's size, so that smaller batches of the same
    people may be taken; it is never set where the refusal is known to be about the mail or our account.
    """

    verdict: Verdict
    reason: str = ""
    provider_id: str = ""
    retry_after: float | None = None
    stop: bool = False
    people: Mapping[int, tuple[Verdict, str]] = field(default_factory=dict)
    bisect: bool = False


@dataclass(frozen=True)
class BatchLookup:
    """What a provider's own records say of a batch. ``verdict`` is for everybody, except the deliveries in ``people``.

    ACCEPTED and REJECTED rest on a record that names our batch; no record is UNCERTAIN, for records come late.
    """

    verdict: Verdict
    reason: str = ""
    provider_id: str = ""
    retry_after: float | None = None
    people: Mapping[int, Verdict] = field(default_factory=dict)


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do and where its limits are; sending cuts and paces batches by this alone.

    Bytes are of JSON text (``measure``): ``max_variable_bytes`` for one person's values, ``max_call_variable_bytes``
    for those of a whole call. ``idempotency_seconds`` counts from the FIRST attempt: later a replay would mail twice.
    ``reconcile`` says how a batch whose fate is unknown is asked about: ``replay`` within those seconds, ``query`` by
    ``BatchFinder.find_batch``, ``events`` by webhooks alone; where a replay settled nothing, a ``BatchFinder`` is asked too.
    ``people_per_second`` and ``calls_per_second`` are what the organisation says it may use; None means no limit given.
    """

    name: str
    merge: Literal["substitute", "full"]
    max_batch: int
    max_bytes: int
    max_variable_bytes: int | None = None
    max_call_variable_bytes: int | None = None
    idempotency: Literal["none", "http_header", "body"] = "none"
    idempotency_seconds: int = 0
    reconcile: Literal["none", "replay", "query", "events"] = "none"
    atomic: bool = True
    rate_unit: Literal["people", "calls"] = "people"
    people_per_second: float | None = None
    calls_per_second: float | None = None

    def count_people_per_call(self, *, mail_bytes: int, variable_bytes: int) -> int:
        """Give how many people fit in one call, by count and by bytes; 0 where not even one does.

        ``mail_bytes`` is one mail without its values, ``variable_bytes`` the most that one person's values come to.
        """
        if self.max_variable_bytes is not None and variable_bytes > self.max_variable_bytes:
            return 0
        each, shared = PERSON_OVERHEAD_BYTES + variable_bytes, mail_bytes + CALL_OVERHEAD_BYTES
        if self.merge == "full":
            # A value stands in several places of one mail (subject, both parts, headers).
            each, shared = each + mail_bytes + 3 * variable_bytes, CALL_OVERHEAD_BYTES
        fits = min(self.max_batch, (self.max_bytes - shared) // each)
        if self.max_call_variable_bytes is not None and variable_bytes:
            fits = min(fits, self.max_call_variable_bytes // variable_bytes)
        return max(fits, 0)


class Adapter(Protocol):
    """One provider. ``deliver`` makes exactly one attempt and never raises for what the network or the provider does.

    It raises ``BadMail`` or ``BadBatch`` for what we ourselves hand it, before anything is sent.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    def deliver(self, call: BatchCall) -> Outcome: ...

    def close(self) -> None:
        """Close what is held open. The adapter may be used again afterwards."""


@runtime_checkable
class BatchFinder(Protocol):
    """An adapter whose provider can be asked what became of a batch."""

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask once. ``deliveries`` is everybody in the batch, ``sent_at`` (aware) when it was first sent. Never raises
        for what the network or the provider does: an answer that proves nothing is UNCERTAIN.
        """
