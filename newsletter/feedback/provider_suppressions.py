"""Add to our suppressions what a provider has on its own list, as read once a day or named by a report of an unsent mail.

The list only adds to ours. It does not override decisions of staff or the person that are newer than the entry.
"""

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.common.database.future_times import make_ahead_filter
from newsletter.common.errors import BadAddress
from newsletter.common.messages import Message
from newsletter.feedback.consequences import Consequences, ProviderUnsubscribe, apply_consequences
from newsletter.feedback.delivery_facts import redact_addresses
from newsletter.models import Batch, Delivery, SuppressionListReading
from newsletter.models.feedback import Bounce
from newsletter.providers.base.contract import Adapter
from newsletter.providers.base.errors import SuppressionListError
from newsletter.providers.base.suppression_lists import SuppressedAddress, SuppressionLister
from newsletter.providers.base.webhooks.events import FeedbackKind
from newsletter.sending.settling.retention import RETENTION
from subscribers.addresses.normalise import normalise
from subscribers.identity import OtherAddressKey, identify, require_own_key
from subscribers.models import Reason, Scope, Subscription, Suppression
from subscribers.outbound_events import PROVIDER, acting_through

log = logging.getLogger(__name__)
READ_EVERY = timedelta(days=1)
RETRY_AFTER = timedelta(hours=1)
OVERLAP = timedelta(days=2)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_REASONS = {
    FeedbackKind.BOUNCED: Reason.HARD,
    FeedbackKind.COMPLAINED: Reason.COMPLAINT,
    FeedbackKind.UNSUBSCRIBED: Reason.UNSUBSCRIBE,
}


@dataclass(frozen=True)
class ListEntry:
    """An address on a provider's list, as a hash: why it must not be mailed, and since when."""

    address_hash: bytes
    reason: Reason
    at: datetime
    note: str


@dataclass(frozen=True)
class UnsentMail:
    """A mail that the provider did not try to send, because the address is on its list for the reason `listed_for`."""

    provider: str
    address_hash: bytes
    listed_for: FeedbackKind
    at: datetime
    reason: str


def read_suppression_list(*, adapter: Adapter, account: str, now: datetime) -> int:
    """Read the list if that is due. Return how many people were newly suppressed.

    Each ``account`` has its own list. If two processes call this at once, one of them reads.
    """
    if not isinstance(adapter, SuppressionLister):
        return 0
    reading = _claim(account, now=now)
    if reading is None:
        return 0
    entries = suppressed = 0
    try:
        require_own_key()
        for page in adapter.list_suppressed(since=_find_start(reading, now=now)):
            entries += len(page)
            with acting_through(PROVIDER):
                suppressed += _suppress_entries(page, account=account, now=now)
    except (SuppressionListError, OtherAddressKey) as error:
        log.warning("%s", error)
        SuppressionListReading.objects.filter(pk=reading.pk).update(
            error=error.message, suppressed=suppressed, entries=entries
        )
    else:
        SuppressionListReading.objects.filter(pk=reading.pk).update(
            known_until=now, error="", suppressed=suppressed, entries=entries
        )
    return suppressed


def _find_start(reading: SuppressionListReading, *, now: datetime) -> datetime | None:
    """Return since when entries may be unknown. After a reading by a clock that was ahead, and before the first, read all."""
    return reading.known_until - OVERLAP if reading.known_until and reading.known_until <= now else None


def _claim(account: str, *, now: datetime) -> SuppressionListReading | None:
    SuppressionListReading.objects.get_or_create(provider=account, defaults={"begun_at": _LONG_AGO})
    was_ahead = make_ahead_filter("begun_at", now=now)
    due = was_ahead | Q(begun_at__lte=now - READ_EVERY) | Q(begun_at__lte=now - RETRY_AFTER) & ~Q(error="")
    if SuppressionListReading.objects.filter(due, provider=account).update(begun_at=now):
        return SuppressionListReading.objects.get(provider=account)
    return None


@transaction.atomic
def _suppress_entries(page: Iterable[SuppressedAddress], *, account: str, now: datetime) -> int:
    consequences = Consequences()
    add_reported(consequences, _hash_entries(page, account=account, now=now))
    apply_consequences(consequences, now=now)
    return len(consequences.hard_bounces) + len(consequences.complaints) + len(consequences.unsubscribed)


def add_reported(consequences: Consequences, entries: Iterable[ListEntry]) -> None:
    """Add the addresses that a provider reports, unless staff or the person decided otherwise since. The newest counts."""
    newest = {(entry.address_hash, entry.reason): entry for entry in sorted(entries, key=lambda entry: entry.at)}
    _add_entries(consequences, _find_new_entries(newest))


