"""Replay the suppression journal after a restore, before anything may be sent."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter

from django.db import transaction
from django.db.models import Q, QuerySet

from newsletter.common.messages import Message
from subscribers.erasing.erasure import erase_person
from subscribers.models import ConsentEvent, EndReason, MailingList, Reason, Subscriber, Suppression
from subscribers.people.change_address import REASONS_TO_CARRY_OVER
from subscribers.unsubscribing.suppression import end_subscriptions, suppress
from subscribers.unsubscribing.suppression_journal import (
    AddressChange,
    JournalEntry,
    Key,
    read_journal,
)

MAX_SKEW = timedelta(minutes=10)
"""How much the clocks of two machines may differ."""
_BATCH_SIZE = 500
_REASONS_TO_FOLLOW = frozenset(REASONS_TO_CARRY_OVER) - {Reason.ERASURE}
_REPLAY_NOTE = Message("restored from the suppression journal")
_END_REASONS = {Reason.UNSUBSCRIBE: EndReason.UNSUBSCRIBE, Reason.COMPLAINT: EndReason.COMPLAINT}


@dataclass(frozen=True)
class ReplayResult:
    """The number of suppressions that the database had lost, and of people who were erased again."""

    suppressed: int = 0
    erased: int = 0


def replay_journal(*, now: datetime) -> ReplayResult:
    """Restore each suppression that the journal has and the database lost. A repeat does nothing."""
    last: dict[Key, JournalEntry] = {}
    changes: list[AddressChange] = []
    for entry in read_journal():
        if isinstance(entry, JournalEntry):
            last[entry.key] = entry
        elif isinstance(entry, AddressChange):
            changes.append(entry)
    live_entries = [entry for entry in last.values() if not entry.removed]
    live_entries += _follow_address_changes(live_entries, moves=_join_moves(changes), last=last)
    suppressed = erased = 0
    for start in range(0, len(live_entries), _BATCH_SIZE):
        for entry in _find_missing(live_entries[start : start + _BATCH_SIZE]):
            suppressed += 1
            erased += _restore(entry, now=now)
    return ReplayResult(suppressed, erased)


def _join_moves(changes: Iterable[AddressChange]) -> dict[bytes, tuple[AddressChange, ...]]:
    """Return the changes of each person in order, by their newest address. Lines can be late, or come from another machine.

    If a change may be earlier than its time says, it is joined to those that begin at its new address: its line comes first, so
    a clock was set back, or their times are near.
    """
    moves: dict[bytes, tuple[AddressChange, ...]] = {}
    lines = {change: number for number, change in enumerate(dict.fromkeys(changes))}
    for change in sorted(lines, key=attrgetter("at")):
        if change.new_hash != change.old_hash:
            moves[change.new_hash] = (*moves.get(change.new_hash, ()), *moves.pop(change.old_hash, ()), change)
    newest_by_first = {chain[0].old_hash: newest for newest, chain in moves.items()}
    for newest in list(moves):
        later = newest_by_first.get(newest, newest)
        if later != newest and _may_precede(moves[newest][-1], moves[later][0], lines=lines):
            chain = moves[later] = moves.pop(newest) + moves[later]
            newest_by_first[chain[0].old_hash] = later
    return moves


def _may_precede(change: AddressChange, other: AddressChange, *, lines: Mapping[AddressChange, int]) -> bool:
    """Return True if a change may be the earlier one, though its time is later."""
    return timedelta(0) < change.at - other.at < MAX_SKEW or (change.at > other.at and lines[change] < lines[other])


def _follow_address_changes(
    entries: Sequence[JournalEntry],
    *,
    moves: Mapping[bytes, tuple[AddressChange, ...]],
    last: Mapping[Key, JournalEntry],
) -> Iterator[JournalEntry]:
    """Yield entries for the old addresses of people whose change of address the database lost.

    ``moves`` has the changes of each person, by their newest address. An address that several people had says nothing about
    one of them, unless it was their first. An erasure needs no entry: the journal has it for each address.
    """
    by_address: dict[bytes, list[JournalEntry]] = defaultdict(list)
    for entry in entries:
        if entry.reason in _REASONS_TO_FOLLOW:
            by_address[entry.address_hash].append(entry)
    people = Counter(change.old_hash for changes in moves.values() for change in changes)
    for newest_hash, changes in moves.items() if by_address else ():
        for number, change in enumerate(changes if newest_hash in by_address else ()):
            if change.old_hash == newest_hash or (number and people[change.old_hash] > 1) or not _is_lost(change):
                continue
            for entry in by_address[newest_hash]:
                followed = replace(entry, address_hash=change.old_hash)
                if followed.key not in last or last[followed.key].at < followed.at:
                    yield followed


def _is_lost(change: AddressChange) -> bool:
    """Return True if the database has the person at the old address, and not somebody who took that address later."""
    moved = Q(kind=ConsentEvent.Kind.MOVED, address_hash=change.new_hash)
    merged = Q(kind=ConsentEvent.Kind.MERGED, address_hash=change.old_hash)
    known = ConsentEvent.objects.filter(moved | merged, at__gte=change.at)
    people = Subscriber.objects.filter(address_hash=change.old_hash, created_at__lte=change.at)
    return people.exists() and not known.exists()


def _find_missing(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Return the entries that the database does not know, neither as live nor as removed later."""
    lists = {None, *MailingList.objects.values_list("pk", flat=True)}
    live = {key for key, _ in _iterate_keys(Suppression.objects.live(), entries)}
    missing = [entry for entry in entries if entry.key not in live and entry.mailing_list in lists]
    if not missing:
        return []
    latest_removals: dict[Key, datetime] = {}
    for key, at in _iterate_keys(Suppression.objects.all(), missing):
        latest_removals[key] = max(at, latest_removals.get(key, at))
    return [entry for entry in missing if entry.key not in latest_removals or latest_removals[entry.key] < entry.at]


def _iterate_keys(rows: QuerySet[Suppression], entries: Sequence[JournalEntry]) -> Iterator[tuple[Key, datetime]]:
    stored = rows.filter(address_hash__in=[entry.address_hash for entry in entries])
    for address_hash, mailing_list, reason, at in stored.values_list("address_hash", "mailing_list_id", "reason", "at"):
        yield (bytes(address_hash), mailing_list, reason), at


@transaction.atomic
def _restore(entry: JournalEntry, *, now: datetime) -> bool:
    """Restore one suppression. Return True if a person was erased again."""
    reason = Reason(entry.reason)
    person = Subscriber.objects.filter(address_hash=entry.address_hash).first()
    if reason is Reason.ERASURE and person is not None:
        erase_person(subscriber=person, by="", now=now)
        return True
    mailing_list = MailingList.objects.filter(pk=entry.mailing_list).first() if entry.mailing_list else None
    suppress(address_hash=entry.address_hash, reason=reason, now=entry.at, mailing_list=mailing_list, note=_REPLAY_NOTE)
    if person is not None and reason in _END_REASONS:
        end_subscriptions(subscriber=person, reason=_END_REASONS[reason], now=now, mailing_list=mailing_list)
    return False
