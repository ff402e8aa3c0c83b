"""A snapshot of a send's audience: everyone whom the issue is for, read once into a temporary table.

The audience is counted and the deliveries are written from the same snapshot, so they cannot differ by a person.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from newsletter.issues.variants.recipient_groups import find_candidates
from newsletter.models import Batch, Delivery, ReaderGroup, Send

_COLUMNS = ("subscriber_ref", "hash_ref", "place_ref", "giving_ref", "radius_ref", "frequency_ref", "exclusion_reason")
_CREATE = """
CREATE TEMPORARY TABLE audience_snapshot_rows (
    subscriber bigint, address_hash {bytes}, place bigint, giving varchar(8), radius integer, frequency varchar(8),
    why varchar(40)
)
"""
_COUNT = """
SELECT why, place, giving, radius, frequency, COUNT(*)
FROM audience_snapshot_rows
GROUP BY why, place, giving, radius, frequency
"""
_WRITE_DELIVERIES = """
INSERT INTO {deliveries} (issue_id, batch_id, subscriber_id, address_hash, proof)
SELECT %s, batch.id, recipient.subscriber, recipient.address_hash, %s
FROM (
    SELECT person.subscriber, SUBSTR(person.address_hash, 1, 16) AS address_hash, grp.variant_id AS variant,
           ROW_NUMBER() OVER (PARTITION BY grp.variant_id ORDER BY person.subscriber) - 1 AS position
    FROM audience_snapshot_rows AS person
    JOIN {groups} AS grp
      ON grp.revision_id = %s AND grp.place_id = person.place AND grp.giving = person.giving
     AND grp.radius_km = person.radius AND grp.frequency = person.frequency AND grp.variant_id IS NOT NULL
    WHERE person.why = ''
) AS recipient
JOIN {batches} AS batch
  ON batch.send_id = %s AND batch.variant_id = recipient.variant AND batch.part = recipient.position / %s
"""


class SnapshotCount(NamedTuple):
    """The number of people with the same exclusion reason ("" if they may be mailed) and group."""

    why: str
    place_id: int
    giving: str
    radius_km: int
    frequency: str
    people: int


@contextmanager
def create_snapshot(send: Send, *, now: datetime) -> Iterator[None]:
    """Fill the temporary table for this block. Call it in the transaction of the freeze, which also drops it on errors."""
    people = find_candidates(send.issue, now=now).values_list(*_COLUMNS)
    sql, parameters = people.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_CREATE.format(bytes="bytea" if connection.vendor == "postgresql" else "blob"))
        cursor.execute(f"INSERT INTO audience_snapshot_rows {sql}", parameters)
        yield
        cursor.execute("DROP TABLE audience_snapshot_rows")


def count_snapshot() -> list[SnapshotCount]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT)
        return [SnapshotCount(*row) for row in cursor.fetchall()]


def write_deliveries(send: Send, *, revision_id: int, max_batch: int) -> int:
    """Give everyone in the snapshot who has a variant a delivery in one of its batches. Return how many."""
    sql = _WRITE_DELIVERIES.format(
        deliveries=Delivery._meta.db_table, groups=ReaderGroup._meta.db_table, batches=Batch._meta.db_table
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # PostgreSQL expects few groups and batches and would otherwise search all batches for every person.
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(sql, [send.issue_id, False, revision_id, send.pk, max_batch])
        return int(cursor.rowcount)
