"""Replaying the suppression journal after a restore, before anything may be sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from newsletter.common.messages import Message
from subscribers.erasing.erasure import erase_person
from subscribers.models import EndReason, MailingList, Reason, Subscriber, Suppression
from subscribers.unsubscribing.suppression import end_subscriptions, suppress
from subscribers.unsubscribing.suppression_journal import JournalEntry, Key, read_journal_entries

_BATCH_SIZE = 500
_REPLAY_NOTE = Message("restored from the suppression journal")
_END_REASONS = {Reason.UNSUBSCRIBE: EndReason.UNSUBSCRIBE, Reason.COMPLAINT: EndReason.COMPLAINT}


@dataclass(frozen=True)
class Replayed:
    """The number of suppressions that the database had lost, and of people who were erased again."""

    suppressed: int = 0
    erased: int = 0


def replay_journal(*, now: datetime) -> Replayed:
    """Restore each suppression that the journal has and the database lost. A repeat does nothing."""
    last = {one.key: one for one in read_journal_entries()}
    live_entries = [one for one in last.values() if not one.lifted]
    suppressed = erased = 0
    for start in range(0, len(live_entries), _BATCH_SIZE):
        for one in _find_missing(live_entries[start : start + _BATCH_SIZE]):
            suppressed += 1
            erased += _restore(one, now=now)
    return Replayed(suppressed, erased)


def _find_missing(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Return the entries that the database does not know, neither as live nor as removed later."""
    lists = {None, *MailingList.objects.values_list("pk", flat=True)}
    live = {key for key, _ in _iterate_keys(Suppression.objects.live(), entries)}
    missing = [one for one in entries if one.key not in live and one.mailing_list in lists]
    if not missing:
        return []
    lifted: dict[Key, datetime] = {}
    for key, at in _iterate_keys(Suppression.objects.all(), missing):
        lifted[key] = max(at, lifted.get(key, at))
    return [one for one in missing if one.key not in lifted or lifted[one.key] < one.at]


def _iterate_keys(rows: QuerySet[Suppression], entries: Sequence[JournalEntry]) -> Iterator[tuple[Key, datetime]]:
    found = rows.filter(address_hash__in=[one.address_hash for one in entries])
    for address_hash, mailing_list, reason, at in found.values_list("address_hash", "mailing_list_id", "reason", "at"):
        yield (bytes(address_hash), mailing_list, reason), at


@transaction.atomic
def _restore(one: JournalEntry, *, now: datetime) -> int:
    """Restore one suppression. Return 1 if a person was erased again, else 0."""
    reason = Reason(one.reason)
    person = Subscriber.objects.filter(address_hash=one.address_hash).first()
    if reason is Reason.ERASURE and person is not None:
        erase_person(subscriber=person, by="", now=now)
        return 1
    mailing_list = MailingList.objects.filter(pk=one.mailing_list).first() if one.mailing_list else None
    suppress(address_hash=one.address_hash, reason=reason, now=one.at, mailing_list=mailing_list, note=_REPLAY_NOTE)
    if person is not None and reason in _END_REASONS:
        end_subscriptions(subscriber=person, reason=_END_REASONS[reason], now=now, mailing_list=mailing_list)
    return 0
