"""Add, change, move and delete blocks in the body of a draft. Nothing is saved here.

Only blocks of own words are written: notes, quotes, links, buttons. Blocks that show rows (stories, events, appeals, pictures)
are chosen in the editor; they are moved and deleted as any other.
"""

import uuid
from collections.abc import Sequence
from typing import TypeGuard

from django.utils.functional import Promise
from wagtail import blocks
from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter
from wagtail.blocks.field_block import ChooserBlock

from newsletter.common.errors import DomainError, NotFound
from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.common.messages import Message
from newsletter.issues.snapshot.filled_blocks import FILLED_BLOCKS
from newsletter.issues.snapshot.incomplete_parts import find_value_problems
from newsletter.models import Issue
from newsletter.models.missing_blocks import MissingBlock
from newsletter.rendering.clean_text import UNSAFE_IN_LINE
from subscribers.models import Giving

AT_START, AT_END = "start", "end"
"""Positions of a block. Any other position is the id of the block before it."""
MAX_PART_BLOCKS = 100
RawBlock = dict[str, object]
_FIXED_RULES = {"language": OFFERED_LANGUAGES, "giving": tuple(Giving.values)}
"""The rules of “Show to” whose choices are not rows."""
_PARTS = uuid.UUID("6d1a5f0e-3f0b-4b0c-9d58-2f5f4f0f7c11")


class BadBlock(DomainError):
    """A block cannot be stored with this type or these values."""


def list_own_types(issue: Issue) -> dict[str, blocks.Block]:
    """Return the blocks of own words by their type."""
    children = issue.body.stream_block.child_blocks
    return {kind: block for kind, block in children.items() if kind not in FILLED_BLOCKS and not _needs_editor(block)}


def add_block(issue: Issue, *, kind: str, value: RawBlock, after: str) -> str:
    """Add a block of own words, and return its id. Raises BadBlock; NotFound if the block before it is gone."""
    new = str(uuid.uuid4())
    raw = issue.body.get_prep_value()
    insert_raw_block(raw, {"type": kind, "value": _make_value(issue, kind, value), "id": new}, after=after)
    _set_body(issue, raw)
    return new


def change_block(issue: Issue, *, block: str, value: RawBlock) -> None:
    """Replace these fields of a block of own words. Raises BadBlock; NotFound if it is gone."""
    raw = issue.body.get_prep_value()
    raw_block = raw[_find(raw, block)]
    raw_block["value"] = _make_value(issue, raw_block["type"], value, stored=raw_block["value"])
    _set_body(issue, raw)


def move_block(issue: Issue, *, block: str, after: str) -> None:
    """Move any block. Raises NotFound if it, or the block before its new position, is gone."""
    raw = issue.body.get_prep_value()
    if after == block:
        return
    insert_raw_block(raw, raw.pop(_find(raw, block)), after=after)
    _set_body(issue, raw)


def delete_block(issue: Issue, *, block: str) -> None:
    """Delete any block. Raises NotFound if it is gone."""
    raw = issue.body.get_prep_value()
    del raw[_find(raw, block)]
    _set_body(issue, raw)


def replace_part(issue: Issue, *, part: str, blocks: Sequence[tuple[str, RawBlock]]) -> None:
    """Set the blocks of a part: at the place of its first block, or at the end. ``blocks`` are types and values.

    The ids of its blocks are made of its name, so that nothing else records which blocks belong to it. Raises BadBlock.
    """
    ids = [str(uuid.uuid5(_PARTS, f"{part}/{number}")) for number in range(MAX_PART_BLOCKS)]
    new = [
        {"type": kind, "value": _make_value(issue, kind, value), "id": id_}
        for id_, (kind, value) in zip(ids, blocks, strict=False)
    ]
    raw, own_ids = issue.body.get_prep_value(), set(ids)
    first = next((position for position, child in enumerate(raw) if child["id"] in own_ids), len(raw))
    others = [child for child in raw[first:] if child["id"] not in own_ids]
    _set_body(issue, [*raw[:first], *new, *others])


def insert_raw_block(raw: list[RawBlock], block: RawBlock, *, after: str) -> None:
    """Insert a block, as it is stored, at a position. Raises NotFound if the block before it is gone."""
    ends = {AT_START: 0, AT_END: len(raw)}
    if after not in ends and all(child["id"] != after for child in raw):
        raise NotFound("The block to insert after was deleted. Choose another position.")
    raw.insert(ends[after] if after in ends else _find(raw, after) + 1, block)


def _find(raw: list[RawBlock], block: str) -> int:
    for position, child in enumerate(raw):
        if child["id"] == block:
            return position
    raise NotFound("The block “%(block)s” was deleted, or is not of this issue. Read the issue again.", block=block)


def _set_body(issue: Issue, raw: list[RawBlock]) -> None:
    issue.body = issue.body.stream_block.to_python(raw)


