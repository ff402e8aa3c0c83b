"""How many people a rule selects, and a few of them. Whether they may be mailed is for `audience`."""

import random
from dataclasses import dataclass

from django.db.models import Max, Min, QuerySet

from subscribers.models import Subscriber
from subscribers.segments.among import of_few
from subscribers.segments.budget import TookTooLong, planned, time_limit
from subscribers.segments.compile import compile_rule
from subscribers.segments.one_of import OneOf

EXAMPLES = 20
FEWEST_SHOWN = 5
_COUNT_MS = 220
_EXAMPLES_MS = 120
_RUNS = 40
_RUN = 125
# PostgreSQL would rather look everybody up at once, and then ask about these few.
_PROBES = {"work_mem": "64kB", "jit": "off", "enable_bitmapscan": "off", "enable_seqscan": "off"}


@dataclass(frozen=True)
class Look:
    """How many people a rule selects, and some of them with their places; none of fewer than five, so that nobody is
    singled out. Where not `exact`, the number is an estimate from five thousand people, in two significant digits.
    """

    people: int
    exact: bool
    examples: list[Subscriber]


def count_people(rule: object) -> int:
    """How many people the rule selects, whether or not they may be mailed. Raises `BadRule`."""
    return Subscriber.objects.filter(compile_rule(rule)).count()


def sample_people(rule: object, *, most: int = EXAMPLES) -> list[Subscriber]:
    """Some of the people whom the rule selects, with their places, in no particular order. Raises `BadRule`."""
    return _some(Subscriber.objects.filter(compile_rule(rule)), most=most)


def look_at_people(rule: object, *, count_ms: int = _COUNT_MS, examples_ms: int = _EXAMPLES_MS) -> Look:
    """The count and examples, in less than half a second whatever the rule: what takes longer is estimated.

    Raises `BadRule`.
    """
    selected = Subscriber.objects.filter(compile_rule(rule))
    try:
        with time_limit(count_ms):
            people = selected.count()
    except TookTooLong:
        return _estimate(rule)
    if people < FEWEST_SHOWN:
        return Look(people, exact=True, examples=[])
    try:
        with time_limit(examples_ms):
            return Look(people, exact=True, examples=_some(selected, most=EXAMPLES))
    except TookTooLong:
        return Look(people, exact=True, examples=_estimate(rule).examples)


def _estimate(rule: object) -> Look:
    numbers, of_all = _scattered_numbers()
    with of_few(), planned(**_PROBES):
        found = list(Subscriber.objects.filter(compile_rule(rule), OneOf("pk", numbers)).values_list("pk", flat=True))
    people = len(found) * of_all / max(len(numbers), 1)  # numbers without a person count as well: so none are counted
    rounded = int(round(people, min(0, 2 - len(str(int(people))))))
    if len(found) < FEWEST_SHOWN:
        return Look(rounded, exact=False, examples=[])
    chosen = found[:: max(len(found) // EXAMPLES, 1)][:EXAMPLES]
    return Look(rounded, exact=False, examples=_some(Subscriber.objects.filter(pk__in=chosen), most=EXAMPLES))


def _scattered_numbers() -> tuple[list[int], int]:
    """Runs of neighbouring numbers, spread over all that people have, and how many those are; the same at each look."""
    ends = Subscriber.objects.aggregate(first=Min("pk"), last=Max("pk"))
    first, last = ends["first"] or 0, ends["last"] or 0
    step = max((last - first + 1) // _RUNS, 1)
    within = random.Random(1)  # noqa: S311  a sample, nothing secret
    begins = (start + within.randrange(max(step - _RUN, 1)) for start in range(first, last + 1, step)[: _RUNS + 1])
    numbers = [number for begin in begins for number in range(begin, min(begin + min(_RUN, step), last + 1))]
    return numbers, last - first + 1


def _some(people: QuerySet[Subscriber], *, most: int) -> list[Subscriber]:
    return list(people.select_related("place")[:most])
