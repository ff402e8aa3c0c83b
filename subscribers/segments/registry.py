"""Conditions that other apps add to the rule language when they start, such as which issues a person was sent."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.functional import Promise

from subscribers.segments.rules import CONDITIONS, Condition, Group, parse_rule


@dataclass(frozen=True)
class ConditionKind:
    """A further condition `{key: text}`. Every function may raise `BadRule` with the fault alone: where it stands is added.

    `compile` gives a `Q` over `Subscriber` for the text; `say` gives its words, such as “was sent issue 12”; `choices`
    gives (text, label) pairs to choose from in the desk, and `label` and `help` are the condition's name there.
    `resolve` gives the id of the row that the text names now.
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
    """Adds a condition to the language; called once, from `AppConfig.ready`. Its key must be new."""
    if kind.key in _KINDS or kind.key in CONDITIONS:
        raise ValueError(f"The condition {kind.key} is registered twice.")
    _KINDS[kind.key] = kind


def list_condition_kinds() -> list[ConditionKind]:
    return list(_KINDS.values())


def find_kind(key: str) -> ConditionKind | None:
    return _KINDS.get(key)


def read_rule(rule: object) -> Condition | Group:
    """The rule as a tree, of our own conditions and the registered ones. Raises `BadRule`."""
    return parse_rule(rule, more=_KINDS)
