"""Why one person is in a segment or not: the rule with a yes or no for each part."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from subscribers.models import Subscriber
from subscribers.segments.compile import compile_condition
from subscribers.segments.labels import describe_condition
from subscribers.segments.membership import for_few_people
from subscribers.segments.registry import read_rule
from subscribers.segments.rules import Condition, Group

_GROUP_LABELS = {
    "all": gettext_lazy("all of these"),
    "any": gettext_lazy("at least one of these"),
    "none": gettext_lazy("none of these"),
}


@dataclass(frozen=True)
class RuleExplanation:
    """One part of a rule as text, and whether it holds for the person. A group has nested parts."""

    text: str
    holds: bool
    parts: tuple["RuleExplanation", ...] = ()


def explain_membership(rule: object, *, person: Subscriber) -> RuleExplanation:
    """Return the explanation of a rule for one person. Raises `BadRule`."""
    with for_few_people():
        return _explain(read_rule(rule), person=person)


def _explain(node: Condition | Group, *, person: Subscriber) -> RuleExplanation:
    if isinstance(node, Condition):
        holds = Subscriber.objects.filter(compile_condition(node), pk=person.pk).exists()
        return RuleExplanation(describe_condition(node), holds)
    if not node.parts:
        return RuleExplanation("everyone", True)
    parts = tuple(_explain(part, person=person) for part in node.parts)
    held = [part.holds for part in parts]
    holds = all(held) if node.kind == "all" else any(held) if node.kind == "any" else not any(held)
    return RuleExplanation(str(_GROUP_LABELS[node.kind]), holds, parts)
