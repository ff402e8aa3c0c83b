"""PURE. Reads a segment rule, which is data that people wrote, into a tree; refuses what it cannot understand.

A rule is `{}` (everyone), one condition such as `{"region": "GB-ENG"}` or `{"near": "London, GB", "km": 80}`, or a
group `{"all" | "any" | "none": [rule, …]}`. It asks no database: whether a list or a place exists is for `segments`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from subscribers.errors import BadRule

GROUPS = ("all", "any", "none")
CONDITIONS = (
    "list",
    "topic",
    "region",
    "country",
    "language",
    "near",
    "giving",
    "source",
    "joined_after",
    "joined_before",
)
GIVING = ("none", "donor", "monthly")
MAX_KM = 1_000
MAX_DEPTH = 8
MAX_CONDITIONS = 200


@dataclass(frozen=True)
class Condition:
    """One test of a person. `where` names the part of the rule, for messages; `km` is for `near` alone."""

    key: str
    value: str
    where: str
    km: float = 0.0


@dataclass(frozen=True)
class Group:
    """All, any or none of the parts. `all` of nothing is everyone."""

    kind: str
    parts: tuple["Condition | Group", ...]


def parse_rule(rule: object) -> Condition | Group:
    """The rule as a tree. Raises `BadRule`, which names the part at fault."""
    tree = _parse(rule, where="rule", depth=0)
    if len(list(conditions(tree))) > MAX_CONDITIONS:
        raise BadRule(f"The rule has more than {MAX_CONDITIONS} conditions. Split it into smaller segments.")
    return tree


def conditions(node: Condition | Group) -> list[Condition]:
    """Every condition of a tree, in reading order."""
    if isinstance(node, Condition):
        return [node]
    return [condition for part in node.parts for condition in conditions(part)]


def _parse(rule: object, *, where: str, depth: int) -> Condition | Group:
    if depth > MAX_DEPTH:
        raise BadRule(f"{where}: groups are nested more than {MAX_DEPTH} deep. Flatten the rule.")
    if not isinstance(rule, Mapping):
        raise BadRule(f'{where}: expected a condition such as {{"region": "GB-ENG"}}, found {_shown(rule)}.')
    if not rule:
        if depth:
            raise BadRule(f"{where}: this condition is empty. Fill it in or remove it.")
        return Group("all", ())
    for key in rule:
        _check_key(key, where=where)
    for kind in GROUPS:
        if kind in rule:
            return _parse_group(rule, kind=kind, where=where, depth=depth)
    return _parse_condition(rule, where=where)


def _parse_group(rule: Mapping[str, object], *, kind: str, where: str, depth: int) -> Group:
    if len(rule) > 1:
        others = ", ".join(f"“{key}”" for key in rule if key != kind)
        raise BadRule(f"{where}: “{kind}” stands alone, but {others} is beside it. Move it inside “{kind}”.")
    parts = rule[kind]
    if not isinstance(parts, list | tuple):
        raise BadRule(f"{where}.{kind}: expected a list of conditions, found {_shown(parts)}.")
    if not parts:
        raise BadRule(f"{where}.{kind}: the list of conditions is empty. Add one or remove “{kind}”.")
    return Group(
        kind,
        tuple(_parse(part, where=f"{where}.{kind}[{place}]", depth=depth + 1) for place, part in enumerate(parts, 1)),
    )


def _parse_condition(rule: Mapping[str, object], *, where: str) -> Condition:
    keys = [key for key in rule if key != "km"]
    if not keys:
        raise BadRule(f"{where}: “km” needs “near” beside it, such as near = “London, GB”.")
    if len(keys) > 1:
        raise BadRule(f"{where}: one condition each; put {_named(keys)} into separate parts of “all” or “any”.")
    key = keys[0]
    if "km" in rule and key != "near":
        raise BadRule(f"{where}: “km” goes with “near”, not with “{key}”.")
    km = _read_km(rule.get("km"), where=where) if key == "near" else 0.0
    return Condition(key, _read_value(key, rule[key], where=f"{where}.{key}"), f"{where}.{key}", km)


def _check_key(key: object, *, where: str) -> None:
    known = (*GROUPS, *CONDITIONS, "km")
    if key in known:
        return
    near = get_close_matches(str(key), known, n=1, cutoff=0.5)
    hint = f"Did you mean “{near[0]}”?" if near else f"Use one of {_named(known)}."
    raise BadRule(f"{where}: “{key}” is not something a rule can ask. {hint}")


def _read_value(key: str, value: object, *, where: str) -> str:
    if key in ("joined_after", "joined_before"):
        return _read_date(value, where=where)
    if not isinstance(value, str) or not value.strip():
        raise BadRule(f"{where}: expected a text, found {_shown(value)}.")
    text = value.strip()
    if key == "giving" and text not in GIVING:
        raise BadRule(f"{where}: “{text}” is not one of {_named(GIVING)}.")
    return text


def _read_date(value: object, *, where: str) -> str:
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    try:
        return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
    except ValueError as error:
        raise BadRule(f"{where}: expected a date such as 2026-01-31, found {_shown(value)}.") from error


def _read_km(value: object, *, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_KM:
        raise BadRule(f"{where}.km: expected kilometres between 1 and {MAX_KM}, found {_shown(value)}.")
    return float(value)


def _named(words: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)


def _shown(value: object) -> str:
    return "nothing" if value is None else f"{str(value)[:60]!r}"
