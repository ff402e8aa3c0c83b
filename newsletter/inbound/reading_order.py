"""Choose the order in which mails are read, of a mailbox and of those that were posted: mails that unsubscribe come first.

Anybody can send reports and replies in any number. They must not delay somebody who unsubscribes. A person with one signed
address can send any number of mails to it. They must not delay bounces and complaints.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import BinaryField, QuerySet
from django.db.models.functions import Substr

from newsletter.inbound.addresses import SignedAddresses
from newsletter.inbound.errors import ServerFailed
from newsletter.inbound.imap import OpenMailbox
from newsletter.models import InboundMail

MAX_SCANNED = 5000
"""At most this many unread messages are scanned, the oldest first. The others are read in the order of arrival."""
SCAN_BATCH_SIZE = 50
SCAN_SHARE = 0.3
"""The share of the time for a reading that this may take, so that a slow server leaves time for reading."""
MAX_WAITING_SCANNED = 2000
"""The stored mails that are looked at, the oldest. This is done every few seconds while mails wait."""
WAITING_SCAN_BATCH_SIZE = 200
"""The stored mails that are looked at together. No more are, once enough are found."""
HEAD_BYTES = 2048
"""The beginning of a stored mail that is looked at. The recipients that a provider names are its first field."""
SHARE_OF_REST = 0.25
"""The share of a reading that is kept for mails in the order of arrival."""


@dataclass(frozen=True)
class SearchResult:
    """The messages that were found. If ``error`` is set, the search stopped and the connection is unusable."""

    found: Sequence[int] = ()
    error: ServerFailed | None = None


def find_unsubscribing(opened: OpenMailbox, uids: Sequence[int], *, limit: int, seconds: float) -> SearchResult:
    """Find the messages to read first, the oldest first, at most the share of ``limit`` that is not kept for the rest.

    They were sent to a signed address to unsubscribe, and are the oldest for their person and list. Only the order of reading
    depends on it: each message is read and checked as a whole before anything happens. ``seconds`` are left for the reading.
    """
    if len(uids) < 2:
        return SearchResult()
    urgent = _Urgent(limit=limit)
    try:
        with opened.limit_time(seconds * SCAN_SHARE):
            _scan(opened, uids[:MAX_SCANNED], urgent, until=time.monotonic() + seconds * SCAN_SHARE)
    except ServerFailed as error:
        return SearchResult(urgent.found, error)
    return SearchResult(urgent.found)


def _scan(opened: OpenMailbox, uids: Sequence[int], urgent: "_Urgent", *, until: float) -> None:
    """Look at the recipients of messages, until enough are found or another look would probably take too long."""
    for start in range(0, len(uids), SCAN_BATCH_SIZE):
        began = time.monotonic()
        looked_at = opened.read_recipient_fields(uids[start : start + SCAN_BATCH_SIZE])
        for uid in sorted(looked_at):
            urgent.look_at(uid, looked_at[uid])
        now = time.monotonic()
        if urgent.is_full or now + (now - began) > until:
            break


def list_waiting(*, limit: int) -> list[int]:
    """Return the keys of stored mails to read next: those to a signed address to unsubscribe, then the oldest."""
    waiting = InboundMail.objects.filter(state=InboundMail.State.WAITING).order_by("pk")
    urgent = _find_waiting_unsubscribes(waiting, limit=limit)
    others = waiting.exclude(pk__in=urgent).values_list("pk", flat=True)[: limit - len(urgent)]
    return [*urgent, *others]


def list_waiting_unsubscribes(*, limit: int) -> list[int]:
    """Return the keys of stored mails to a signed address to unsubscribe."""
    return _find_waiting_unsubscribes(
        InboundMail.objects.filter(state=InboundMail.State.WAITING).order_by("pk"), limit=limit
    )


def _find_waiting_unsubscribes(waiting: QuerySet[InboundMail], *, limit: int) -> list[int]:
    head = Substr("raw", 1, HEAD_BYTES, output_field=BinaryField())
    rows = waiting.annotate(head=head).values_list("pk", "head")
    urgent, last = _Urgent(limit=limit), 0
    for start in range(0, MAX_WAITING_SCANNED, WAITING_SCAN_BATCH_SIZE):
        block = list(rows.filter(pk__gt=last)[: min(WAITING_SCAN_BATCH_SIZE, MAX_WAITING_SCANNED - start)])
        for key, raw in block:
            urgent.look_at(key, bytes(raw or b""))
        if urgent.is_full or len(block) < WAITING_SCAN_BATCH_SIZE:
            break
        last = block[-1][0]
    return urgent.found


class _Urgent:
    """Collect the mails of one reading that come first: one for each person and list that signed addresses name."""

    def __init__(self, *, limit: int) -> None:
        self.found: list[int] = []
        self._capacity = limit - int(limit * SHARE_OF_REST)
        self._addresses = SignedAddresses()
        self._known: set[tuple[UUID, str]] = set()

    @property
    def is_full(self) -> bool:
        return len(self.found) >= self._capacity

    def look_at(self, number: int, fields: bytes) -> None:
        """Keep the number of a mail if its recipients unsubscribe somebody whom no mail before it unsubscribes."""
        if self.is_full:
            return
        targets = self._addresses.find_in_fields(fields.decode("utf-8", "replace"))
        new = {(target.subscriber_uuid, target.public_id) for target in targets} - self._known
        if new:
            self.found.append(number)
            self._known |= new
