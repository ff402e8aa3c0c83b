"""Resolve the rules of blocks that are for some readers only, and say them in words."""

from collections.abc import Iterator, Mapping, Sequence

from django.conf.locale import LANG_INFO
from pydantic import JsonValue

from newsletter.common.errors import BadRule
from newsletter.common.messages import Message
from newsletter.issues.snapshot.records.blocks import Block, RuleKind, ShowRule
from newsletter.issues.snapshot.records.content import IssueContent
from subscribers.models import Giving, Segment, Topic
from subscribers.segments.compile import check_rule
from subscribers.segments.resolve import resolve_rule

RuleSet = tuple[ShowRule, ...]
_GIVING = {
    Giving.NONE.value: Message("no gift known"),
    Giving.DONOR.value: Message("has given"),
    Giving.MONTHLY.value: Message("gives monthly"),
}


def resolve_show_rules(chosen: Mapping[str, str] | None) -> RuleSet:
    """Return the rules of a block without problems. ``chosen`` is its value of ``show_to``, None in a fresh draft."""
    return tuple(
        ShowRule(kind=kind, value=value, name=name, rule=rule, resolved=resolve_rule(rule))
        for kind, value, name, rule in _list_rules(chosen or {})
    )


def find_rule_problems(chosen: Mapping[str, str] | None) -> Iterator[Message]:
    """Yield why the rules of a block cannot be used, as parts of a sentence."""
    if not chosen:
        return
    key, value = chosen["attribute"], _find_attribute_value(chosen)
    if key and not value:
        yield Message("the value of the extra field “%(key)s” is empty", key=key)
    if value and not key:
        yield Message("no extra field is chosen for the value “%(value)s”", value=value)
    rules = list(_list_rules(chosen))
    kinds = {kind for kind, _value, _name, _rule in rules}
    if chosen["segment"] and "segment" not in kinds:
        yield Message("the segment “%(slug)s” that may see it was deleted", slug=chosen["segment"])
    if chosen["topic"] and "topic" not in kinds:
        yield Message("the topic “%(slug)s” of the people who may see it was deleted", slug=chosen["topic"])
    for _kind, _value, _name, rule in rules:
        try:
            check_rule(rule)
        except BadRule as error:
            yield Message("nobody can tell who may see it (%(error)s)", error=error)


def list_rule_sets(content: IssueContent) -> list[RuleSet]:
    """Return the different rules of the content's blocks, in order. One that several blocks have is there once."""
    rule_sets: list[RuleSet] = []
    for block in content.blocks:
        if block.shown_to and block.shown_to not in rule_sets:
            rule_sets.append(block.shown_to)
    return rule_sets


def list_limited_blocks(content: IssueContent) -> list[Block]:
    """Return the blocks that not everybody sees."""
    return [block for block in content.blocks if block.shown_to]


def describe_rules(rules: Sequence[ShowRule]) -> Message:
    """Return the rules as text, such as “in the segment “Volunteers”, gives monthly”."""
    return Message.joined(map(_describe_rule, rules), between=", ")


def _describe_rule(rule: ShowRule) -> Message:
    match rule.kind:
        case "segment":
            return Message("in the segment “%(name)s”", name=rule.name)
        case "topic":
            return Message("interested in %(name)s", name=rule.name)
        case "language":
            return Message(
                "reads %(language)s", language=Message(LANG_INFO.get(rule.value, {}).get("name", rule.value))
            )
        case "giving":
            return _GIVING[rule.value]
        case "attribute":
            return Message("%(key)s is %(values)s", key=rule.name, values=f"“{rule.value}”")


def _list_rules(chosen: Mapping[str, str]) -> Iterator[tuple[RuleKind, str, str, dict[str, JsonValue]]]:
    """Yield kind, value, name and condition of each rule. Leave out segments and topics that do not exist."""
    if (slug := chosen.get("segment")) and (segment := Segment.objects.filter(slug=slug).first()):
        yield "segment", slug, segment.name, segment.rule
    if (slug := chosen.get("topic")) and (topic := Topic.objects.filter(slug=slug).first()):
        yield "topic", slug, topic.name, {"topic": slug}
    if language := chosen.get("language"):
        yield "language", language, language, {"language": language}
    if giving := chosen.get("giving"):
        yield "giving", giving, giving, {"giving": giving}
    if (key := chosen.get("attribute")) and (value := _find_attribute_value(chosen)):
        yield "attribute", value, key.replace("_", " "), {"attribute": key, "is": value}


def _find_attribute_value(chosen: Mapping[str, str]) -> str:
    return (chosen.get("attribute_value") or "").strip()