def add_unsent(consequences: Consequences, unsent: Iterable[UnsentMail]) -> None:
    """Add the people whose mail a provider did not send, with the reason for which they are on its list.

    The report does not say since when they are on the list. So a suppression with this reason that was removed here stays
    removed, and a complaint or unsubscribe of a person who just confirmed does not count.
    """
    entries = {
        (mail.address_hash, _REASONS[mail.listed_for]): ListEntry(
            mail.address_hash, _REASONS[mail.listed_for], mail.at, _describe_entry(mail.provider, reason=mail.reason)
        )
        for mail in unsent
    }
    if entries:
        hashes = {address_hash for address_hash, _ in entries}
        since = min(entry.at for entry in entries.values()) - RETENTION
        decided, confirmed = _find_decisions(hashes), _find_newly_confirmed(hashes, since=since)
        undecided = [entry for key, entry in sorted(entries.items()) if key not in decided]
        _add_entries(
            consequences,
            [listed for listed in undecided if listed.reason == Reason.HARD or listed.address_hash not in confirmed],
        )


def _add_entries(consequences: Consequences, entries: Iterable[ListEntry]) -> None:
    for entry in entries:
        if entry.reason == Reason.HARD:
            consequences.hard_bounces.setdefault(entry.address_hash, entry.note)
        elif entry.reason == Reason.COMPLAINT:
            consequences.complaints.setdefault(entry.address_hash, entry.note)
        else:
            consequences.unsubscribed.append(ProviderUnsubscribe(entry.address_hash, None, entry.at))


def _hash_entries(page: Iterable[SuppressedAddress], *, account: str, now: datetime) -> Iterator[ListEntry]:
    for row in page:
        try:
            address_hash = identify(normalise(row.address))
        except BadAddress:
            continue
        note = _describe_entry(account, reason=redact_addresses(row.reason))
        yield ListEntry(address_hash, _REASONS[row.kind], min(row.at or _LONG_AGO, now), note)


def _find_new_entries(entries: dict[tuple[bytes, Reason], ListEntry]) -> list[ListEntry]:
    """Return the entries that are new and that neither staff nor a new confirmation overrode since."""
    hashes = {address_hash for address_hash, _ in entries}
    decided = _find_decisions(hashes)
    confirmed = _find_last_confirmations(hashes)
    return [
        entry
        for key, entry in entries.items()
        if (key not in decided or decided[key] < entry.at)
        and (entry.reason == Reason.HARD or confirmed.get(entry.address_hash, _LONG_AGO) <= entry.at)
    ]


def _find_decisions(hashes: Collection[bytes]) -> dict[tuple[bytes, Reason], datetime]:
    """Return when each suppression of all mail was last removed, the end of time if it was not.

    A suppression that exists only because of an import does not count: undoing the import removes it.
    """
    decided: dict[tuple[bytes, Reason], datetime] = {}
    rows = Suppression.objects.filter(address_hash__in=list(hashes), scope=Scope.ALL)
    rows = rows.exclude(removed_at__isnull=True, import_batch__isnull=False)
    for address_hash, reason, removed_at in rows.values_list("address_hash", "reason", "removed_at"):
        key = bytes(address_hash), Reason(reason)
        decided[key] = max(decided.get(key, _LONG_AGO), removed_at or datetime.max.replace(tzinfo=UTC))
    return decided


def _find_last_confirmations(hashes: Collection[bytes]) -> dict[bytes, datetime]:
    """Return when each person last confirmed by mail. Entries that others made for them do not count."""
    confirmed_at: dict[bytes, datetime] = {}
    for address_hash, at in _list_confirmed(hashes).values_list("subscriber__address_hash", "confirmed_at"):
        if at is not None:
            confirmed_at[bytes(address_hash)] = max(confirmed_at.get(bytes(address_hash), at), at)
    return confirmed_at


def _find_newly_confirmed(hashes: Collection[bytes], *, since: datetime) -> set[bytes]:
    """Return the people who confirmed by mail after ``since`` and got no issue since: they cannot have complained about one.

    For older confirmations, nobody knows any more who got the issues after them.
    """
    got_since = Delivery.objects.filter(
        subscriber_id=OuterRef("subscriber_id"),
        batch__state__in=[Batch.State.ACCEPTED, Batch.State.PARTIAL],
        batch__settled_at__gt=OuterRef("confirmed_at"),  # the send of a welcome is made once a month
    ).exclude(bounce__bounce_class=Bounce.Class.SUPPRESSED)
    rows = _list_confirmed(hashes).filter(~Exists(got_since), confirmed_at__gt=since)
    return {bytes(address_hash) for address_hash in rows.values_list("subscriber__address_hash", flat=True)}


def _list_confirmed(hashes: Collection[bytes]) -> QuerySet[Subscription]:
    return Subscription.objects.filter(subscriber__address_hash__in=list(hashes), confirmed_at__isnull=False).open()


def _describe_entry(account: str, *, reason: str) -> str:
    if reason:
        return Message("on the list of %(account)s: %(reason)s", account=account, reason=reason)
    return Message("on the list of %(account)s", account=account)
