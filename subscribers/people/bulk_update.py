"""Sets what the organisation knows of people it has already: giving, topics, where they live, attributes. Many at once.

Nobody is added, joined to a list or mailed by it. A row is taken as a whole or refused as a whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext as _

from newsletter.common.errors import BadAddress
from newsletter.common.messages import Message
from subscribers.addresses.normalise import normalise
from subscribers.attribute_rules import MAX_ATTRIBUTES_PER_PERSON, attribute_key, clean_attributes
from subscribers.identity import identify
from subscribers.models import ConsentEvent, Giving, Subscriber, SubscriberAttribute, Topic
from subscribers.people.locations import Location, get_or_create_places, locate
from subscribers.segments.attributes import read_attributes_by_person, write_attributes

_BATCH_SIZE = 500


@dataclass(frozen=True)
class PersonUpdate:
    """What to set of the person of an address. None leaves a thing as it is; empty takes it away.

    `country`, `region` and `town` are one thing: where any is given, all three are set. `topics` replaces all of them.
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
    """What became of one row; `why` is in words where it was refused."""

    outcome: Outcome
    why: str = ""


@dataclass(frozen=True)
class _PreparedUpdate:
    address_hash: bytes
    giving: str | None
    topics: frozenset[int] | None
    slugs: tuple[str, ...]
    location: Location | None
    attributes: dict[str, str]
    removed: frozenset[str]


class _Refused(Exception):
    """This row cannot be taken; the text says why."""


@transaction.atomic
def update_people(changes: Sequence[PersonUpdate], *, by: str, now: datetime) -> list[RowResult]:
    """Takes the rows, in their order; the answers stand in the same order. The same call again changes nothing."""
    topics = dict(Topic.objects.values_list("slug", "pk"))
    answers: list[RowResult | None] = []
    plans: dict[int, _PreparedUpdate] = {}
    seen: set[bytes] = set()
    for number, change in enumerate(changes):
        try:
            plan = _prepare(change, topics)
            if plan.address_hash in seen:
                raise _Refused(_("This person stands in an earlier row of the same call. Only that row was taken."))
        except (_Refused, BadAddress) as error:
            answers.append(RowResult(Outcome.REFUSED, str(error)))
            continue
        seen.add(plan.address_hash)
        plans[number] = plan
        answers.append(None)
    done = _write(plans, by=by, now=now)
    return [answer or done[number] for number, answer in enumerate(answers)]


def _prepare(change: PersonUpdate, topics: Mapping[str, int]) -> _PreparedUpdate:
    if change.giving is not None and change.giving not in Giving.values:
        raise _Refused(
            _("“%(value)s” is no giving status. Write none, donor or monthly.") % {"value": change.giving[:40]}
        )
    unknown = [slug for slug in change.topics or () if slug not in topics]
    if unknown:
        raise _Refused(
            _("There is no topic “%(value)s”. There are: %(known)s.")
            % {"value": unknown[0][:40], "known": ", ".join(sorted(topics)) or "none"}
        )
    given = change.attributes or {}
    clean, notes = clean_attributes(given)
    if notes:
        raise _Refused(notes[0])
    return _PreparedUpdate(
        address_hash=identify(normalise(change.email)),
        giving=change.giving,
        topics=None if change.topics is None else frozenset(topics[slug] for slug in change.topics),
        slugs=tuple(sorted(set(change.topics or ()))),
        location=_locate(change),
        attributes=clean,
        removed=frozenset(attribute_key(name) for name in given) - set(clean),
    )


def _locate(change: PersonUpdate) -> Location | None:
    """Where the row says that the person lives; None where it says nothing."""
    if change.country is None and change.region is None and change.town is None:
        return None
    found = locate(country=change.country or "", region=change.region or "", town=change.town or "")
    if found.note:
        raise _Refused(found.note)
    return found


