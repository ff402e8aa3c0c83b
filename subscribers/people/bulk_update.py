"""Bulk updates of known people: giving, topics, location and attributes.

Nobody is added, subscribed or mailed. Each row is applied completely or refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from newsletter.common.errors import BadAddress, DomainError
from newsletter.common.messages import Message
from subscribers.addresses.normalise import normalise
from subscribers.attribute_rules import MAX_ATTRIBUTES_PER_PERSON, attribute_key, clean_attributes
from subscribers.consent_events import record_consent_events
from subscribers.identity import identify, require_own_key
from subscribers.models import ConsentEvent, Giving, Subscriber, SubscriberAttribute, Topic
from subscribers.people.locations import Location, get_or_create_locations, locate
from subscribers.person_locks import lock_people
from subscribers.segments.attributes import read_attributes_by_person, write_attributes

_BATCH_SIZE = 500


@dataclass(frozen=True)
class PersonUpdate:
    """The new values for the person of an address. None keeps a value; an empty one removes it.

    `country`, `region` and `town` form one location: if any is given, all three are set. `topics` replaces all topics.
    """

    email: str
    giving: str | None = None
    topics: Sequence[str] | None = None
    country: str | None = None
    region: str | None = None
    town: str | None = None
    attributes: Mapping[str, str] | None = None


class Outcome(StrEnum):
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True)
class RowResult:
    """The outcome of one row. `reason` explains a refusal."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class _PreparedUpdate:
    address_hash: bytes
    giving: str | None
    topics: frozenset[int] | None
    slugs: tuple[str, ...]
    location: Location | None
    attributes: dict[str, str]
    removed: frozenset[str]


class _Refused(DomainError):
    """This row cannot be applied."""


@transaction.atomic
def update_people(changes: Sequence[PersonUpdate], *, by: str, now: datetime) -> list[RowResult]:
    """Apply the rows in order and return their results in the same order. A repeat changes nothing. Raise OtherAddressKey."""
    require_own_key()
    topics = dict(Topic.objects.values_list("slug", "pk"))
    results: list[RowResult | None] = []
    updates: dict[int, _PreparedUpdate] = {}
    seen: set[bytes] = set()
    for number, change in enumerate(changes):
        try:
            update = _prepare(change, topics)
            if update.address_hash in seen:
                raise _Refused("An earlier row of this call has the same person. Only that row was used.")
        except (_Refused, BadAddress) as error:
            results.append(RowResult(Outcome.REFUSED, error.message))
            continue
        seen.add(update.address_hash)
        updates[number] = update
        results.append(None)
    done = _write(updates, by=by, now=now)
    return [result or done[number] for number, result in enumerate(results)]


def _prepare(change: PersonUpdate, topics: Mapping[str, int]) -> _PreparedUpdate:
    if change.giving is not None and change.giving not in Giving.values:
        raise _Refused("“%(value)s” is not a giving status. Use none, donor or monthly.", value=change.giving[:40])
    unknown = [slug for slug in change.topics or () if slug not in topics]
    if unknown:
        raise _Refused(
            "There is no topic “%(value)s”. The topics are: %(known)s.",
            value=unknown[0][:40],
            known=", ".join(sorted(topics)) or Message("none"),
        )
    attributes = change.attributes or {}
    clean, notes = clean_attributes(attributes)
    if notes:
        raise _Refused(notes[0])
    return _PreparedUpdate(
        address_hash=identify(normalise(change.email)),
        giving=change.giving,
        topics=None if change.topics is None else frozenset(topics[slug] for slug in change.topics),
        slugs=tuple(sorted(set(change.topics or ()))),
        location=_locate(change),
        attributes=clean,
        removed=frozenset(attribute_key(name) for name in attributes) - set(clean),
    )


def _locate(change: PersonUpdate) -> Location | None:
    """Return the location in the row, or None if it has none."""
    if change.country is None and change.region is None and change.town is None:
        return None
    location = locate(country=change.country or "", region=change.region or "", town=change.town or "")
    if location.note:
        raise _Refused(location.note)
    return location


