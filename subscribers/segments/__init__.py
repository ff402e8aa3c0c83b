"""What a segment rule means: the people it selects, its words, its count. Who may be mailed is for `audience`."""

from subscribers.segments.among import among
from subscribers.segments.compile import check_rule, compile_rule
from subscribers.segments.count import count_people, look_at_people, sample_people
from subscribers.segments.labels import explain_rule
from subscribers.segments.person import Judgement, explain_person
from subscribers.segments.registry import ConditionKind, register_condition
from subscribers.segments.resolve import resolve_rule

__all__ = [
    "ConditionKind",
    "Judgement",
    "among",
    "check_rule",
    "compile_rule",
    "count_people",
    "explain_person",
    "explain_rule",
    "look_at_people",
    "register_condition",
    "resolve_rule",
    "sample_people",
]
