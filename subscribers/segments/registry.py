"""Conditions that other apps add to the rule language, such as the issues that a person was sent."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.functional import Promise

from subscribers.segments.rules import CONDITIONS, Condition, Group, parse_rule


@dataclass(frozen=True)
class ConditionKind:
    """A further condition `{key: text}`.

    `compile` returns a `Q` on `Subscriber`; `describe` its text, such as “was sent issue 12”; `choices` the (text, label)
    pairs for the desk; `resolve` the id of the row that the text names now. `label` and `help` name the condition in the
    desk. Each function may raise `BadRule` without the part's position, which is added.
    """

    key: str
    label: str | Promise
    compile: Callable[[str], Q]
    describe: Callable[[str], str]
    choices: Callable[[], list[tuple[str, str]]]
    help: str | Promise = ""
    resolve: Callable[[str], int] | None = None


_KINDS: dict[str, ConditionKind] = {}


def register_condition(kind: ConditionKind) -> None:
    """Add a condition to the language. Call it once, from `AppConfig.ready`, with a new key."""
    if kind.key in _KINDS or kind.key in CONDITIONS:
        raise ValueError(f"The condition {kind.key} is registered twice.")
    _KINDS[kind.key] = kind


def list_condition_kinds() -> list[ConditionKind]:
    return list(_KINDS.values())


def find_kind(key: str) -> ConditionKind | None:
    return _KINDS.get(key)


def read_rule(rule: object) -> Condition | Group:
    """Return the rule as a tree of built-in and registered conditions. Raises `BadRule`."""
    return parse_rule(rule, more=_KINDS)
