"""What an adapter takes and gives: a batch of people in, one HTTP request out, a verdict for each person back.

Pure data, no Django, no network. Personal values travel as ``variables``: name (without the ``__pv_`` fence) to value,
already escaped for where they stand (``h_`` HTML, ``u_`` URL inside HTML, ``t_`` plain text).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol


class Verdict(StrEnum):
    """What we know of one person after a call."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Person:
    """One recipient: our delivery id, the address in ASCII form (IDN domain in punycode), and the personal values."""

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
class HttpAnswer:
    """What came back. ``headers`` has lower-case names; ``complete`` is False for a body cut short or too long."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True


@dataclass(frozen=True)
class Outcome:
    """The verdict of a call. ``verdict`` is for everybody, except the deliveries named in ``people``.

    ``retry_after`` is seconds, where the provider said so. ``stop`` asks the send to pause at once (bad key, suspended
    account). ``people`` maps a delivery id to (verdict, reason).
    """

    verdict: Verdict
    reason: str = ""
    provider_id: str = ""
    retry_after: float | None = None
    stop: bool = False
    people: Mapping[int, tuple[Verdict, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do and where its limits are; sending cuts and paces batches by this alone.

    ``people_per_second`` and ``calls_per_second`` are what the organisation says it may use; None means no limit given.
    """

    name: str
    merge: Literal["substitute", "full"]
    max_batch: int
    max_bytes: int
    max_variable_bytes: int | None = None
    idempotency: Literal["none", "http_header", "body"] = "none"
    idempotency_seconds: int = 0
    reconcile: Literal["none", "replay", "query", "events"] = "none"
    atomic: bool = True
    rate_unit: Literal["people", "calls"] = "people"
    people_per_second: float | None = None
    calls_per_second: float | None = None


class Adapter(Protocol):
    """One provider. ``deliver`` makes exactly one attempt and never raises for what the network or the provider does.

    It raises ``BadMail`` or ``BadBatch`` for what we ourselves hand it, before anything is sent.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    def deliver(self, call: BatchCall) -> Outcome: ...

    def close(self) -> None:
        """Close what is held open. The adapter may be used again afterwards."""
