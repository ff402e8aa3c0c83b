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
"""What only a person does themselves. It answers the question whether they still want mail. Anybody can type an address."""

_BATCH_SIZE = 1_000


def record_consent_event(
    *,
    kind: ConsentEvent.Kind,
    subscriber: Subscriber | None,
    address_hash: bytes,
    now: datetime,
    mailing_list: MailingList | None = None,
    wording: str = "",
    source: str = "",
    by: str = "",
    data: Mapping[str, object] | None = None,
) -> ConsentEvent:
    """Add one event. What a person did themselves ends their rest.

    `wording` is what the person read; `by` names a member of staff. `data` must hold no address or name.
    """
    if subscriber is not None and kind in ACTIVE_KINDS and not by:
        end_rest(subscriber, now=now)
    event = ConsentEvent(
        kind=kind,
        subscriber=subscriber,
        address_hash=address_hash,
        mailing_list=mailing_list,
        at=now,
        wording=wording,
        source=source,
        by=by,
        data=dict(data or {}),
    )
    with transaction.atomic():
        event.save()
        record_person_events([event])
    return event


def record_preferences(
    subscriber: Subscriber, data: Mapping[str, object], *, now: datetime, wording: str = "", by: str = ""
) -> None:
    """Add the event of a choice that is about no single list."""
    record_consent_event(
        kind=ConsentEvent.Kind.PREFERENCES,
        subscriber=subscriber,
        address_hash=bytes(subscriber.address_hash),
        now=now,
        wording=wording,
        by=by,
        data=data,
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
    """Return the sentence beside the sign-up button, in the current language."""
    return gettext("Send me %(name)s by email. I can unsubscribe at any time with the link in every mail.") % {
        "name": mailing_list.name
    }


def make_press_wording(*, text: str, button: str) -> str:
    """Return what is kept of a press: the text above the button, and the button's own words on a line of their own."""
    return f"{text}\n{button}"
