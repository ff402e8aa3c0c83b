"""Changes of one topic, list or attribute for many people whom staff chose. Nobody is added or mailed."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from django.db import transaction

from newsletter.common.errors import DomainError
from subscribers.attribute_rules import attribute_key, attribute_value
from subscribers.confirmation_quota import delete_unsent_requests
from subscribers.consent_events import record_consent_events
from subscribers.models import Confirmation, ConsentEvent, EndReason, MailingList, Subscriber, Subscription, Topic
from subscribers.people.bulk_update import Outcome, PersonUpdate, update_people
from subscribers.person_locks import lock_people

_PEOPLE_AT_ONCE = 500


class BadAttribute(DomainError):
    """The name of an attribute is not possible. Nothing was changed."""


@transaction.atomic
def add_topic(*, people: Sequence[int], topic: Topic, by: str, now: datetime) -> int:
    """Add a topic to people who chose topics. Return how many got it.

    People without a choice get all topics already. One topic would remove all others from them, so they are not changed.
    """
    updates = []
    for person in _load_people(people):
        slugs = {chosen.slug for chosen in person.topics.all()}
        if slugs and topic.slug not in slugs:
            updates.append(PersonUpdate(person.email, topics=sorted(slugs | {topic.slug})))
    return _apply(updates, by=by, now=now)


@transaction.atomic
def remove_topic(*, people: Sequence[int], topic: Topic, by: str, now: datetime) -> int:
    """Remove a topic from people who have another one. Return how many lost it.

    Without any topic a person would get all of them, so nobody's only topic is removed.
    """
    updates = []
    for person in _load_people(people):
        slugs = {chosen.slug for chosen in person.topics.all()}
        if topic.slug in slugs and len(slugs) > 1:
            updates.append(PersonUpdate(person.email, topics=sorted(slugs - {topic.slug})))
    return _apply(updates, by=by, now=now)


@transaction.atomic
def set_attribute(*, people: Sequence[int], key: str, value: str, by: str, now: datetime) -> int:
    """Set an attribute, or remove it with an empty value. Return for how many people that changed something.

    People who would have too many attributes are not changed. Raises `BadAttribute` for a name that is not possible.
    """
    if not attribute_key(key):
        raise BadAttribute("The name of an extra field needs a letter or digit. Nothing was changed.")
    updates = [PersonUpdate(person.email, attributes={key: attribute_value(value)}) for person in _load_people(people)]
    return _apply(updates, by=by, now=now)


@transaction.atomic
def take_off_list(*, people: Sequence[int], mailing_list: MailingList, by: str, now: datetime) -> int:
    """End the open subscriptions to the list. Return how many ended. People may sign up again."""
    lock_people(Subscriber.objects.filter(pk__in=people).only("pk"))
    held = Subscription.objects.open().filter(mailing_list=mailing_list, subscriber__in=people)
    ended = list(held.select_related("subscriber"))
    delete_unsent_requests(Confirmation.objects.filter(mailing_list=mailing_list, subscriber__in=people))
    held.filter(pk__in=[subscription.pk for subscription in ended]).update(ended_at=now, end_reason=EndReason.STAFF)
    record_consent_events(
        ConsentEvent(
            kind=ConsentEvent.Kind.ENDED,
            subscriber=subscription.subscriber,
            address_hash=bytes(subscription.subscriber.address_hash),
            mailing_list=mailing_list,
            at=now,
            by=by,
        )
        for subscription in ended
    )
    return len(ended)


def _load_people(people: Sequence[int]) -> list[Subscriber]:
    """Lock these people and return them, so that nobody changes the old values before the new ones are written."""
    return lock_people(Subscriber.objects.filter(pk__in=people).prefetch_related("topics"))


def _apply(updates: Sequence[PersonUpdate], *, by: str, now: datetime) -> int:
    changed, remaining = 0, iter(updates)
    while several := list(islice(remaining, _PEOPLE_AT_ONCE)):
        changed += sum(result.outcome == Outcome.CHANGED for result in update_people(several, by=by, now=now))
    return changed
