"""A snapshot of a send's audience: everyone whom the issue is for, read once into a temporary table.

The audience is counted and the deliveries are written from the same snapshot, so they cannot differ by a person.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from django.db import connection
from django.db.models import CharField, Value

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.audience_rules import find_named_ids
from newsletter.issues.variants.count_recipients import NOT_ON_LIST
from newsletter.issues.variants.recipient_groups import (
    GROUP_KEY,
    REFERENCES,
    RecipientGroup,
    find_candidates,
    make_group,
)
from newsletter.models import Batch, Delivery, Exclusion, ReaderGroup, Send
from newsletter.sending.freezing.plan_batches import FirstPart
from subscribers.audience.zones import zone_of_person

_COLUMNS = (
    *("subscriber_ref", "hash_ref"),
    *REFERENCES,
    "exclusion_reason",
)
_KEY_TYPES = """
    place bigint, giving varchar(8), radius integer, frequency varchar(8),
    interests bigint, seen bigint, rules bigint, language varchar(12), arm integer
"""
_CREATE = f"""
CREATE TEMPORARY TABLE audience_snapshot_rows (
    subscriber bigint, address_hash {{bytes}}, {_KEY_TYPES}, why varchar(40){{zone}}
)
"""
_CREATE_GROUPS = f"""
CREATE TEMPORARY TABLE audience_snapshot_groups (variant bigint, empty_reason varchar(24), {_KEY_TYPES})
"""
_WRITE_GROUPS = """
INSERT INTO audience_snapshot_groups (variant, empty_reason, {columns})
SELECT variant_id, empty_reason, {fields} FROM {groups} WHERE revision_id = %s{same}
"""
_INDEX_GROUPS = (
    "CREATE UNIQUE INDEX audience_snapshot_group ON audience_snapshot_groups ({columns}, variant, empty_reason)"
)
_ADD_ZONE = ", zone varchar(64)"
_KEY_COLUMNS = ("place", "giving", "radius", "frequency", "interests", "seen", "rules", "language", "arm")
"""The columns of `GROUP_KEY`."""
_COUNT = "SELECT why, {shown}, COUNT(*) FROM audience_snapshot_rows GROUP BY {grouped}"
_MOST_DIFFERENT_FIRST = ("interests", "seen", "place", "rules", "language", "giving", "radius", "frequency", "arm")
"""The columns with the most values come first: SQLite sorts to group, and then compares fewer columns."""
_CREATE_PARTS = "CREATE TEMPORARY TABLE audience_snapshot_parts (variant bigint, zone varchar(64), part integer)"
_WRITE_PARTS = "INSERT INTO audience_snapshot_parts (variant, zone, part) VALUES (%s, %s, %s)"
_JOIN_PARTS = """
    JOIN audience_snapshot_parts AS first ON first.variant = grp.variant AND first.zone = person.zone
"""
_WRITE_DELIVERIES = """
INSERT INTO {deliveries} (issue_id, batch_id, subscriber_id, address_hash, proof)
SELECT %s, batch.id, recipient.subscriber, recipient.address_hash, %s
FROM (
    SELECT person.subscriber, SUBSTR(person.address_hash, 1, 16) AS address_hash, grp.variant,
           {first_part} AS first_part,
           ROW_NUMBER() OVER (PARTITION BY grp.variant{by_hour} ORDER BY person.subscriber) - 1 AS position
    FROM audience_snapshot_rows AS person
    JOIN audience_snapshot_groups AS grp ON {same_group} AND grp.variant IS NOT NULL
    {join_parts}
    WHERE person.why = ''
) AS recipient
JOIN {batches} AS batch
  ON batch.send_id = %s AND batch.variant_id = recipient.variant
 AND batch.part = recipient.first_part + recipient.position / %s
