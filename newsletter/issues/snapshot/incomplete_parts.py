"""Find what keeps an issue from being complete: texts that are too long, and blocks that staff did not finish.

The editor keeps all of it as a draft. No mail shows an unfinished block.
"""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.html import strip_tags
from wagtail import blocks
from wagtail.blocks import StreamValue
from wagtail.blocks.field_block import ChooserBlock

from newsletter.common.messages import Message
from newsletter.common.text import count_characters
from newsletter.issues.snapshot.filled_blocks import FILLED_BLOCKS
from newsletter.issues.snapshot.records.content import MAX_CASES, MAX_RULE_SETS, MAX_STORIES
from newsletter.issues.snapshot.show_rules import find_rule_problems
from newsletter.models import Issue, Story
from newsletter.models.body_fields import (
    CheckedBlock,
    DescribedPicture,
    LimitedBlock,
    ShowToBlock,
    label_in_english,
)
from newsletter.models.missing_blocks import MissingBlock
from newsletter.rendering.block_kind import BLOCK_KINDS

_FIELD_LABELS = {"subject": Message("Subject"), "preheader": Message("Preheader"), "headline": Message("Headline")}


class IncompletePart(NamedTuple):
    """The key of a block, or the name of a field of the issue, and a sentence on what is wrong with it."""

    key: str
    message: str


def find_incomplete_parts(issue: Issue) -> list[IncompletePart]:
    """Return the parts that cannot be approved yet: fields of the issue, then blocks, in their order."""
    return [*_find_long_texts(issue), *_find_incomplete_blocks(issue), *_find_too_many(issue)]


def _find_long_texts(issue: Issue) -> Iterator[IncompletePart]:
    for name, limit in Issue.TEXT_LIMITS.items():
        for problem in _list_long(getattr(issue, name), limit=limit, label=_FIELD_LABELS[name]):
            yield IncompletePart(key=name, message=Message("%(problem)s. Shorten it.", problem=problem))


def _find_too_many(issue: Issue) -> Iterator[IncompletePart]:
    """A block with more rules than these limits cannot be evaluated, so it is sent to nobody."""
    stories = [story for child in issue.body for story in _list_stories(child)]
    cases = {story.case_id for story in stories if story is not None and story.case_id is not None}
    rules = {chosen for child in issue.body if (chosen := _list_chosen_rules(child.value))}
    if len(stories) > MAX_STORIES:
        yield _make_part(
            Message(
                "It has %(stories)s stories, and an issue can have %(limit)s. Take some out.",
                stories=len(stories),
                limit=MAX_STORIES,
            )
        )
    if len(cases) > MAX_CASES:
        yield _make_part(
            Message(
                "Its stories belong to %(cases)s cases, and an issue can have %(limit)s. Take some of these stories out.",
                cases=len(cases),
                limit=MAX_CASES,
            )
        )
    if len(rules) > MAX_RULE_SETS:
        yield _make_part(
            Message(
                "Its blocks have %(rules)s different choices of “Show to”, and an issue can have %(limit)s. Use the same choice "
                "for more of them, or take some out.",
                rules=len(rules),
                limit=MAX_RULE_SETS,
            )
        )


def _make_part(message: Message) -> IncompletePart:
    return IncompletePart(key="body", message=message)


def _list_stories(child: StreamValue.StreamChild) -> list[Story | None]:
    match child.block_type:
        case "lead_story":
            return [child.value["story"]]
        case "stories":
            return [item["story"] for item in child.value["stories"]]
        case _:
            return []


def _list_chosen_rules(value: object) -> tuple[tuple[str, str], ...]:
    """Return what a block's “Show to” has, in a fixed order; () if everybody sees the block."""
    chosen = value.get("show_to") if isinstance(value, Mapping) else None
    return tuple(sorted((name, text) for name, text in (chosen or {}).items() if text))


def _find_incomplete_blocks(issue: Issue) -> Iterator[IncompletePart]:
    with issue.body.stream_block.validation_lock:
        for number, (child, raw) in enumerate(zip(issue.body, issue.body.raw_data, strict=True), 1):
            if isinstance(child.block, MissingBlock):
                yield IncompletePart(
                    key=child.id or "",
                    message=Message(
                        "Block %(number)s, %(kind)s, is not available. %(why)s Until then the block is kept as it is. Or delete "
                        "the block.",
                        number=number,
                        kind=child.block.kind,
                        why=BLOCK_KINDS.explain_missing(child.block.kind),
                    ),
                )
            elif child.block_type in FILLED_BLOCKS and not issue.is_welcome:
                yield IncompletePart(
                    key=child.id or "",
                    message=Message(
                        "Block %(number)s, %(kind)s, works only in a welcome mail. Delete the block.",
                        number=number,
                        kind=label_in_english(child.block),
                    ),
                )
            elif problems := list(find_value_problems(child.block, child.value, raw["value"])):
                message = Message(
                    "Block %(number)s, %(kind)s, is unfinished: %(problems)s. Complete it, or delete the block.",
                    number=number,
                    kind=label_in_english(child.block),
                    problems=Message.joined(problems, between=", "),
                )
                yield IncompletePart(key=child.id or "", message=message)


