"""Parse a segment rule, which is data that people wrote, into a tree. No database.

A rule is `{}` (everyone), one condition such as `{"region": "GB-ENG"}`, `{"near": "London, GB", "km": 80}` or `{"attribute":
"membership", "is": "Gold"}`, or a group `{"all" | "any" | "none": [rule, …]}`. `conditions` checks that a list or a place
exists.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from newsletter.common.errors import BadRule
from newsletter.common.languages import normalise_language_code
from newsletter.common.messages import Message
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
_KEYS_WITH_OTHERS = {
    "km": ("near", Message("near = “London, GB”")),
    **dict.fromkeys(TESTS, ("attribute", Message("attribute = “membership”"))),
}


@dataclass(frozen=True)
class Condition:
    """One test of a person. `where` names the part of the rule, for messages.

    `km` is used by `near` only. `values` is used by `attribute` only: the person must have one of them. None means any
    value, and an empty tuple means no value.
    """

    key: str
    value: str
    where: str
    km: float = 0.0
    values: tuple[str, ...] | None = ()


@dataclass(frozen=True)
class Group:
    """All, any or none of the parts. `all` without parts is everyone."""

    kind: str
    parts: tuple["Condition | Group", ...]


def parse_rule(rule: object, *, more: Collection[str] = ()) -> Condition | Group:
    """Return the rule as a tree. `more` names conditions beyond `CONDITIONS`, each with a text.

    Raises:
        BadRule: The message names the wrong part.
    """
    tree = _parse(rule, where="rule", depth=0, known_keys=(*GROUPS, *CONDITIONS, *more))
    if len(list_conditions(tree)) > MAX_CONDITIONS:
        raise BadRule(
            "The rule has more than %(max_conditions)s conditions. Split it into smaller segments.",
            max_conditions=MAX_CONDITIONS,
        )
    return tree


def list_conditions(node: Condition | Group) -> list[Condition]:
    """Return every condition of a tree, in reading order."""
    if isinstance(node, Condition):
        return [node]
    return [condition for part in node.parts for condition in list_conditions(part)]


def use_usual_codes(rule: Mapping[str, object]) -> dict[str, object]:
    """Return a rule that `parse_rule` accepts as it is stored: with the usual form of each language code."""
    usual = dict(rule)
    for key, value in rule.items():
        if key in GROUPS and isinstance(value, list | tuple):
            usual[key] = [use_usual_codes(part) for part in value]
        elif key == "language":
            usual[key] = normalise_language_code(str(value))
    return usual


def _parse(rule: object, *, where: str, depth: int, known_keys: tuple[str, ...]) -> Condition | Group:
    if depth > MAX_DEPTH:
        raise BadRule(
            "%(where)s: groups are nested more than %(max_depth)s deep. Flatten the rule.",
            where=where,
            max_depth=MAX_DEPTH,
        )
    if not isinstance(rule, Mapping):
        raise BadRule(
            '%(where)s: expected a condition such as {"region": "GB-ENG"}, found %(rule)s.',
            where=where,
            rule=_shown(rule),
        )
    if not rule:
        if depth:
            raise BadRule("%(where)s: this condition is empty. Fill it in or remove it.", where=where)
        return Group("all", ())
    for key in rule:
        _check_key(key, where=where, known_keys=known_keys)
    for kind in GROUPS:
        if kind in rule:
            return _parse_group(rule, kind=kind, where=where, depth=depth, known_keys=known_keys)
    return _parse_condition(rule, where=where)


def _parse_group(
    rule: Mapping[str, object], *, kind: str, where: str, depth: int, known_keys: tuple[str, ...]
) -> Group:
    if len(rule) > 1:
        others = ", ".join(f"“{key}”" for key in rule if key != kind)
        raise BadRule(
            "%(where)s: “%(kind)s” stands alone, but %(others)s is beside it. Move it inside “%(kind_2)s”.",
            where=where,
            kind=kind,
            others=others,
            kind_2=kind,
        )
    parts = rule[kind]
    if not isinstance(parts, list | tuple):
        raise BadRule(
            "%(where)s.%(kind)s: expected a list of conditions, found %(parts)s.",
            where=where,
            kind=kind,
            parts=_shown(parts),
        )
    if not parts:
        raise BadRule(
            "%(where)s.%(kind)s: the list of conditions is empty. Add one or remove “%(kind_2)s”.",
            where=where,
            kind=kind,
            kind_2=kind,
        )
    return Group(
        kind,
        tuple(
            _parse(part, where=f"{where}.{kind}[{place}]", depth=depth + 1, known_keys=known_keys)
            for place, part in enumerate(parts, 1)
        ),
    )


def _parse_condition(rule: Mapping[str, object], *, where: str) -> Condition:
    keys = [key for key in rule if key not in _KEYS_WITH_OTHERS]
    extra_keys = [key for key in rule if key in _KEYS_WITH_OTHERS]
    if not keys:
        of, such_as = _KEYS_WITH_OTHERS[extra_keys[0]]
        raise BadRule(
            "%(where)s: “%(beside)s” needs “%(of)s” beside it, such as %(such_as)s.",
            where=where,
            beside=extra_keys[0],
            of=of,
            such_as=such_as,
        )
    if len(keys) > 1:
        raise BadRule(
            "%(where)s: one condition each; put %(keys)s into separate parts of “all” or “any”.",
            where=where,
            keys=_named(keys),
        )
    key = keys[0]
    for extra_key in extra_keys:
        if _KEYS_WITH_OTHERS[extra_key][0] != key:
            raise BadRule(
                "%(where)s: “%(other)s” goes with “%(beside)s”, not with “%(key)s”.",
                where=where,
                other=extra_key,
                beside=_KEYS_WITH_OTHERS[extra_key][0],
                key=key,
            )
    if key == "attribute":
        return _parse_attribute(rule, tests=extra_keys, where=where)
    km = _read_km(rule.get("km"), where=where) if key == "near" else 0.0
    return Condition(key, _read_value(key, rule[key], where=f"{where}.{key}"), f"{where}.{key}", km)


def _parse_attribute(rule: Mapping[str, object], *, tests: list[str], where: str) -> Condition:
    name = attribute_key(_read_value("attribute", rule["attribute"], where=f"{where}.attribute"))
    if not name:
        raise BadRule(
            "%(where)s.attribute: a name has at least one letter or digit, found %(attribute)s.",
            where=where,
            attribute=_shown(rule["attribute"]),
        )
    if len(tests) != 1:
        raise BadRule(
            "%(where)s: “attribute” needs one of %(tests)s beside it, such as is = “Gold”.",
            where=where,
            tests=_named(TESTS),
        )
    return Condition("attribute", name, f"{where}.attribute", values=_read_test(tests[0], rule, where=where))


def _read_test(test: str, rule: Mapping[str, object], *, where: str) -> tuple[str, ...] | None:
    given = rule[test]
    if test == "is_set":
        if not isinstance(given, bool):
            raise BadRule(
                "%(where)s.is_set: expected true or false, found %(wanted)s.", where=where, wanted=_shown(given)
            )
        return None if given else ()
    several = given if test == "one_of" else [given]
    if not isinstance(several, list | tuple) or not several:
        raise BadRule(
            "%(where)s.one_of: expected a list of texts, found %(wanted)s.", where=where, wanted=_shown(given)
        )
    if len(several) > MAX_VALUES:
        raise BadRule(
            "%(where)s.one_of: more than %(max_values)s values. Give the people one extra field that says it.",
            where=where,
            max_values=MAX_VALUES,
        )
    return tuple(_read_value("attribute", value, where=f"{where}.{test}") for value in several)


def _check_key(key: object, *, where: str, known_keys: tuple[str, ...]) -> None:
    if key in known_keys or key in _KEYS_WITH_OTHERS:
        return
    near = get_close_matches(str(key), (*known_keys, *_KEYS_WITH_OTHERS), n=1, cutoff=0.5)
    hint = (
        Message("Did you mean “%(near)s”?", near=near[0])
        if near
        else Message("Use one of %(known)s.", known=_named(known_keys))
    )
    raise BadRule("%(where)s: “%(key)s” is not something a rule can ask. %(hint)s", where=where, key=key, hint=hint)


def _read_value(key: str, value: object, *, where: str) -> str:
    if key in ("joined_after", "joined_before"):
        return _read_date(value, where=where)
    if not isinstance(value, str) or not value.strip():
        raise BadRule("%(where)s: expected a text, found %(value)s.", where=where, value=_shown(value))
    text = value.strip()
    if key == "giving" and text not in GIVING:
        raise BadRule("%(where)s: “%(text)s” is not one of %(giving)s.", where=where, text=text, giving=_named(GIVING))
    return normalise_language_code(text) or text if key == "language" else text


def _read_date(value: object, *, where: str) -> str:
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    try:
        return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
    except ValueError as error:
        raise BadRule(
            "%(where)s: expected a date such as 2026-01-31, found %(value)s.", where=where, value=_shown(value)
        ) from error


def _read_km(value: object, *, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_KM:
        raise BadRule(
            "%(where)s.km: expected kilometres between 1 and %(max_km)s, found %(value)s.",
            where=where,
            max_km=MAX_KM,
            value=_shown(value),
        )
    return float(value)


def _named(words: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)


def _shown(value: object) -> str:
    return "nothing" if value is None else f"{str(value)[:60]!r}"
