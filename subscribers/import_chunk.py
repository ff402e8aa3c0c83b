"""Writes one chunk of an import in one transaction, in a handful of statements whatever its size."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from subscribers.addresses import hash_address
from subscribers.bulk import insert_rows, update_rows
from subscribers.confirmations import queue_confirmation
from subscribers.identity import address_key
from subscribers.locations import Location, locate, place_for
from subscribers.models import (
    Basis,
    Confirmation,
    ConsentEvent,
    Giving,
    ImportBatch,
    Place,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.people_csv import PersonRow

Note = Callable[[int, str], None]
_FIELDS = ("name", "language", "giving", "timezone", "source", "place_id")


class Outcome(StrEnum):
    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    WAITING = "waiting"
    SUPPRESSED = "suppressed"


class ChunkWriter:
    """Holds what is the same for all chunks of one import: the batch, the topics, the places met so far."""

    def __init__(self, *, batch: ImportBatch, confirm: bool, dry_run: bool, now: datetime) -> None:
        self._batch = batch
        self._list = batch.mailing_list
        self._confirm = confirm
        self._dry_run = dry_run
        self._now = now
        self._key = address_key()
        self._places: dict[Location, int | None] = {}
        topics = Topic.objects.all()
        self._topics = {word.casefold(): topic.pk for topic in topics for word in (topic.name, topic.slug)}

    def identify(self, email: str) -> bytes:
        return hash_address(email, key=self._key)

    def write(self, people: Mapping[bytes, PersonRow], *, note: Note) -> Counter[Outcome]:
        """Writes people, by address hash, and counts what became of them. A dry run only counts."""
        with nullcontext() if self._dry_run else transaction.atomic():
            return self._write(people, note=note)

    def _write(self, people: Mapping[bytes, PersonRow], *, note: Note) -> Counter[Outcome]:
        barred = self._suppressed(people)
        welcome = {address_hash: row for address_hash, row in people.items() if address_hash not in barred}
        known = {
            bytes(person.address_hash): person for person in Subscriber.objects.filter(address_hash__in=list(welcome))
        }
        open_now = self._open_subscriptions(known)
        details = {address_hash: self._details(row, note=note) for address_hash, row in welcome.items()}
        topics = {address_hash: self._topic_ids(row, note=note) for address_hash, row in welcome.items()}
        changed = self._update_known(known, details)
        made = self._make_people(
            {address_hash: row for address_hash, row in welcome.items() if address_hash not in known}, details
        )
        changed |= self._add_topics({**known, **made}, topics)
        joining = [person for key, person in {**known, **made}.items() if person.pk not in open_now or key in made]
        self._subscribe(joining, made=made)

        tally = Counter({Outcome.SUPPRESSED: len(barred), Outcome.NEW: len(joining)})
        for address_hash, person in known.items():
            if person.pk in open_now:
                tally[_outcome(mailable=open_now[person.pk], changed=address_hash in changed)] += 1
        return tally

    def _suppressed(self, people: Mapping[bytes, PersonRow]) -> set[bytes]:
        rows = Suppression.objects.covering(self._list).filter(address_hash__in=list(people))
        return {bytes(found) for found in rows.values_list("address_hash", flat=True)}

    def _open_subscriptions(self, known: Mapping[bytes, Subscriber]) -> dict[int, bool]:
        """Subscriber ids with an open subscription to the list, and whether it may be mailed."""
        rows = Subscription.objects.filter(mailing_list=self._list, subscriber__in=list(known.values())).open()
        return {
            subscriber_id: confirmed_at is not None or basis != Basis.DOUBLE_OPT_IN
            for subscriber_id, confirmed_at, basis in rows.values_list("subscriber_id", "confirmed_at", "basis")
        }

    def _details(self, row: PersonRow, *, note: Note) -> dict[str, str | int | None]:
        """The values that the line gives; what it leaves empty is not in the answer."""
        for text in row.notes:
            note(row.line, text)
        location = locate(country=row.country, region=row.region, town=row.city)
        if location.note:
            note(row.line, location.note)
        given = {
            "name": row.name,
            "language": row.language,
            "giving": row.giving,
            "timezone": row.timezone,
            "source": row.source,
            "place_id": self._place_id(location),
        }
        return {field: value for field, value in given.items() if value}

    def _place_id(self, location: Location) -> int | None:
        if location not in self._places:
            if self._dry_run:
                place = Place.objects.filter(key=location.key).first() if location.known else None
                self._places[location] = place.pk if place else (-1 if location.known else None)
            else:
                place = place_for(location)
                self._places[location] = place.pk if place else None
        return self._places[location]

    def _topic_ids(self, row: PersonRow, *, note: Note) -> set[int]:
        ids = set()
        for word in row.topics:
            found = self._topics.get(word.casefold())
            if found is None:
                note(row.line, f"There is no topic “{word[:60]}”; left out.")
            else:
                ids.add(found)
        return ids

    def _update_known(
        self, known: Mapping[bytes, Subscriber], details: Mapping[bytes, dict[str, str | int | None]]
    ) -> set[bytes]:
        changed = set()
        rows = []
        for address_hash, person in known.items():
            new = {field: value for field, value in details[address_hash].items() if getattr(person, field) != value}
            if not new:
                continue
            changed.add(address_hash)
            rows.append([new.get(field, getattr(person, field)) for field in _FIELDS] + [person.pk])
        if not self._dry_run:
            update_rows(Subscriber, columns=_FIELDS, rows=rows)
        return changed

    def _make_people(
        self, rows: Mapping[bytes, PersonRow], details: Mapping[bytes, dict[str, str | int | None]]
    ) -> dict[bytes, Subscriber]:
        made = {
            address_hash: Subscriber(
                email=row.email,
                address_hash=address_hash,
                created_at=self._now,
                import_batch=None if self._dry_run else self._batch,
                **{"giving": Giving.NONE, **details[address_hash]},
            )
            for address_hash, row in rows.items()
        }
        if not self._dry_run:
            Subscriber.objects.bulk_create(made.values(), batch_size=500)
        return made

    def _add_topics(self, people: Mapping[bytes, Subscriber], topics: Mapping[bytes, set[int]]) -> set[bytes]:
        """Adds chosen topics; takes none away. The hashes of those who got one that they had not."""
        through = Subscriber.topics.through
        stored = [person.pk for address_hash, person in people.items() if person.pk and topics[address_hash]]
        rows = through.objects.filter(subscriber_id__in=stored).values_list("subscriber_id", "topic_id")
        have = set(rows)
        wanted = [
            (address_hash, person.pk, topic_id)
            for address_hash, person in people.items()
            for topic_id in sorted(topics[address_hash])
            if (person.pk, topic_id) not in have
        ]
        if wanted and not self._dry_run:
            insert_rows(
                through,
                same={},
                columns=["subscriber_id", "topic_id"],
                rows=[(pk, topic_id) for _, pk, topic_id in wanted],
            )
        return {address_hash for address_hash, _, _ in wanted}

    def _subscribe(self, joining: list[Subscriber], *, made: Mapping[bytes, Subscriber]) -> None:
        if self._dry_run or not joining:
            return
        basis = Basis.DOUBLE_OPT_IN if self._confirm else self._batch.basis
        insert_rows(
            Subscription,
            same={
                "mailing_list_id": self._list.pk,
                "basis": str(basis),
                "evidence": self._batch.evidence,
                "requested_at": self._now,
                "end_reason": "",
                "import_batch_id": self._batch.pk,
            },
            columns=["subscriber_id"],
            rows=[(person.pk,) for person in joining],
        )
        insert_rows(
            ConsentEvent,
            same={
                "kind": str(ConsentEvent.Kind.IMPORTED),
                "mailing_list_id": self._list.pk,
                "at": self._now,
                "wording": self._batch.evidence,
                "source": f"import {self._batch.pk}",
                "by": self._batch.by,
                "data": {"basis": str(basis)},
            },
            columns=["subscriber_id", "address_hash"],
            rows=[(person.pk, bytes(person.address_hash)) for person in joining],
        )
        if self._confirm:
            self._ask(joining, made=made)

    def _ask(self, joining: list[Subscriber], *, made: Mapping[bytes, Subscriber]) -> None:
        never_asked = {person.pk for person in made.values()}
        Confirmation.objects.bulk_create(
            Confirmation(subscriber_id=pk, mailing_list=self._list, requested_at=self._now)
            for pk in sorted(never_asked)
        )
        for person in joining:
            if person.pk not in never_asked:
                queue_confirmation(subscriber=person, mailing_list=self._list, now=self._now)


def _outcome(*, mailable: bool, changed: bool) -> Outcome:
    if not mailable:
        return Outcome.WAITING
    return Outcome.UPDATED if changed else Outcome.UNCHANGED
