"""Why one person is in a segment or not: the rule again, with a yes or a no at each of its parts."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from subscribers.models import Subscriber
from subscribers.segments.among import of_few
from subscribers.segments.compile import compile_condition
from subscribers.segments.labels import say_condition
from subscribers.segments.registry import read_rule
from subscribers.segments.rules import Condition, Group

_HEADS = {
    "all": gettext_lazy("all of these"),
    "any": gettext_lazy("at least one of these"),
    "none": gettext_lazy("none of these"),
}


@dataclass(frozen=True)
class Judgement:
    """One part of a rule, in words, and whether it holds for the person; a group has its parts below it."""

    words: str
    holds: bool
    parts: tuple["Judgement", ...] = ()


def explain_person(rule: object, *, person: Subscriber) -> Judgement:
    """The rule as it holds for one person. Raises `BadRule`."""
    with of_few():
        return _judge(read_rule(rule), person=person)


def _judge(node: Condition | Group, *, person: Subscriber) -> Judgement:
    if isinstance(node, Condition):
        holds = Subscriber.objects.filter(compile_condition(node), pk=person.pk).exists()
        return Judgement(say_condition(node), holds)
    if not node.parts:
        return Judgement("everyone", True)
    parts = tuple(_judge(part, person=person) for part in node.parts)
    held = [part.holds for part in parts]
    holds = all(held) if node.kind == "all" else any(held) if node.kind == "any" else not any(held)
    return Judgement(str(_HEADS[node.kind]), holds, parts)
