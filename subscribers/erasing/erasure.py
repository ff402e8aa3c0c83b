"""Erase a person. A keyed hash stays, so that they are not mailed again."""

from datetime import datetime

from django.db import OperationalError, connection, transaction

from newsletter.common.database.deadlines import is_retryable
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


def erase_person(*, subscriber: Subscriber, by: str, now: datetime) -> None:
    """Delete the person and all rows about them. The consent log stays, without the person.

    If they were merged into another record meanwhile, that record is deleted. If their address changed meanwhile, the
    new and the old address are suppressed.
    """
    try:
        _erase(subscriber, by=by, now=now)
    except OperationalError as error:
        if connection.in_atomic_block or not is_retryable(error):
            raise
        _erase(subscriber, by=by, now=now)


@transaction.atomic
def _erase(asked: Subscriber, *, by: str, now: datetime) -> None:
    person = lock_current(asked, to_delete=True)
    found = [asked] if person is None else [asked, person]
    known = {(subscriber.email, bytes(subscriber.address_hash)): subscriber for subscriber in found}
    for subscriber in known.values():
        ImportRefusal.objects.filter(raw__icontains=subscriber.email).delete()
        HeldSignup.objects.filter(address_hash=bytes(subscriber.address_hash)).delete()
        get_publishing_hooks().forget(subscriber)
    if person is not None:
        pk = person.pk
        person.delete()
        record_event(EventKind.PERSON_ERASED, data={}, now=now, person=pk, by_person=not by)
    for address_hash in sorted({address_hash for _, address_hash in known}):
        new = write_suppression(address_hash=address_hash, reason=Reason.ERASURE, now=now, mailing_list=None)
        if new or person is not None:
            record_consent_event(
                kind=ConsentEvent.Kind.ERASED, subscriber=None, address_hash=address_hash, now=now, by=by
            )
    for email in sorted({email for email, _ in known}):
        delete_row_notes_about(email)
