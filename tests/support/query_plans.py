"""The plans of the statements that a page makes, on SQLite: which of them read a whole large table."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection

LARGE_TABLES = frozenset(
    apps.get_model(name)._meta.db_table
    for name in (
        "newsletter.bounce",
        "newsletter.correcteddelivery",
        "newsletter.delivered",
        "newsletter.delivery",
        "newsletter.deliveryexception",
        "newsletter.providerevent",
        "newsletter.senderdelay",
        "newsletter.templatemail",
        "subscribers.consentevent",
        "subscribers.importpiece",
        "subscribers.outboundevent",
        "subscribers.subscriber",
        "subscribers.subscriberattribute",
        "subscribers.subscription",
        "subscribers.suppression",
        "subscribers.webhookdelivery",
    )
)
_SMALL_TABLES = frozenset(connection.introspection.django_table_names()) - LARGE_TABLES
_EXPLAINED = ("SELECT", "WITH", "UPDATE", "DELETE")
_NAMED = re.compile(r'(?:FROM|JOIN|UPDATE)\s+"?(\w+)"?(?:\s+(?:AS\s+)?"?(\w+)"?)?')
_STOPS = re.compile(r" LIMIT \d+( OFFSET \d+)?(\) subquery)?\s*$")
_SCAN = re.compile(r"^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")
_INDEXES_OF_FEW = {"subscription_unconfirmed", "subscription_rarer"}
"""Partial indexes that hold only the rows that are looked for."""


@dataclass
class Plans:
    """The number of statements that were explained, and those that read a whole large table, as (tables, SQL)."""

    queries: int = 0
    scans: list[tuple[frozenset[str], str]] = field(default_factory=list)


@contextmanager
def watch_plans() -> Iterator[Plans]:
    """Explain each SELECT, UPDATE and DELETE of this block. Works on SQLite only.

    INSERT … SELECT is left out: the freeze reads everybody by it.
    """
    plans = Plans()

    def explain(execute: Callable[..., object], sql: str, params: Any, many: bool, context: Any) -> object:
        if not many and sql.lstrip("( \n").upper().startswith(_EXPLAINED):
            plans.queries += 1
            if tables := find_scanned_tables(sql, params):
                plans.scans.append((tables, sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield plans


def find_scanned_tables(sql: str, params: Sequence[object] | None) -> frozenset[str]:
    """Return what this query reads from the first row to the last: large tables, and an inner part once for each row.

    A read without a condition that ends at a LIMIT is none, because it stops early. A DELETE also reads the tables whose
    foreign keys SQLite checks.
    """
    question = re.sub(r"(?<!%)%s", "?", sql).replace("%%", "%")
    steps = connection.connection.execute(f"EXPLAIN QUERY PLAN {question}", tuple(params or ())).fetchall()
    stops_early = (
        bool(_STOPS.search(sql)) and " WHERE " not in sql and not any("TEMP B-TREE" in step[3] for step in steps)
    )
    large: set[str] = set()
    outer: set[int] = set()
    for _, parent, _, detail in steps:
        scan = _SCAN.match(detail)
        if scan and scan[2] not in _INDEXES_OF_FEW:
            tables = {table for table, alias in _NAMED.findall(sql) if scan[1] in (table, alias)} or {scan[1]}
            if parent in outer and not tables & _SMALL_TABLES:
                large.add(f"{scan[1]} for each row of another")
            outer.add(parent)
            if not stops_early:
                large |= LARGE_TABLES & tables
    return frozenset(large)
