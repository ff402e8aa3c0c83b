"""PURE. Reads a segment rule, which is data that people wrote, into a tree; refuses what it cannot understand.

A rule is `{}` (everyone), one condition such as `{"region": "GB-ENG"}`, `{"near": "London, GB", "km": 80}` or
`{"attribute": "membership", "is": "Gold"}`, or a group `{"all" | "any" | "none": [rule, …]}`. It asks no database:
whether a list or a place exists is for `conditions`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from newsletter.common.errors import BadRule
from subscribers.attribute_rules import attribute_key

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
    "attribute",
)
TESTS = ("is", "one_of", "is_set")
GIVING = ("none", "donor", "monthly")
MAX_KM = 1_000
MAX_DEPTH = 8
MAX_CONDITIONS = 200
MAX_VALUES = 100
_BESIDE = {
    "km": ("near", "near = “London, GB”"),
    **dict.fromkeys(TESTS, ("attribute", "attribute = “membership”")),
}


@dataclass(frozen=True)
class Condition:
    """One test of a person. `where` names the part of the rule, for messages.

    `km` is for `near` alone; `values` are for `attribute` alone, one of which the person's must be; `None` there asks
    that there is any value at all, and an empty tuple that there is none.
    """

    key: str
    value: str
    where: str
    km: float = 0.0
    values: tuple[str, ...] | None = ()


@dataclass(frozen=True)
class Group:
    """All, any or none of the parts. `all` of nothing is everyone."""

    kind: str
    parts: tuple["Condition | Group", ...]


def parse_rule(rule: object, *, more: Collection[str] = ()) -> Condition | Group:
    """The rule as a tree; `more` are conditions beyond `CONDITIONS`, each with a text. `BadRule` names what is at fault."""
    tree = _parse(rule, where="rule", depth=0, known=(*GROUPS, *CONDITIONS, *more))
    if len(list(conditions(tree))) > MAX_CONDITIONS:
        raise BadRule(f"The rule has more than {MAX_CONDITIONS} conditions. Split it into smaller segments.")
    return tree


def conditions(node: Condition | Group) -> list[Condition]:
    """Every condition of a tree, in reading order."""
    if isinstance(node, Condition):
        return [node]
    return [condition for part in node.parts for condition in conditions(part)]


def _parse(rule: object, *, where: str, depth: int, known: tuple[str, ...]) -> Condition | Group:
    if depth > MAX_DEPTH:
        raise BadRule(f"{where}: groups are nested more than {MAX_DEPTH} deep. Flatten the rule.")
    if not isinstance(rule, Mapping):
        raise BadRule(f'{where}: expected a condition such as {{"region": "GB-ENG"}}, found {_shown(rule)}.')
    if not rule:
        if depth:
            raise BadRule(f"{where}: this condition is empty. Fill it in or remove it.")
        return Group("all", ())
    for key in rule:
        _check_key(key, where=where, known=known)
    for kind in GROUPS:
        if kind in rule:
            return _parse_group(rule, kind=kind, where=where, depth=depth, known=known)
    return _parse_condition(rule, where=where)


def _parse_group(rule: Mapping[str, object], *, kind: str, where: str, depth: int, known: tuple[str, ...]) -> Group:
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
        tuple(
            _parse(part, where=f"{where}.{kind}[{place}]", depth=depth + 1, known=known)
            for place, part in enumerate(parts, 1)
        ),
    )


def _parse_condition(rule: Mapping[str, object], *, where: str) -> Condition:
    keys = [key for key in rule if key not in _BESIDE]
    beside = [key for key in rule if key in _BESIDE]
    if not keys:
        of, such_as = _BESIDE[beside[0]]
        raise BadRule(f"{where}: “{beside[0]}” needs “{of}” beside it, such as {such_as}.")
    if len(keys) > 1:
        raise BadRule(f"{where}: one condition each; put {_named(keys)} into separate parts of “all” or “any”.")
    key = keys[0]
    for other in beside:
        if _BESIDE[other][0] != key:
            raise BadRule(f"{where}: “{other}” goes with “{_BESIDE[other][0]}”, not with “{key}”.")
    if key == "attribute":
        return _parse_attribute(rule, tests=beside, where=where)
    km = _read_km(rule.get("km"), where=where) if key == "near" else 0.0
    return Condition(key, _read_value(key, rule[key], where=f"{where}.{key}"), f"{where}.{key}", km)


def _parse_attribute(rule: Mapping[str, object], *, tests: list[str], where: str) -> Condition:
    name = attribute_key(_read_value("attribute", rule["attribute"], where=f"{where}.attribute"))
    if not name:
        raise BadRule(f"{where}.attribute: a name has at least one letter or digit, found {_shown(rule['attribute'])}.")
    if len(tests) != 1:
        raise BadRule(f"{where}: “attribute” needs one of {_named(TESTS)} beside it, such as is = “Gold”.")
    return Condition("attribute", name, f"{where}.attribute", values=_read_test(tests[0], rule, where=where))


def _read_test(test: str, rule: Mapping[str, object], *, where: str) -> tuple[str, ...] | None:
    wanted = rule[test]
    if test == "is_set":
        if not isinstance(wanted, bool):
            raise BadRule(f"{where}.is_set: expected true or false, found {_shown(wanted)}.")
        return None if wanted else ()
    several = wanted if test == "one_of" else [wanted]
    if not isinstance(several, list | tuple) or not several:
        raise BadRule(f"{where}.one_of: expected a list of texts, found {_shown(wanted)}.")
    if len(several) > MAX_VALUES:
        raise BadRule(f"{where}.one_of: more than {MAX_VALUES} values. Give the people one attribute that says it.")
    return tuple(_read_value("attribute", value, where=f"{where}.{test}") for value in several)


def _check_key(key: object, *, where: str, known: tuple[str, ...]) -> None:
    if key in known or key in _BESIDE:
        return
    near = get_close_matches(str(key), (*known, *_BESIDE), n=1, cutoff=0.5)
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
