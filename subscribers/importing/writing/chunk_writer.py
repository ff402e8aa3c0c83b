"""Write one chunk of people in one transaction with a few statements, or only count them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from newsletter.common.messages import Message
from subscribers.addresses import normalise
from subscribers.identity import address_key
from subscribers.importing.reading.parsed_rows import PersonRow, RowKind
from subscribers.importing.writing import chunk_statements
from subscribers.importing.writing.confirmation_requests import ask_to_confirm
from subscribers.importing.writing.staging_table import fill_staging_table, insert_rows, make_ordered_uuids
from subscribers.models import ImportBatch, Subscriber, Topic
from subscribers.models.people import fold_name
from subscribers.people.locations import Location, find_location_ids, get_or_create_locations, locate
from subscribers.segments.attributes import read_attributes_by_person, write_attributes

Note = Callable[[int, str], None]
_NEW_PLACE_ID = -1
"""An id that no row has: a dry run creates no location."""
MAX_PAUSE = timedelta(days=366)
_UNASKED = Message(
    "This person was not asked to confirm: the mailbox had a confirmation mail in the last 24 hours, or three in all."
)


@dataclass(frozen=True)
class _FoundPlace:
    """The location of a line, None if it is unknown, and a note for the line."""

    pk: int | None = None
    note: str = ""


def _end_of(day: date | None) -> datetime | None:
    """Return the moment after the end of a day."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) if day is not None else None


