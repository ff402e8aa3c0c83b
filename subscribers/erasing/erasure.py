"""Erase a person. A keyed hash stays, so that they are not mailed again."""

from datetime import datetime

from django.db import transaction

from subscribers.consent_events import record_consent_event
from subscribers.importing.writing.row_notes import delete_row_notes_about
from subscribers.models import ConsentEvent, EventKind, HeldSignup, ImportRefusal, Reason, Subscriber
from subscribers.outbound_events import record_event
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.unsubscribing.suppression import write_suppression


@transaction.atomic
def erase_person(*, subscriber: Subscriber, by: str, now: datetime) -> None:
    """Delete the person and all rows about them. The consent log stays, without the person."""
    address_hash = bytes(subscriber.address_hash)
    # A sign-up holds this lock until it ends. Its rows would otherwise appear after those to delete were read.
    Subscriber.objects.select_for_update().filter(pk=subscriber.pk).first()
    ImportRefusal.objects.filter(raw__icontains=subscriber.email).delete()
    HeldSignup.objects.filter(address_hash=address_hash).delete()
    get_publishing_hooks().forget(subscriber)
    pk = subscriber.pk
    subscriber.delete()
    write_suppression(address_hash=address_hash, reason=Reason.ERASURE, now=now, mailing_list=None)
    record_consent_event(
        kind=ConsentEvent.Kind.ERASED,
        subscriber=None,
        address_hash=address_hash,
        now=now,
        by=by,
    )
    record_event(EventKind.PERSON_ERASED, data={}, now=now, person=pk, by_person=not by)
    delete_row_notes_about(subscriber.email)