def find_value_problems(block: blocks.Block, value: Any, raw: Any) -> Iterator[Message]:
    """Yield what is wrong with a value. ``raw`` is the value as JSON: in it, a deleted row differs from no chosen row."""
    match block:
        case ShowToBlock():
            yield from find_rule_problems(value)
        case blocks.StructBlock():
            for name, child in block.child_blocks.items():
                yield from find_value_problems(child, value.get(name), (raw or {}).get(name))
            if isinstance(block, DescribedPicture) and value["image"] and not block.find_alt(value):
                yield Message("“%(field)s” is empty", field=label_in_english(block.child_blocks["alt"]))
        case blocks.ListBlock():
            items = [item["value"] if isinstance(item, dict) and "value" in item else item for item in raw or ()]
            yield from _list_problems_of_number(block, len(items))
            for number, (item, native) in enumerate(zip_longest(items, value or ()), 1):
                for problem in _list_problems_of_item(block, item, native):
                    yield _say_where(problem, number) if len(items) > 1 else problem
        case blocks.ChoiceBlock():
            return  # without a choice, its default applies
        case ChooserBlock() if value is None and block.required:
            yield Message("“%(field)s” is empty", field=label_in_english(block))
        case blocks.RichTextBlock():
            # `required` would build the editor, for which Wagtail imports the whole desk.
            if block.field_options["required"] and not (value and strip_tags(value.source).strip()):
                yield Message("“%(field)s” is empty", field=label_in_english(block))
        case blocks.FieldBlock() if block.required and value in (None, ""):
            yield Message("“%(field)s” is empty", field=label_in_english(block))
        case CheckedBlock() if value and (wrong := block.find_problem(value)):
            yield wrong
        case LimitedBlock() if too_long := list(
            _list_long(value or "", limit=block.limit, label=label_in_english(block))
        ):
            yield from too_long
        case blocks.URLBlock() if value and not _is_address(block, value):
            yield Message("“%(field)s” is not a web address", field=label_in_english(block))


def _list_problems_of_number(block: blocks.ListBlock, number: int) -> Iterator[Message]:
    minimum, maximum = block.meta.min_num or 0, block.meta.max_num
    if number < minimum and not number:
        yield Message("“%(field)s” is empty", field=label_in_english(block))
    elif number < minimum:
        yield Message(
            "“%(field)s” has %(number)s; at least %(minimum)s are needed",
            field=label_in_english(block),
            number=number,
            minimum=minimum,
        )
    if maximum is not None and number > maximum:
        yield Message(
            "“%(field)s” has %(number)s; at most %(maximum)s are allowed",
            field=label_in_english(block),
            number=number,
            maximum=maximum,
        )


def _say_where(problem: Message, number: int) -> Message:
    return Message("%(problem)s (row %(number)s)", problem=problem, number=number)


def _list_problems_of_item(block: blocks.ListBlock, item: Any, native: Any) -> Iterator[Message]:
    """Yield what is wrong with one item. A chosen row that was deleted is no problem: the mail leaves it out."""
    if isinstance(block.child_block, blocks.StructBlock):
        pictures = [
            name for name, child in block.child_block.child_blocks.items() if isinstance(child, DescribedPicture)
        ]
        value = {**(item or {}), **{name: native[name] for name in pictures}}
        yield from find_value_problems(block.child_block, value, item)
    elif item in (None, ""):
        yield Message("“%(field)s” has an empty line", field=label_in_english(block))
    elif isinstance(block.child_block, LimitedBlock):
        yield from _list_long(item, limit=block.child_block.limit, label=label_in_english(block))


def _list_long(text: str, *, limit: int, label: Message) -> Iterator[Message]:
    """Yield what is wrong with the length of a text, if it is too long. A line break counts as one character."""
    length = count_characters(text)
    if length > limit:
        yield Message(
            "“%(field)s” has %(length)s characters; at most %(limit)s are allowed",
            field=label,
            length=length,
            limit=limit,
        )


def _is_address(block: blocks.URLBlock, text: str) -> bool:
    try:
        block.field.clean(text)
    except ValidationError:
        return False
    return True