class ChunkWriter:
    """Write the chunks of one import. Topics and locations are looked up once for all chunks."""

    def __init__(self, *, batch: ImportBatch, dry_run: bool) -> None:
        self._batch = batch
        self._dry_run = dry_run
        self._key = address_key()
        self._places: dict[tuple[str, str, str], _FoundPlace] = {}
        topics = Topic.objects.all()
        self._topics = {word.casefold(): topic.pk for topic in topics for word in (topic.name, topic.slug)}

    def hash_address(self, email: str) -> bytes:
        return normalise.hash_address(email, key=self._key)

    def make_staged_rows(self, people: Mapping[bytes, PersonRow], *, note: Note) -> list[tuple[Any, ...]]:
        """Return the staged rows of people by address hash. New places are created, but not in a dry run."""
        self._resolve_places([row for row in people.values() if row.kind == RowKind.JOIN])
        to_database_time = connection.ops.adapt_datetimefield_value
        staged = []
        for (address_hash, row), identity in zip(people.items(), make_ordered_uuids(len(people)), strict=True):
            for text in row.notes:
                note(row.line, text)
            given_at = row.dated_at
            if given_at is not None and given_at > self._batch.started_at:
                note(
                    row.line,
                    Message(
                        "The date %(given_at)s is in the future. The line is used without it.",
                        given_at=f"{given_at:%Y-%m-%d}",
                    ),
                )
                given_at = None
            place = self._places.get((row.country, row.region, row.city), _FoundPlace())
            if place.note:
                note(row.line, place.note)
            staged.append(
                (
                    row.line,
                    address_hash,
                    identity,
                    row.email,
                    row.name,
                    fold_name(row.name),
                    row.language,
                    row.giving,
                    row.timezone,
                    row.source,
                    row.radius_km,
                    row.frequency,
                    to_database_time(self._pause(row, note=note)),
                    place.pk,
                    row.kind,
                    to_database_time(given_at),
                    to_database_time(_end_of(row.expires_on)),
                )
            )
        return staged

    def _pause(self, row: PersonRow, *, note: Note) -> datetime | None:
        """Return the end of a line's pause, if it is still running."""
        until, now = row.paused_until, self._batch.started_at
        if until is None or until <= now:
            return None
        if until > now + MAX_PAUSE:
            note(
                row.line,
                Message(
                    "A pause until %(until)s is longer than a year. The line is used without it.",
                    until=f"{until:%Y-%m-%d}",
                ),
            )
            return None
        return until

    def write(
        self,
        people: Mapping[bytes, PersonRow],
        *,
        note: Note,
        now: datetime,
        staged: Callable[[], None],
        after: Callable[[dict[str, int]], None],
    ) -> dict[str, int]:
        """Write people and count them by outcome. A dry run only counts. People who are asked first are asked at `now`.

        `staged` is called before the long statements. `after` runs in the same transaction.
        """
        rows = self.make_staged_rows(people, note=note)
        kinds = {row.kind for row in people.values()}
        with self._transaction(), connection.cursor() as cursor:
            fill_staging_table(cursor, rows)
            staged()
            if not self._dry_run:
                chunk_statements.lock_people(cursor)
            chunk_statements.classify(cursor, self._batch, kinds=kinds, dry_run=self._dry_run)
            if not self._dry_run:
                chunk_statements.write_people(cursor, self._batch)
            self._add_details(cursor, people, note=note)
            outcomes = chunk_statements.count(cursor)
            if not self._dry_run:
                chunk_statements.renew_implied_consent(cursor, self._batch)
                chunk_statements.subscribe(cursor, self._batch, now=now)
                for kind in kinds & set(chunk_statements.SUPPRESSION_BY_KIND):
                    chunk_statements.suppress_addresses(cursor, self._batch, kind=kind)
                if self._batch.confirm:
                    unasked = ask_to_confirm(cursor, self._batch, now=now)
                    outcomes["unasked"] = len(unasked)
                    for line in unasked:
                        note(line, _UNASKED)
            after(outcomes)
        return outcomes

    def _transaction(self) -> AbstractContextManager[Any]:
        """Return the transaction. A dry run on SQLite makes no lock, because that would block all others."""
        return nullcontext() if self._dry_run and connection.vendor == "sqlite" else transaction.atomic()

    def _resolve_places(self, rows: Sequence[PersonRow]) -> None:
        new = {(row.country, row.region, row.city) for row in rows} - self._places.keys()
        locations: dict[tuple[str, str, str], Location] = {
            texts: locate(country=texts[0], region=texts[1], town=texts[2], home=self._batch.country) for texts in new
        }
        with_place = [location for texts, location in locations.items() if location.known and any(texts)]
        ids = find_location_ids(with_place) if self._dry_run else get_or_create_locations(with_place)
        for texts, location in locations.items():
            place_id = ids.get(location.key, _NEW_PLACE_ID) if location.known and any(texts) else None
            self._places[texts] = _FoundPlace(place_id, location.note)

    def _add_details(self, cursor: CursorWrapper, people: Mapping[bytes, PersonRow], *, note: Note) -> None:
        """Add topics and attributes, never remove any, and mark known people who got one as changed."""
        with_more = {
            row.line: row for row in people.values() if row.kind == RowKind.JOIN and (row.topics or row.attributes)
        }
        if not with_more:
            return
        topics = {line: self._topic_ids(row, note=note) for line, row in with_more.items() if row.topics}
        cursor.execute("SELECT line, subscriber_id FROM import_stage WHERE kind = 'join' AND suppressed_before IS NULL")
        ids = {line: pk for line, pk in cursor.fetchall() if line in with_more and pk is not None}
        attributes = {ids[line]: row.attributes for line, row in with_more.items() if line in ids and row.attributes}
        changed = self._add_topics(cursor, {ids[line]: chosen for line, chosen in topics.items() if line in ids})
        changed |= self._find_changed_attributes(attributes) if self._dry_run else write_attributes(attributes.items())
        rows = [(pk,) for pk in sorted(changed)]
        if rows:
            cursor.executemany("UPDATE import_stage SET changed = 1 WHERE subscriber_id = %s AND created IS NULL", rows)

    def _topic_ids(self, row: PersonRow, *, note: Note) -> set[int]:
        ids = set()
        for word in row.topics:
            topic = self._topics.get(word.casefold())
            if topic is None:
                note(row.line, Message("There is no topic “%(word)s”. The line is used without it.", word=word[:60]))
            else:
                ids.add(topic)
        return ids

    def _add_topics(self, cursor: CursorWrapper, chosen: Mapping[int, set[int]]) -> set[int]:
        """Return the ids of people who got a topic that they did not have."""
        through = Subscriber.topics.through
        rows = through.objects.filter(subscriber_id__in=list(chosen)).values_list("subscriber_id", "topic_id")
        have = set(rows)
        new_pairs = [
            (pk, topic) for pk, topics in chosen.items() for topic in sorted(topics) if (pk, topic) not in have
        ]
        if new_pairs and not self._dry_run:
            insert_rows(cursor, through, columns=["subscriber_id", "topic_id"], rows=new_pairs)
        return {pk for pk, _ in new_pairs}

    def _find_changed_attributes(self, given: Mapping[int, Mapping[str, str]]) -> set[int]:
        have = read_attributes_by_person(given)
        return {
            pk for pk, values in given.items() if any(have.get(pk, {}).get(key) != text for key, text in values.items())
        }
