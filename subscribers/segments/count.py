"""Count the people whom a rule selects, and show a few examples. Who may be mailed is for `audience`.

With the time limit for read queries, a page is answered in time. Do not write inside it.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from django.db.models import Max, Min, QuerySet

from newsletter.common.database.bulk_sql import HasId
from newsletter.common.database.error_codes import is_interrupted
from subscribers.models import Subscriber
from subscribers.segments.compile import compile_rule
from subscribers.segments.membership import for_few_people

EXAMPLES = 20
MIN_PEOPLE_SHOWN = 5
_COUNT_MS = 220
_EXAMPLES_MS = 120
_RUN_COUNT = 40
_RUN_LENGTH = 125
# Without these, PostgreSQL looks up everybody before it filters by the few ids.
_SAMPLE_PLAN_SETTINGS = {"work_mem": "64kB", "jit": "off", "enable_bitmapscan": "off", "enable_seqscan": "off"}
_STEPS_BETWEEN_CHECKS = 10_000  # of SQLite's virtual machine


@dataclass(frozen=True)
class PeoplePreview:
    """The number of people whom a rule selects, and some examples with their locations.

    There are no examples for fewer than five people, so that nobody is singled out. If not `exact`, the number is an
    estimate from five thousand people, rounded to two significant digits.
    """

    people: int
    exact: bool
    examples: list[Subscriber]


def count_people(rule: object) -> int:
    """Return how many people the rule selects, also those who may not be mailed. Raises `BadRule`."""
    return Subscriber.objects.filter(compile_rule(rule)).count()


def preview_people(rule: object) -> PeoplePreview:
    """Return count and examples within half a second. A slow count is estimated. Raises `BadRule`."""
    selected = Subscriber.objects.filter(compile_rule(rule))
    try:
        with query_time_limit(_COUNT_MS):
            people = selected.count()
    except QueryTimeout:
        return _estimate(rule)
    if people < MIN_PEOPLE_SHOWN:
        return PeoplePreview(people, exact=True, examples=[])
    try:
        with query_time_limit(_EXAMPLES_MS):
            return PeoplePreview(people, exact=True, examples=_fetch_examples(selected))
    except QueryTimeout:
        return PeoplePreview(people, exact=True, examples=_estimate(rule).examples)


def _estimate(rule: object) -> PeoplePreview:
    numbers, of_all = _sample_ids()
    with for_few_people(), postgres_settings(**_SAMPLE_PLAN_SETTINGS):
        found = list(Subscriber.objects.filter(compile_rule(rule), HasId("pk", numbers)).values_list("pk", flat=True))
    people = len(found) * of_all / max(len(numbers), 1)  # ids without a person are in both totals
    rounded = int(round(people, min(0, 2 - len(str(int(people))))))
    if len(found) < MIN_PEOPLE_SHOWN:
        return PeoplePreview(rounded, exact=False, examples=[])
    chosen = found[:: max(len(found) // EXAMPLES, 1)][:EXAMPLES]
    return PeoplePreview(rounded, exact=False, examples=_fetch_examples(Subscriber.objects.filter(pk__in=chosen)))


def _sample_ids() -> tuple[list[int], int]:
    """Return runs of neighbouring ids spread over all people, the same each time, and the size of the whole range."""
    ends = Subscriber.objects.aggregate(first=Min("pk"), last=Max("pk"))
    first, last = ends["first"] or 0, ends["last"] or 0
    step = max((last - first + 1) // _RUN_COUNT, 1)
    within = random.Random(1)  # noqa: S311  a sample, nothing secret
    begins = (
        start + within.randrange(max(step - _RUN_LENGTH, 1)) for start in range(first, last + 1, step)[: _RUN_COUNT + 1]
    )
    numbers = [number for begin in begins for number in range(begin, min(begin + min(_RUN_LENGTH, step), last + 1))]
    return numbers, last - first + 1


def _fetch_examples(people: QuerySet[Subscriber]) -> list[Subscriber]:
    return list(people.select_related("place")[:EXAMPLES])


class QueryTimeout(Exception):
    """The query was stopped at the time limit."""


@contextmanager
def query_time_limit(milliseconds: int) -> Iterator[None]:
    """Stop the queries inside after this time and raise `QueryTimeout`."""
    try:
        if connection.vendor == "postgresql":
            with postgres_settings(statement_timeout=str(milliseconds), work_mem="64MB", jit="off"):
                yield
        else:
            with _sqlite_time_limit(milliseconds):
                yield
    except OperationalError as error:
        if is_interrupted(error):
            raise QueryTimeout from error
        raise


@contextmanager
def postgres_settings(**settings: str) -> Iterator[None]:
    """Apply PostgreSQL settings to the queries inside. Do nothing on other databases."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute(f"SET LOCAL {name} TO '{value}'")
        yield
        for name in settings:
            cursor.execute(f"SET LOCAL {name} TO DEFAULT")


@contextmanager
def _sqlite_time_limit(milliseconds: int) -> Iterator[None]:
    connection.ensure_connection()
    end = time.monotonic() + milliseconds / 1000
    connection.connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_CHECKS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)
