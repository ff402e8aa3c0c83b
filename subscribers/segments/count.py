"""How many people a rule selects, and a few of them. Whether they may be mailed is for `audience`."""

from dataclasses import dataclass

from subscribers.models import Subscriber
from subscribers.segments.compile import compile_rule

EXAMPLES = 20
FEWEST_SHOWN = 5


@dataclass(frozen=True)
class Size:
    people: int
    exact: bool = True


def count_people(rule: object) -> int:
    """How many people the rule selects, whether or not they may be mailed. Raises `BadRule`."""
    return Subscriber.objects.filter(compile_rule(rule)).count()


def measure_people(rule: object) -> Size:
    return Size(count_people(rule))


def sample_people(rule: object, *, most: int = EXAMPLES) -> list[Subscriber]:
    """Some of the people whom the rule selects, with their places, in no particular order. Raises `BadRule`."""
    return list(Subscriber.objects.filter(compile_rule(rule)).select_related("place")[:most])
