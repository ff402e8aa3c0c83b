"""The types between sending and its providers: sending passes a batch of recipients, the provider returns a verdict for each.

Personal values are ``variables``: a token's name (``h_first_name``) to its value, already escaped for its context
(``h_`` in HTML, ``u_`` a URL inside HTML, ``t_`` in plain text).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import orjson

# What adapters add to a mail: the envelope of a call, and each recipient's address, ids and one-click headers.
CALL_OVERHEAD_BYTES = 20_000
PERSON_OVERHEAD_BYTES = 1_500


class Verdict(StrEnum):
    """The result of an attempt for a recipient."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"


class Recipient(NamedTuple):
    """Our delivery id, the address as stored (adapters write its ASCII form) and the personal values."""

    delivery: int
    address: str
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Mail:
    """One variant's mail, with a ``__pv_<name>__`` token wherever a personal value goes, also in ``headers``."""

    subject: str
    html: str
    text: str
    from_name: str
    from_email: str
    reply_to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchCall:
    """The content of one API call: the mail, its recipients, and our ids that every message carries.

    ``label`` is the variant's name that staff see ("English, near London"), "" for its key. ``mailing`` names the mailing in
    which a delivery id is unique, also if its batch changes; "" for a mail that has only its batch.
    """

    key: str
    issue: str
    variant: str
    mail: Mail
    people: Sequence[Recipient]
    label: str = ""
    mailing: str = ""


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request. ``timeout`` is (connect, read) seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    timeout: tuple[float, float] = (5.0, 30.0)


@dataclass(frozen=True)
class ProviderResponse:
    """An HTTP answer. ``headers`` have lower-case names; ``complete`` is False for a body cut short or too long."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True


@dataclass(frozen=True)
class DnsRecords:
    """The DNS records that a provider asks its customers for: its SPF include, and its usual DKIM selectors.

    ``spf`` is "" if the provider sends bounces to its own domain. ``selectors`` are empty if its keys have no fixed names.
    """

    spf: str = ""
    selectors: tuple[str, ...] = ()
    needs_spf: bool = False


@dataclass(frozen=True)
class MailDomains:
    """The names in a mail that depend on the settings of an account, "" for names that they do not have.

    ``signing`` is the domain of the DKIM signature, ``bounce`` that of the return path. ``server`` is the mail server that
    accepts the mail and may send it itself.
    """

    signing: str = ""
    bounce: str = ""
    server: str = ""


@dataclass(frozen=True)
class Outcome:
    """The verdict of an attempt: ``verdict`` for every delivery that ``people`` does not name with its own reason.

    If anybody was accepted, or may have been, ``verdict`` is ACCEPTED or UNCERTAIN, so that nobody is mailed twice.
    ``retry_after`` is in seconds, None if the provider did not say. ``stop`` asks the send to pause at once (bad key,
    suspended account). ``bisect`` says that a smaller part of a refused batch may be accepted; it is False for a refusal
    of the mail or our account.
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
    """The provider's own records of a batch: ``verdict`` for every delivery that ``people`` does not name.

    ACCEPTED and REJECTED rest on a record that names our batch. Without a record it is UNCERTAIN: records come late.
    """

    verdict: Verdict
    reason: str = ""
    provider_id: str = ""
    retry_after: float | None = None
    people: Mapping[int, Verdict] = field(default_factory=dict)


@dataclass(frozen=True)
class Capabilities:
    """The abilities and limits of a provider. Sending sizes and paces its batches by these values alone.

    Bytes are of JSON text: ``max_variable_bytes`` limits one recipient's values, ``max_call_variable_bytes`` those of
    a call. ``idempotency_seconds`` count from the FIRST attempt: after them a replay would mail twice. ``reconcile`` is
    how an uncertain batch is settled: ``replay`` within those seconds, ``query`` by ``BatchFinder.find_batch``,
    ``events`` by webhooks alone; if a replay settled nothing, a ``BatchFinder`` is asked too. ``atomic``: a batch is
    accepted or refused as a whole. ``people_per_second`` and ``calls_per_second`` are None for no limit.
    ``international_addresses``: the part before the @ may have letters that are not ASCII.
    """

    name: str
    merge: Literal["substitute", "full"]
    max_batch: int
    max_bytes: int
    max_variable_bytes: int | None = None
    max_call_variable_bytes: int | None = None
    idempotency_seconds: int = 0
    reconcile: Literal["none", "replay", "query", "events"] = "none"
    atomic: bool = True
    people_per_second: float | None = None
    calls_per_second: float | None = None
    international_addresses: bool = False

    def count_people_per_call(self, *, mail_bytes: int, variable_bytes: int) -> int:
        """Return how many people fit in one call, by number and by bytes; 0 if not even one does.

        ``mail_bytes`` is one mail without its values, ``variable_bytes`` the largest of its recipients' values.
        """
        if self.max_variable_bytes is not None and variable_bytes > self.max_variable_bytes:
            return 0
        bytes_per_person, shared = PERSON_OVERHEAD_BYTES + variable_bytes, mail_bytes + CALL_OVERHEAD_BYTES
        if self.merge == "full":
            # A value is in several places of one mail (subject, both parts, headers).
            bytes_per_person, shared = bytes_per_person + mail_bytes + 3 * variable_bytes, CALL_OVERHEAD_BYTES
        fits = min(self.max_batch, (self.max_bytes - shared) // bytes_per_person)
        if self.max_call_variable_bytes is not None and variable_bytes:
            fits = min(fits, self.max_call_variable_bytes // variable_bytes)
        return max(fits, 0)


class Adapter(Protocol):
    """One provider's account. ``deliver`` makes one attempt and never raises for a failure of the network or the provider.

    It raises ``BadMail`` or ``BadBatch``, before anything is sent, if the mail or the batch itself is wrong.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    def deliver(self, call: BatchCall) -> Outcome: ...

    def close(self) -> None:
        """Close all connections. The adapter may be used again afterwards."""


class HttpCaller(Protocol):
    """Sends requests, as ``Transport`` does."""

    def call(self, request: HttpRequest) -> ProviderResponse: ...

    def close(self) -> None: ...


@runtime_checkable
class BatchFinder(Protocol):
    """An adapter whose provider can be asked what became of a batch."""

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask once. ``deliveries`` are all of the batch, ``sent_at`` (aware) is its first attempt.

        It never raises for a failure of the network or the provider: an answer that proves nothing is UNCERTAIN.
        """


def count_mail_bytes(mail: Mail) -> int:
    """Return the bytes of the mail as JSON text, with its tokens."""
    return len(orjson.dumps([mail.subject, mail.html, mail.text, dict(mail.headers)]))


def count_variable_bytes(variables: Mapping[str, str]) -> int:
    """Return the bytes of one recipient's values as JSON text."""
    return len(orjson.dumps(dict(variables)))