def _make_value(issue: Issue, kind: str, value: RawBlock, *, stored: RawBlock | None = None) -> object:
    """Return a value as it is stored, with only the markup that the editor offers. Raises BadBlock.

    ``stored`` is the block's value so far, of which these fields are replaced.
    """
    types = list_own_types(issue)
    block = types.get(kind)
    if block is None:
        raise BadBlock(
            "“%(kind)s” is no block of own words. Blocks of own words are: %(known)s. Others are changed in the editor.",
            kind=kind,
            known=", ".join(types),
        )
    old = stored or {}
    _check_fixed_rules(value.get("show_to"), stored=old.get("show_to"))
    _check_lines(block, {name: text for name, text in value.items() if text != old.get(name)}, name="value")
    cleaned = _clean(block, {**old, **value}, name="value")
    with issue.body.stream_block.validation_lock:
        native = block.to_python(cleaned)
        problems = list(find_value_problems(block, native, cleaned))
    if problems:
        raise BadBlock("The block is unfinished: %(problems)s.", problems=Message.joined(problems, between=", "))
    return block.get_prep_value(native)


def _clean(block: blocks.Block, value: object, *, name: str) -> object:
    """Return the value with safe markup. Raises BadBlock for a field that the block does not have, or another type."""
    match block, value:
        case blocks.StructBlock(), dict():
            unknown = sorted(str(key) for key in value.keys() - block.child_blocks.keys())
            if unknown:
                names = ", ".join(block.child_blocks)
                raise BadBlock(
                    "“%(field)s” is no field of this block. It has: %(known)s.", field=unknown[0], known=names
                )
            return {
                key: _clean(child, value[key], name=key) if key in value else _make_empty(child)
                for key, child in block.child_blocks.items()
            }
        case blocks.ListBlock(), list():
            items = [item["value"] if _is_stored_item(item) else item for item in value]
            return [_clean(block.child_block, item, name=name) for item in items]
        case blocks.RichTextBlock(), str():
            converter = ContentstateConverter(features=block.features)
            return converter.to_database_format(converter.from_database_format(value))
        case blocks.ChoiceBlock(), str():
            _check_choice(block, value, name=name)
            return value
        case (blocks.StructBlock() | blocks.ListBlock(), _) | (_, dict() | list()):
            raise BadBlock("“%(field)s” has another form. Read an issue that has such a block.", field=name)
        case _, str() if "\x00" not in value:
            return value.strip()
    raise BadBlock("“%(field)s” is no text that can be stored.", field=name)


def _check_fixed_rules(show_to: object, *, stored: object) -> None:
    """Raise BadBlock for a language or giving status that the editor does not offer, unless the block has it already."""
    if not isinstance(show_to, dict):
        return
    before = stored if isinstance(stored, dict) else {}
    for name, choices in _FIXED_RULES.items():
        chosen = show_to.get(name)
        if chosen and chosen != before.get(name) and chosen not in choices:
            raise BadBlock("“%(field)s” is one of: %(known)s.", field=f"show_to.{name}", known=", ".join(choices))


def _check_lines(block: blocks.Block, value: object, *, name: str) -> None:
    """Raise BadBlock for a text of one line with line breaks, which the editor cannot make."""
    match block, value:
        case blocks.StructBlock(), dict():
            for key in value.keys() & block.child_blocks.keys():
                _check_lines(block.child_blocks[key], value[key], name=str(key))
        case blocks.ListBlock(), list():
            for item in value:
                _check_lines(block.child_block, item["value"] if _is_stored_item(item) else item, name=name)
        case blocks.CharBlock(), str() if UNSAFE_IN_LINE.search(value.strip()):
            raise BadBlock("“%(field)s” holds line breaks or invisible characters; send it without them.", field=name)


def _is_stored_item(item: object) -> TypeGuard[dict[str, object]]:
    return isinstance(item, dict) and item.get("type") == "item"


def _make_empty(block: blocks.Block) -> object:
    """Return what the editor stores for a field that is left empty."""
    match block:
        case blocks.StructBlock():
            return {name: _make_empty(child) for name, child in block.child_blocks.items()}
        case blocks.ListBlock():
            return []
    return block.get_default() or ""


def _check_choice(block: blocks.ChoiceBlock, value: str, *, name: str) -> None:
    choices = [str(choice) for choice, _ in block.field.choices if not isinstance(choice, Promise)]
    if value not in choices:
        raise BadBlock(
            "“%(field)s” is one of: %(known)s.", field=name, known=", ".join(choice for choice in choices if choice)
        )


def _needs_editor(block: blocks.Block) -> bool:
    match block:
        case ChooserBlock() | MissingBlock():
            return True
        case blocks.StructBlock():
            return any(_needs_editor(child) for child in block.child_blocks.values())
        case blocks.ListBlock():
            return _needs_editor(block.child_block)
    return False
