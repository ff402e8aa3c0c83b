"""A rule of a block that is for some readers only."""

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

RuleKind = Literal["segment", "topic", "language", "giving", "attribute"]


@dataclass(frozen=True, slots=True)
class ShowRule:
    """``name`` is the name of the segment or topic that ``value`` is the slug of, or of the attribute.

    ``rule`` is the condition for `subscribers.segments.compile`. ``resolved`` is the same with the ids of what it names:
    whoever approves the block approves these rows.
    """

    kind: RuleKind
    value: str
    name: str
    rule: dict[str, JsonValue]
    resolved: dict[str, JsonValue]
