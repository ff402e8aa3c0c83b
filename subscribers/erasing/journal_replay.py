"""After a restore: plays back who left or was erased since the backup, before anything may be sent again."""

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
_REPLAY_NOTE = Message("noted beside the database, played back after a restore")
_END_REASONS = {Reason.UNSUBSCRIBE: EndReason.UNSUBSCRIBE, Reason.COMPLAINT: EndReason.COMPLAINT}


@dataclass(frozen=True)
class Replayed:
    """How many marks the database had forgotten, and how many people it had to erase again."""

    marked: int = 0
    erased: int = 0


def replay_journal(*, now: datetime) -> Replayed:
    """Sets each mark that was noted last and not lifted since, where the database has forgotten it. A repeat does nothing."""
    last = {one.key: one for one in read_journal_entries()}
    standing = [one for one in last.values() if not one.lifted]
    marked = erased = 0
    for start in range(0, len(standing), _BATCH_SIZE):
        for one in _find_missing(standing[start : start + _BATCH_SIZE]):
            marked += 1
            erased += _restore(one, now=now)
    return Replayed(marked, erased)


def _find_missing(notes: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Those of which the database knows nothing: neither that they hold, nor that they were set then and lifted since."""
    lists = {None, *MailingList.objects.values_list("pk", flat=True)}
    live = {key for key, _ in _iterate_keys(Suppression.objects.live(), notes)}
    missing = [one for one in notes if one.key not in live and one.mailing_list in lists]
    if not missing:
        return []
    lifted: dict[Key, datetime] = {}
    for key, at in _iterate_keys(Suppression.objects.all(), missing):
        lifted[key] = max(at, lifted.get(key, at))
    return [one for one in missing if one.key not in lifted or lifted[one.key] < one.at]


def _iterate_keys(rows: QuerySet[Suppression], notes: Sequence[JournalEntry]) -> Iterator[tuple[Key, datetime]]:
    found = rows.filter(address_hash__in=[one.address_hash for one in notes])
    for address_hash, mailing_list, reason, at in found.values_list("address_hash", "mailing_list_id", "reason", "at"):
        yield (bytes(address_hash), mailing_list, reason), at


@transaction.atomic
def _restore(one: JournalEntry, *, now: datetime) -> int:
    """1 where somebody had to be erased again."""
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
