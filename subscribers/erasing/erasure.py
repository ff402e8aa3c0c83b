"""Erase a person. Keyed hashes of the addresses that they had stay, so that they are not mailed again."""

from datetime import datetime

from django.db import transaction

from subscribers.consent_events import record_consent_event
from subscribers.importing.writing.row_notes import delete_row_notes_about
from subscribers.models import (
    ConsentEvent,
    EventKind,
    HeldSignup,
    ImportRefusal,
    Reason,
    Subscriber,
)
from subscribers.outbound_events import record_event
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
    found = [subscriber] if person is None else [subscriber, person]
    known = {(each.email, bytes(each.address_hash)): each for each in found}
    hashes = {address_hash for _, address_hash in known} | (set() if person is None else _find_earlier_hashes(person))
    HeldSignup.objects.filter(address_hash__in=hashes).delete()
    for each in known.values():
        ImportRefusal.objects.filter(raw__icontains=each.email).delete()
        get_publishing_hooks().forget(each, hashes)
    if person is not None:
        pk = person.pk
        person.delete()
        record_event(EventKind.PERSON_ERASED, data={}, now=now, person=pk, by_person=not by)
    for address_hash in sorted(hashes):
        new = write_suppression(address_hash=address_hash, reason=Reason.ERASURE, now=now, mailing_list=None)
        if new or person is not None:
            record_consent_event(
                kind=ConsentEvent.Kind.ERASED, subscriber=None, address_hash=address_hash, now=now, by=by
            )
    for email in sorted({email for email, _ in known}):
        delete_row_notes_about(email)


def _find_earlier_hashes(person: Subscriber) -> set[bytes]:
    """Return the hashes of the addresses in the person's log of consent that no other subscriber has now."""
    logged = ConsentEvent.objects.filter(subscriber=person).values_list("address_hash", flat=True)
    hashes = {bytes(address_hash) for address_hash in logged.distinct()}
    others = Subscriber.objects.filter(address_hash__in=hashes).exclude(pk=person.pk)
    return hashes - {bytes(address_hash) for address_hash in others.values_list("address_hash", flat=True)}
