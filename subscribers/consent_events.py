"""The append-only log of consent."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from subscribers.models import ConsentEvent, MailingList, StayQuestion, Subscriber
from subscribers.outbound_events import record_person_events

ACTIVE_KINDS = (
    ConsentEvent.Kind.CONFIRMED,
    ConsentEvent.Kind.LEFT,
    ConsentEvent.Kind.PREFERENCES,
    ConsentEvent.Kind.SUPPRESSION_REMOVED,
    ConsentEvent.Kind.MOVED,
)
"""Acts of the person only. They answer the question if the person still wants mail. Anybody can type an address."""

_BATCH_SIZE = 1_000


def record_consent_event(event: ConsentEvent) -> None:
    """Add one event. An act of the person ends their rest.

    Its `wording` is the text that the person read; `by` names a member of staff. Its `data` must contain no address or name.
    """
    if event.subscriber is not None and event.kind in ACTIVE_KINDS and not event.by:
        end_rest(event.subscriber, now=event.at)
    with transaction.atomic():
        event.save()
        record_person_events([event])


def record_preferences(
    subscriber: Subscriber, data: Mapping[str, object], *, now: datetime, wording: str = "", by: str = ""
) -> None:
    """Add the event of a choice that is about no single list."""
    record_consent_event(
        ConsentEvent(
            kind=ConsentEvent.Kind.PREFERENCES,
            subscriber=subscriber,
            address_hash=bytes(subscriber.address_hash),
            at=now,
            wording=wording,
            by=by,
            data=dict(data),
        )
    )


@transaction.atomic
def record_consent_events(events: Iterable[ConsentEvent]) -> None:
    """Add many events that are not the person's own, and report them to the organisation's other systems."""
    added = ConsentEvent.objects.bulk_create(events, batch_size=_BATCH_SIZE)
    record_person_events(added)


def end_rest(subscriber: Subscriber, *, now: datetime) -> bool:
    """Record that a person still wants mail. Return True if they were asked and had not answered."""
    return StayQuestion.objects.open().filter(subscriber=subscriber).update(answered_at=now) > 0


def make_consent_wording(mailing_list: MailingList) -> str:
    """Return the sentence next to the sign-up button, in the current language."""
    return gettext("Send me %(name)s by email. I can unsubscribe at any time with the link in every mail.") % {
        "name": mailing_list.name
    }


def make_press_wording(*, text: str, button: str) -> str:
    """Return the text to store for a press: the text above the button, then the button's label on its own line."""
    return f"{text}\n{button}"