def _write(plans: Mapping[int, _PreparedUpdate], *, by: str, now: datetime) -> dict[int, RowResult]:
    wanted = [plan.address_hash for plan in plans.values()]
    rows = Subscriber.objects.select_for_update().filter(address_hash__in=wanted).order_by("pk")
    people = {bytes(person.address_hash): person for person in rows}
    ids = [person.pk for person in people.values()]
    places = get_or_create_places(plan.location for plan in plans.values() if plan.location and plan.location.known)
    own, chosen = read_attributes_by_person(ids), _topics_of(ids)
    answers: dict[int, RowResult] = {}
    changed: dict[Subscriber, dict[str, object]] = {}
    taken: list[tuple[Subscriber, _PreparedUpdate]] = []
    for number, plan in plans.items():
        person = people.get(plan.address_hash)
        if person is None:
            answers[number] = RowResult(Outcome.UNKNOWN)
            continue
        before = own.get(person.pk, {})
        if len({*before, *plan.attributes} - plan.removed) > MAX_ATTRIBUTES_PER_PERSON:
            answers[number] = RowResult(
                Outcome.REFUSED,
                Message(
                    "One person can have %(most_of_a_person)s attributes. Remove one that is not used first.",
                    most_of_a_person=MAX_ATTRIBUTES_PER_PERSON,
                ),
            )
            continue
        said = _apply(person, plan, places=places, before=before, topics=chosen.get(person.pk, frozenset()))
        answers[number] = RowResult(Outcome.CHANGED if said else Outcome.UNCHANGED)
        if said:
            changed[person] = said
            taken.append((person, plan))
    Subscriber.objects.bulk_update(changed, ["giving", "place"], batch_size=_BATCH_SIZE)
    _write_topics(taken, chosen)
    write_attributes((person.pk, plan.attributes) for person, plan in taken)
    _remove_attributes(taken)
    _record(changed, by=by, now=now)
    return answers


def _apply(
    person: Subscriber,
    plan: _PreparedUpdate,
    *,
    places: Mapping[str, int],
    before: Mapping[str, str],
    topics: frozenset[int],
) -> dict[str, object]:
    """Sets the person's own columns, unsaved. What is other than it was, in words for the record; no value of a person."""
    said: dict[str, object] = {}
    if plan.giving is not None and plan.giving != person.giving:
        person.giving = said["giving"] = plan.giving
    if plan.location is not None:
        place = places[plan.location.key] if plan.location.known else None
        if place != person.place_id:
            person.place_id = place
            said["region"] = plan.location.region or plan.location.country
    if plan.topics is not None and plan.topics != topics:
        said["topics"] = list(plan.slugs)
    other = {key for key, value in plan.attributes.items() if before.get(key) != value}
    other |= plan.removed & set(before)
    if other:
        said["attributes"] = sorted(other)
    return said


def _topics_of(ids: Sequence[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    through = Subscriber.topics.through
    for person, topic in through.objects.filter(subscriber_id__in=ids).values_list("subscriber_id", "topic_id"):
        found.setdefault(person, set()).add(topic)
    return {person: frozenset(topics) for person, topics in found.items()}


def _write_topics(taken: Sequence[tuple[Subscriber, _PreparedUpdate]], chosen: Mapping[int, frozenset[int]]) -> None:
    through = Subscriber.topics.through
    gone: dict[int, list[int]] = {}
    new = []
    for person, plan in taken:
        if plan.topics is None:
            continue
        before = chosen.get(person.pk, frozenset())
        new += [through(subscriber_id=person.pk, topic_id=topic) for topic in plan.topics - before]
        for topic in before - plan.topics:
            gone.setdefault(topic, []).append(person.pk)
    for topic, ids in gone.items():
        through.objects.filter(topic_id=topic, subscriber_id__in=ids).delete()
    through.objects.bulk_create(new, ignore_conflicts=True, batch_size=_BATCH_SIZE)


def _remove_attributes(taken: Sequence[tuple[Subscriber, _PreparedUpdate]]) -> None:
    gone: dict[str, list[int]] = {}
    for person, plan in taken:
        for key in plan.removed:
            gone.setdefault(key, []).append(person.pk)
    for key, ids in gone.items():
        SubscriberAttribute.objects.filter(key=key, subscriber_id__in=ids).delete()


def _record(changed: Mapping[Subscriber, dict[str, object]], *, by: str, now: datetime) -> None:
    ConsentEvent.objects.bulk_create(
        (
            ConsentEvent(
                kind=ConsentEvent.Kind.PREFERENCES,
                subscriber=person,
                address_hash=bytes(person.address_hash),
                at=now,
                by=by,
                data=said,
            )
            for person, said in changed.items()
        ),
        batch_size=_BATCH_SIZE,
    )
