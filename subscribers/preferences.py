"""What a person chose: topics, language, town, lists. Saved only from their own link or by staff."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from subscribers.consent import record_event
from subscribers.errors import UnknownPlace
from subscribers.locations import locate, place_for
from subscribers.models import ConsentEvent, MailingList, Place, Subscriber, Subscription, Topic
from subscribers.signup import Requested, request_subscription
from subscribers.unsubscribe import leave_list


def find_town(text: str) -> Place | None:
    """The place that a person named; None for no text. `UnknownPlace` says what to write instead."""
    if not text.strip():
        return None
    found = locate(town=text)
    if found.note or not found.known:
        raise UnknownPlace(found.note or f"“{text.strip()}” is not a town that we know.")
    return place_for(found)


@transaction.atomic
def save_preferences(
    *,
    subscriber: Subscriber,
    topics: Iterable[Topic],
    language: str,
    place: Place | None,
    now: datetime,
    by: str = "",
) -> bool:
    """Replaces topics, language and place. True when something changed; then it is also put on record."""
    chosen = set(topics)
    before = set(subscriber.topics.all())
    same_person = subscriber.language == language and subscriber.place_id == (place.pk if place else None)
    if same_person and chosen == before:
        return False
    subscriber.language, subscriber.place = language, place
    subscriber.save(update_fields=["language", "place"])
    subscriber.topics.set(chosen)
    record_event(
        kind=ConsentEvent.Kind.PREFERENCES,
        subscriber=subscriber,
        address_hash=bytes(subscriber.address_hash),
        mailing_list=None,
        now=now,
        by=by,
        data={"topics": sorted(topic.slug for topic in chosen), "language": language},
    )
    return True


def choose_lists(
    *,
    subscriber: Subscriber,
    offered: Iterable[MailingList],
    chosen: Iterable[MailingList],
    wording: str,
    now: datetime,
) -> list[MailingList]:
    """Joins and leaves lists among those offered. Returns those that wait for a confirmation by mail."""
    wanted = {mailing_list.pk for mailing_list in chosen}
    current = set(Subscription.objects.filter(subscriber=subscriber).open().values_list("mailing_list_id", flat=True))
    waiting = []
    for mailing_list in offered:
        if mailing_list.pk in wanted and mailing_list.pk not in current:
            outcome = request_subscription(
                email=subscriber.email, mailing_list=mailing_list, wording=wording, source="preferences", now=now
            )
            if outcome in (Requested.ASKED, Requested.WAITING):
                waiting.append(mailing_list)
        elif mailing_list.pk in current and mailing_list.pk not in wanted:
            leave_list(subscriber=subscriber, mailing_list=mailing_list, now=now, source="preferences")
    return waiting
