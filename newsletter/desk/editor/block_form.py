"""The part of the form that a block makes: `block_form.js` draws it."""

import json
from functools import lru_cache
from typing import NamedTuple

from django.forms import Media
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.admin.telepath import JSContext, register
from wagtail.blocks.base import BlockWidget
from wagtail.blocks.stream_block import StreamBlockAdapter
from wagtail.blocks.struct_block import StructBlockAdapter

from newsletter.models import Issue
from newsletter.models.body_blocks import FILLED_GROUP, BodyBlock
from newsletter.models.body_fields import BodyStruct, ShowToBlock, list_rule_choices
from newsletter.models.missing_blocks import MissingBlock

_BODY: BodyBlock = Issue._meta.get_field("body").stream_block


class BodyStructAdapter(StructBlockAdapter):
    js_constructor = "newsletter.BodyStruct"

    @cached_property
    def media(self) -> Media:
        media: Media = super().media + Media(js=["newsletter/block_form.js"])
        return media


class ShowToAdapter(BodyStructAdapter):
    js_constructor = "newsletter.ShowTo"

    def js_args(self, block: ShowToBlock) -> list[object]:
        name, children, meta = super().js_args(block)
        return [name, children, {**meta, "everybody": _("everybody"), "deleted": _("(deleted)")}]


class BodyAdapter(StreamBlockAdapter):
    """Offers no block of a missing kind to add, and in an ordinary issue none that a rule fills for new subscribers."""

    js_constructor = "newsletter.Body"

    @cached_property
    def media(self) -> Media:
        media: Media = super().media + Media(js=["newsletter/block_form.js"])
        return media

    def js_args(self, block: BodyBlock) -> list[object]:
        *rest, meta = super().js_args(block)
        missing = [name for name, child in block.child_blocks.items() if isinstance(child, MissingBlock)]
        counts = {**meta["blockCounts"], **{name: {"max_num": 0} for name in missing}}
        filled = [name for name, child in block.child_blocks.items() if child.meta.group == FILLED_GROUP]
        return [*rest, {**meta, "blockCounts": counts, "filled": filled}]


class _Description(NamedTuple):
    """All blocks as JSON for the browser, with their scripts and styles."""

    context: JSContext
    blocks: str


class BodyWidget(BlockWidget):
    """The field of an issue's body. Describing its blocks is two thirds of the work for the editor, so each process keeps it."""

    def __init__(self) -> None:
        super().__init__(_BODY)

    @property
    def js_context(self) -> JSContext:
        return self._description.context

    @property
    def block_json(self) -> str:
        return self._description.blocks

    @cached_property
    def _description(self) -> _Description:
        missing = {name: child for name, child in _BODY.child_blocks.items() if isinstance(child, MissingBlock)}
        reasons = tuple((name, str(child.field.help_text)) for name, child in missing.items())
        return _describe_body(get_language(), reasons, list_rule_choices())


@lru_cache(maxsize=8)
def _describe_body(_language: str | None, _missing: tuple[tuple[str, str], ...], _choices: object) -> _Description:
    """Describe the blocks. The arguments are all that a description depends on in one process."""
    context = JSContext()
    with BodyBlock.validation_lock:
        return _Description(context, json.dumps(context.pack(_BODY)))


def register_body_blocks() -> None:
    """Make our script draw each block of an issue in the form."""
    register(BodyStructAdapter(), BodyStruct)
    register(ShowToAdapter(), ShowToBlock)
    register(BodyAdapter(), BodyBlock)