"""
_WRITE_EXCLUSIONS = """
INSERT INTO {exclusions} (send_id, subscriber_id, reason)
SELECT %s, subscriber, why FROM audience_snapshot_rows WHERE why <> ''
"""
_WRITE_EMPTY = """
INSERT INTO {exclusions} (send_id, subscriber_id, reason)
SELECT %s, person.subscriber, grp.empty_reason
FROM audience_snapshot_rows AS person
JOIN audience_snapshot_groups AS grp ON {same_group} AND grp.empty_reason <> ''
WHERE person.why = ''
"""
_WRITE_NOT_ON_LIST = """
INSERT INTO {exclusions} (send_id, subscriber_id, reason)
SELECT DISTINCT %s, named.subscriber_id, %s
FROM ({named}) AS named
WHERE named.subscriber_id NOT IN (SELECT subscriber FROM audience_snapshot_rows)
"""


_get_key = attrgetter(*GROUP_KEY)


class SnapshotCount(NamedTuple):
    """The number of people with the same exclusion reason ("" if they may be mailed), group and zone."""

    why: str
    place_id: int
    giving: str
    radius_km: int
    frequency: str
    interests: int
    seen: int
    rules: int
    language: str
    arm: int
    zone: str
    people: int


@contextmanager
def create_snapshot(send: Send, *, content: IssueContent, now: datetime) -> Iterator[Mapping[str, int | str]]:
    """Fill the temporary table for this block. Call it in the transaction of the freeze, which also drops it on errors.

    Yield the columns in which everybody has the same value, with that value. Counts need no grouping by them.
    """
    candidates = find_candidates(send.issue, content=content, now=now, at_once=not send.local_time)
    if send.local_time:
        candidates = candidates.annotate(zone_ref=zone_of_person(send.issue.publication.zone, prefix="subscriber__"))
    elif send.period:
        candidates = candidates.annotate(zone_ref=Value("", output_field=CharField()))
    columns = (*_COLUMNS, "zone_ref") if _has_first_parts(send) else _COLUMNS
    sql, parameters = candidates.values_list(*columns).query.sql_with_params()
    binary = "bytea" if connection.vendor == "postgresql" else "blob"
    with connection.cursor() as cursor:
        cursor.execute(_CREATE.format(bytes=binary, zone=_ADD_ZONE if _has_first_parts(send) else ""))
        cursor.execute(_CREATE_GROUPS)
        cursor.execute(_CREATE_PARTS)
        cursor.execute(f"INSERT INTO audience_snapshot_rows {sql}", parameters)
        annotations = zip(_KEY_COLUMNS, REFERENCES, strict=True)
        expressions = ((column, candidates.query.annotations[reference]) for column, reference in annotations)
        yield {column: expression.value for column, expression in expressions if isinstance(expression, Value)}
        cursor.execute("DROP TABLE audience_snapshot_rows")
        cursor.execute("DROP TABLE audience_snapshot_groups")
        cursor.execute("DROP TABLE audience_snapshot_parts")


def count_snapshot(send: Send, *, constants: Mapping[str, int | str]) -> list[SnapshotCount]:
    """Return the numbers of people. The zone is "" if the send does not use readers' hours.

    ``constants`` are those of `create_snapshot`.
    """
    zone = ["zone"] if _has_first_parts(send) else []
    columns = ["%s" if column in constants else column for column in _KEY_COLUMNS]
    grouped = _list_different(constants)
    sql = _COUNT.format(shown=", ".join([*columns, *(zone or ["''"])]), grouped=", ".join([*grouped, "why", *zone]))
    with connection.cursor() as cursor:
        cursor.execute(sql, [constants[column] for column in _KEY_COLUMNS if column in constants])
        return [SnapshotCount(*row) for row in cursor.fetchall()]


def group_counts(counts: Iterable[SnapshotCount]) -> list[RecipientGroup]:
    """Return the groups of the people in a snapshot who may be mailed."""
    people: Counter[tuple[object, ...]] = Counter()
    for row in counts:
        if not row.why:
            people[_get_key(row)] += row.people
    return [make_group(key, people=number) for key, number in people.items()]


def write_groups(*, revision_id: int, constants: Mapping[str, int | str]) -> None:
    """Copy the groups of a revision into the snapshot. Call it once they have their variants, before deliveries are written."""
    fields = dict(zip(_KEY_COLUMNS, GROUP_KEY, strict=True))
    sql = _fill_tables(
        _WRITE_GROUPS,
        columns=", ".join(fields),
        fields=", ".join(fields.values()),
        same="".join(f" AND {fields[column]} = %s" for column in constants),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [revision_id, *constants.values()])
        cursor.execute(_INDEX_GROUPS.format(columns=", ".join(_list_different(constants))))


def write_first_parts(first_parts: Sequence[FirstPart]) -> None:
    """Store, for this snapshot, which batches the people of a zone go to. Call it before their deliveries are written."""
    with connection.cursor() as cursor:
        cursor.executemany(_WRITE_PARTS, first_parts)


def write_deliveries(send: Send, *, constants: Mapping[str, int | str], max_batch: int) -> int:
    """Give everyone in the snapshot who has a variant a delivery in one of its batches. Return how many."""
    sql = fill_placing(_WRITE_DELIVERIES, send, constants=constants)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # PostgreSQL expects few groups and batches and would otherwise search all batches for every person.
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(sql, [send.issue_id, False, send.pk, max_batch])
        return int(cursor.rowcount)


def write_exclusions(send: Send, *, constants: Mapping[str, int | str]) -> int:
    """Give everybody for whom the issue is, but who gets no mail, a row with the reason. Return how many.

    Call it before `move_deliveries`, which changes whom the issue names.
    """
    written = 0
    with connection.cursor() as cursor:
        cursor.execute(_fill_tables(_WRITE_EXCLUSIONS), [send.pk])
        written += int(cursor.rowcount)
        cursor.execute("SELECT EXISTS (SELECT 1 FROM audience_snapshot_groups WHERE empty_reason <> '')")
        if cursor.fetchone()[0]:
            cursor.execute(_fill_tables(_WRITE_EMPTY, same_group=_compare_groups(constants)), [send.pk])
            written += int(cursor.rowcount)
        named_ids = find_named_ids(send.issue)
        if named_ids is not None:
            sql, parameters = named_ids.query.sql_with_params()
            cursor.execute(_fill_tables(_WRITE_NOT_ON_LIST, named=sql), [send.pk, NOT_ON_LIST, *parameters])
            written += int(cursor.rowcount)
    return written


def _has_first_parts(send: Send) -> bool:
    """Return True if the number of a batch depends on more than its variant: on the hour, or on earlier batches."""
    return bool(send.local_time or send.period)


def fill_placing(statement: str, send: Send, *, constants: Mapping[str, int | str], **parts: str) -> str:
    """Fill in the tables and, for a send by readers' hours, the parts that put the people of one hour into the same batches."""
    local = _has_first_parts(send)
    return _fill_tables(
        statement,
        first_part="first.part" if local else "0",
        by_hour=", first.part" if local else "",
        join_parts=_JOIN_PARTS if local else "",
        same_group=_compare_groups(constants),
        **parts,
    )


def _fill_tables(statement: str, **parts: str) -> str:
    return statement.format(
        deliveries=Delivery._meta.db_table,
        exclusions=Exclusion._meta.db_table,
        groups=ReaderGroup._meta.db_table,
        batches=Batch._meta.db_table,
        **parts,
    )


def _list_different(constants: Mapping[str, int | str]) -> list[str]:
    """Return the columns of a group's key in which people differ."""
    return [column for column in _MOST_DIFFERENT_FIRST if column not in constants]


def _compare_groups(constants: Mapping[str, int | str]) -> str:
    return " AND ".join(f"grp.{column} = person.{column}" for column in _list_different(constants))
