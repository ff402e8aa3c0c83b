"""Read and write custom attributes, one row a value, for one person or many."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice

from django.db import connection

from newsletter.common.database.bulk_sql import start_insert
from subscribers.attribute_rules import fold_value
from subscribers.models import Subscriber, SubscriberAttribute

_ROWS_AT_ONCE = 2_000  # four values each, within the 32,766 that SQLite takes in one statement


def read_attributes(person: Subscriber) -> dict[str, str]:
    """Return the person's attributes by key, in alphabetical order."""
    return dict(SubscriberAttribute.objects.filter(subscriber=person).order_by("key").values_list("key", "value"))


def read_attributes_by_person(subscriber_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Return the attributes of each of these people who has any. One query, for a few thousand people."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    rows = SubscriberAttribute.objects.filter(subscriber_id__in=list(subscriber_ids)).order_by("subscriber_id", "key")
    for subscriber_id, key, value in rows.values_list("subscriber_id", "key", "value"):
        found[subscriber_id][key] = value
    return dict(found)


def attribute_keys() -> list[str]:
    """Return every key in use, in alphabetical order, jumping through the index from one key to the next."""
    keys: list[str] = []
    rows = SubscriberAttribute.objects.order_by("key").values_list("key", flat=True)
    key = rows.first()
    while key is not None:
        keys.append(key)
        key = rows.filter(key__gt=key).first()
    return keys


def write_attributes(rows: Iterable[tuple[int, Mapping[str, str]]]) -> set[int]:
    """Set attributes of many people. Return the ids of those for whom something changed.

    Rows are (subscriber id, {key: value}), with keys and values from `clean_attributes`. Nothing is removed. Each 2,000
    values take one statement, in the caller's transaction.
    """
    values = ((pk, key, value, fold_value(value)) for pk, given in rows for key, value in given.items())
    table = SubscriberAttribute._meta.db_table
    start = f"{start_insert(table, ('subscriber_id', 'key', 'value', 'folded'))} VALUES "
    end = (
        " ON CONFLICT (subscriber_id, key) DO UPDATE SET value = excluded.value, folded = excluded.folded"
        f" WHERE {table}.value <> excluded.value RETURNING subscriber_id"
    )
    changed: set[int] = set()
    with connection.cursor() as cursor:
        while several := list(islice(values, _ROWS_AT_ONCE)):
            last = {row[:2]: row for row in several}  # one statement cannot set a row twice
            marks = ", ".join(["(%s, %s, %s, %s)"] * len(last))
            cursor.execute(start + marks + end, [value for row in last.values() for value in row])
            changed.update(found for (found,) in cursor.fetchall())
    return changed