def _write(updates: Mapping[int, _PreparedUpdate], *, by: str, now: datetime) -> dict[int, RowResult]:
    hashes = [update.address_hash for update in updates.values()]
    people = {
        bytes(person.address_hash): person for person in lock_people(Subscriber.objects.filter(address_hash__in=hashes))
    }
    ids = [person.pk for person in people.values()]
    places = get_or_create_locations(
        update.location for update in updates.values() if update.location and update.location.known
    )
    attributes, chosen_topics = read_attributes_by_person(ids), _topics_of(ids)
    results: dict[int, RowResult] = {}
    changed: dict[Subscriber, dict[str, object]] = {}
    updated: list[tuple[Subscriber, _PreparedUpdate]] = []
    for number, update in updates.items():
        person = people.get(update.address_hash)
        if person is None:
            results[number] = RowResult(Outcome.UNKNOWN)
            continue
        before = attributes.get(person.pk, {})
        if len({*before, *update.attributes} - update.removed) > MAX_ATTRIBUTES_PER_PERSON:
            results[number] = RowResult(
                Outcome.REFUSED,
                Message(
                    "One person can have %(max_attributes)s extra fields. Remove one that is not used first.",
                    max_attributes=MAX_ATTRIBUTES_PER_PERSON,
                ),
            )
            continue
        applied = _apply(person, update, places=places, before=before, topics=chosen_topics.get(person.pk, frozenset()))
        results[number] = RowResult(Outcome.CHANGED if applied else Outcome.UNCHANGED)
        if applied:
            changed[person] = applied
            updated.append((person, update))
    Subscriber.objects.bulk_update(changed, ["giving", "place"], batch_size=_BATCH_SIZE)
    _write_topics(updated, chosen_topics)
    write_attributes((person.pk, update.attributes) for person, update in updated)
    _remove_attributes(updated)
    _record(changed, by=by, now=now)
    return results


def _apply(
    person: Subscriber,
    update: _PreparedUpdate,
    *,
    places: Mapping[str, int],
    before: Mapping[str, str],
    topics: frozenset[int],
) -> dict[str, object]:
    """Set the person's own columns, unsaved. Return the changes for the consent log, without personal values."""
    changes: dict[str, object] = {}
    if update.giving is not None and update.giving != person.giving:
        person.giving = changes["giving"] = update.giving
    if update.location is not None:
        place = places[update.location.key] if update.location.known else None
        if place != person.place_id:
            person.place_id = place
            changes["region"] = update.location.region or update.location.country
    if update.topics is not None and update.topics != topics:
        changes["topics"] = list(update.slugs)
    changed_keys = {key for key, value in update.attributes.items() if before.get(key) != value}
    changed_keys |= update.removed & set(before)
    if changed_keys:
        changes["attributes"] = sorted(changed_keys)
    return changes


def _topics_of(ids: Sequence[int]) -> dict[int, frozenset[int]]:
    topics_by_person: dict[int, set[int]] = {}
    through = Subscriber.topics.through
    for person, topic in through.objects.filter(subscriber_id__in=ids).values_list("subscriber_id", "topic_id"):
        topics_by_person.setdefault(person, set()).add(topic)
    return {person: frozenset(topics) for person, topics in topics_by_person.items()}


def _write_topics(
    updated: Sequence[tuple[Subscriber, _PreparedUpdate]], chosen_topics: Mapping[int, frozenset[int]]
) -> None:
    through = Subscriber.topics.through
    removed: dict[int, list[int]] = {}
    new = []
    for person, update in updated:
        if update.topics is None:
            continue
        before = chosen_topics.get(person.pk, frozenset())
        new += [through(subscriber_id=person.pk, topic_id=topic) for topic in update.topics - before]
        for topic in before - update.topics:
            removed.setdefault(topic, []).append(person.pk)
    for topic, ids in removed.items():
        through.objects.filter(topic_id=topic, subscriber_id__in=ids).delete()
    through.objects.bulk_create(new, ignore_conflicts=True, batch_size=_BATCH_SIZE)


def _remove_attributes(updated: Sequence[tuple[Subscriber, _PreparedUpdate]]) -> None:
    removed: dict[str, list[int]] = {}
    for person, update in updated:
        for key in update.removed:
            removed.setdefault(key, []).append(person.pk)
    for key, ids in removed.items():
        SubscriberAttribute.objects.filter(key=key, subscriber_id__in=ids).delete()


def _record(changed: Mapping[Subscriber, dict[str, object]], *, by: str, now: datetime) -> None:
    record_consent_events(
        (
            ConsentEvent(
                kind=ConsentEvent.Kind.PREFERENCES,
                subscriber=person,
                address_hash=bytes(person.address_hash),
                at=now,
                by=by,
                data=changes,
            )
            for person, changes in changed.items()
        )
    )
