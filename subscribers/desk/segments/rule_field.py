"""The segment builder as a form field. It converts a rule to a stream of blocks, and back to the same rule."""

from collections.abc import Hashable
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import Media
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from wagtail import blocks
from wagtail.admin.telepath import register
from wagtail.blocks.base import BlockField
from wagtail.blocks.stream_block import StreamBlockAdapter, StreamValue

from newsletter.common.errors import BadRule
from newsletter.common.translation import translate
from subscribers.desk.editing.described_blocks import DescribedBlockWidget
from subscribers.desk.segments.rule_block_bases import Rule
from subscribers.desk.segments.rule_blocks import (
    AttributeChoice,
    GivingChoice,
    JoinedChoice,
    KindChoice,
    LanguageChoice,
    ListChoice,
    PlaceChoice,
    SourceText,
    TopicChoice,
    TownChoice,
    UnsupportedRuleBlock,
)
from subscribers.segments.compile import clean_rule
from subscribers.segments.registry import list_condition_kinds, read_rule
from subscribers.segments.rules import GROUPS, MAX_DEPTH

_BLOCK_OF = {
    "list": "list",
    "topic": "topic",
    "region": "place",
    "country": "place",
    "near": "near",
    "language": "language",
    "giving": "giving",
    "joined_after": "joined",
    "joined_before": "joined",
    "source": "source",
    "attribute": "attribute",
}
_MATCHES = [
    ("all", gettext_lazy("all of these are true")),
    ("any", gettext_lazy("at least one of these is true")),
    ("none", gettext_lazy("none of these is true")),
]


class ConditionsBlock(blocks.StreamBlock):
    """Conditions of a rule. The menu that adds one leaves out those of which there may be none."""


class _ConditionsAdapter(StreamBlockAdapter):
    js_constructor = "subscribers.Conditions"

    @cached_property
    def media(self) -> Media:
        media: Media = super().media + Media(js=["subscribers/conditions.js"])
        return media


register(_ConditionsAdapter(), ConditionsBlock)


def make_builder() -> blocks.StreamBlock:
    """Return the builder's blocks: conditions, and groups of them, nested up to `MAX_DEPTH`."""
    leaves: list[tuple[str, blocks.Block]] = [
        ("list", ListChoice(group=gettext_lazy("Preferences"))),
        ("topic", TopicChoice(group=gettext_lazy("Preferences"))),
        ("language", LanguageChoice(group=gettext_lazy("Preferences"))),
        ("place", PlaceChoice(group=gettext_lazy("Location"))),
        ("near", TownChoice(group=gettext_lazy("Location"))),
        ("giving", GivingChoice(group=gettext_lazy("Information about them"))),
        ("joined", JoinedChoice(group=gettext_lazy("Information about them"))),
        ("source", SourceText(group=gettext_lazy("Information about them"))),
        ("attribute", AttributeChoice(group=gettext_lazy("Information about them"))),
        *((kind.key, KindChoice(kind, group=gettext_lazy("Activity"))) for kind in list_condition_kinds()),
        ("unread", UnsupportedRuleBlock(group=gettext_lazy("Activity"))),
    ]
    hidden = {"unread": {"max_num": 0}}
    here = ConditionsBlock(leaves, block_counts=hidden, label=gettext_lazy("Conditions"))
    for _ in range(MAX_DEPTH):
        group = blocks.StructBlock(
            [
                ("match", blocks.ChoiceBlock(choices=_MATCHES, default="any", label=gettext_lazy("True when"))),
                ("rules", here),
            ],
            label=gettext_lazy("A group of conditions"),
            icon="folder-open-inverse",
            label_format="{match}",
            group=gettext_lazy("Combine"),
        )
        here = ConditionsBlock([*leaves, ("group", group)], block_counts=hidden, label=gettext_lazy("Conditions"))
    here.meta.required = False
    return here


def to_stream(rule: object, *, builder: blocks.StreamBlock) -> StreamValue:
    """Return the rule as the builder's blocks. The outermost “all” is the stream itself."""
    parts: Any = []
    if isinstance(rule, dict) and rule:
        outer = rule.get("all") if list(rule) == ["all"] else None
        parts = outer if isinstance(outer, list) and len(outer) > 1 else [rule]
    return _make_stream(parts, stream=builder)


def to_rule(stream: StreamValue) -> Rule:
    """Return the rule of the builder's blocks. No block gives the empty rule, which selects everybody."""
    parts = _rules(stream)
    if len(parts) > 1:
        return {"all": parts}
    return parts[0] if parts else {}


class _RuleWidget(DescribedBlockWidget):
    """The builder. A group offers the same conditions as the builder itself."""

    def list_choices(self) -> Hashable:
        """Return the choices of each condition. Lists, topics, issues and values of saved rules are rows, so they change."""
        fields = [
            part.field
            for condition in self.block_def.child_blocks.values()
            for part in (condition, *getattr(condition, "child_blocks", {}).values())
            if isinstance(part, blocks.ChoiceBlock)
        ]
        return tuple(tuple(field.widget.choices) for field in fields)


class RuleField(BlockField):
    """A form field whose value is a segment's rule. An invalid rule becomes a validation error."""

    def __init__(self, **kwargs: object) -> None:
        builder = make_builder()
        super().__init__(builder, required=False, widget=_RuleWidget(builder), **kwargs)

    def prepare_value(self, value: object) -> StreamValue:
        return value if isinstance(value, StreamValue) else to_stream(value, builder=self.block)

    def clean(self, value: object) -> Rule:
        try:
            return clean_rule(to_rule(super().clean(value)))
        except BadRule as error:
            raise ValidationError(translate(error)) from error

    def has_changed(self, initial: object, data: StreamValue) -> bool:
        return bool(to_rule(self.prepare_value(initial)) != to_rule(data))


def _make_stream(parts: list[Any], *, stream: blocks.StreamBlock) -> StreamValue:
    return StreamValue(stream, [_make_child(part, stream=stream) for part in parts])


def _make_child(rule: Any, *, stream: blocks.StreamBlock) -> tuple[str, Any]:
    try:
        read_rule(rule)
    except BadRule:
        if not _is_rule_group(rule):
            return "unread", UnsupportedRuleBlock().from_rule(rule)
    kind = next(iter(rule))
    if _is_rule_group(rule):
        if "group" not in stream.child_blocks:
            return "unread", UnsupportedRuleBlock().from_rule(rule)
        group = stream.child_blocks["group"]
        inner = _make_stream(rule[kind], stream=group.child_blocks["rules"])
        return "group", blocks.StructValue(group, [("match", kind), ("rules", inner)])
    name = _BLOCK_OF.get(_key_of(rule), _key_of(rule))
    block = stream.child_blocks[name]
    value = block.from_rule(rule)
    return name, blocks.StructValue(block, value.items()) if isinstance(value, dict) else value


def _is_rule_group(rule: object) -> bool:
    return (
        isinstance(rule, dict)
        and len(rule) == 1
        and next(iter(rule)) in GROUPS
        and isinstance(next(iter(rule.values())), list)
    )


def _key_of(rule: Rule) -> str:
    return next(key for key in rule if key not in ("km", "is", "one_of", "is_set"))


def _rules(stream: StreamValue) -> list[Rule]:
    return [
        {child.value["match"]: _rules(child.value["rules"])}
        if child.block_type == "group"
        else child.block.to_rule(child.value)
        for child in stream
    ]
