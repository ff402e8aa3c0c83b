"""Erase a person. Keyed hashes of the addresses that they had stay, so that they are not mailed again."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from subscribers.addresses.normalise import to_ascii
from subscribers.confirmation_quota import delete_unsent_requests
from subscribers.consent_events import record_consent_event
from subscribers.identity import has_address_of
from subscribers.importing.writing.row_notes import delete_row_notes_about
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    EventKind,
    HeldSignup,
    ImportRefusal,
    MailedLink,
    Reason,
    Subscriber,
)
from subscribers.outbound_events import record_event
from subscribers.people.mailed_links import delete_unsent_links
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.person_locks import lock_current
from subscribers.unsubscribing.suppression import write_suppression


@transaction.atomic
def erase_person(*, subscriber: Subscriber, by: str, now: datetime) -> None:
    """Delete the person and all rows about them. The consent log stays, without the person.

    Their earlier addresses, before a change of address or a merge, are suppressed too, unless somebody else has one now.
    If they were merged into another record since `subscriber` was read, that record is deleted.
    """
    person = lock_current(subscriber, to_delete=True)
    people = [subscriber] if person is None else [subscriber, person]
    addresses = {(row.email, bytes(row.address_hash)): row for row in people}
    earlier = set() if person is None else _find_earlier_hashes(person)
    hashes = {address_hash for _, address_hash in addresses} | earlier
    HeldSignup.objects.filter(address_hash__in=hashes).delete()
    for row in addresses.values():
        ImportRefusal.objects.naming(row.email).delete()
        get_publishing_hooks().forget(hashes)
    if earlier:
        _delete_refused_lines(lambda text: has_address_of(text, hashes=earlier))
    if person is not None:
        pk = person.pk
        delete_unsent_links(MailedLink.objects.filter(subscriber=person))
        delete_unsent_requests(Confirmation.objects.filter(subscriber=person))
        person.delete()
        record_event(EventKind.PERSON_ERASED, data={}, now=now, person=pk, by_person=not by)
    for address_hash in sorted(hashes):
        new = write_suppression(address_hash=address_hash, reason=Reason.ERASURE, now=now, mailing_list=None)
        if new or person is not None:
            record_consent_event(
                ConsentEvent(kind=ConsentEvent.Kind.ERASED, subscriber=None, address_hash=address_hash, at=now, by=by)
            )
    emails = {spelling.casefold() for email, _ in addresses for spelling in (email, to_ascii(email))}
    delete_row_notes_about(
        lambda text: any(email in text.casefold() for email in emails) or has_address_of(text, hashes=earlier)
    )


def _find_earlier_hashes(person: Subscriber) -> set[bytes]:
    """Return the hashes of earlier addresses in the person's log of consent that nobody else has now.

    An address is somebody else's if a subscriber has it, or if a later sign-up or mail waits for it.
    """
    left_at = _find_when_left(person)
    in_use = Subscriber.objects.filter(address_hash__in=left_at).values_list("address_hash", flat=True)
    free = left_at.keys() - {bytes(address_hash) for address_hash in in_use}
    return {address_hash for address_hash in free if not _is_awaited(address_hash, left_at[address_hash])}


def _find_when_left(person: Subscriber) -> dict[bytes, datetime]:
    """Return when the person left each earlier address: at its merge, or at the first move away since its last event."""
    log = ConsentEvent.objects.filter(subscriber=person)
    merged = log.filter(kind=ConsentEvent.Kind.MERGED).values_list("address_hash", "at")
    moved = log.filter(kind=ConsentEvent.Kind.MOVED).values_list("address_hash", "at")
    left_at: dict[bytes, datetime] = {}
    earlier = log.exclude(address_hash=person.address_hash).values_list("address_hash").annotate(Max("at"))
    for address_hash, last in earlier.order_by():
        moves = [at for of, at in merged if bytes(of) == bytes(address_hash)]
        moves += [at for to, at in moved if bytes(to) != bytes(address_hash)]
        left_at[bytes(address_hash)] = min((at for at in moves if at >= last), default=last)
    return left_at


def _is_awaited(address_hash: bytes, since: datetime) -> bool:
    held = HeldSignup.objects.filter(address_hash=address_hash, at__gt=since)
    return held.exists() or bool(get_publishing_hooks().find_awaiting([address_hash], since))


def _delete_refused_lines(is_about: Callable[[str], bool]) -> None:
    lines = ImportRefusal.objects.filter(raw__contains="@").values_list("pk", "raw")
    refusals = [pk for pk, raw in lines.iterator() if is_about(raw)]
    ImportRefusal.objects.filter(pk__in=refusals).delete()
