"""The part of the form that a block makes: `block_form.js` draws it."""

from collections.abc import Hashable

from django.forms import Media
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.telepath import register
from wagtail.blocks.stream_block import StreamBlockAdapter
from wagtail.blocks.struct_block import StructBlockAdapter

from newsletter.models import Issue
from newsletter.models.body_blocks import FILLED_GROUP, BodyBlock
from newsletter.models.body_fields import BodyStruct, ShowToBlock, list_rule_choices
from newsletter.models.missing_blocks import MissingBlock
from subscribers.desk.editing.described_blocks import DescribedBlockWidget

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
        name, groups, states, meta = super().js_args(block)
        missing = [name for name, child in block.child_blocks.items() if isinstance(child, MissingBlock)]
        counts = {**meta["blockCounts"], **{name: {"max_num": 0} for name in missing}}
        filled = [name for name, child in block.child_blocks.items() if child.meta.group == FILLED_GROUP]
        return [name, groups, _leave_out_ids(states), {**meta, "blockCounts": counts, "filled": filled}]


def _leave_out_ids(state: object) -> object:
    """Leave out the random ids of the first items of lists: the browser then gives each new item its own.

    Only the lines of empty texts keep random keys, which tell the lines of one text apart.
    """
    if isinstance(state, dict):
        values = {name: _leave_out_ids(value) for name, value in state.items()}
        return {"value": values["value"]} if values.keys() == {"value", "id"} else values
    return [_leave_out_ids(item) for item in state] if isinstance(state, list) else state


class BodyWidget(DescribedBlockWidget):
    """The field of an issue's body."""

    lock = BodyBlock.validation_lock

    def __init__(self) -> None:
        super().__init__(_BODY)

    def list_choices(self) -> Hashable:
        missing = {name: child for name, child in _BODY.child_blocks.items() if isinstance(child, MissingBlock)}
        reasons = tuple((name, str(child.field.help_text)) for name, child in missing.items())
        return reasons, list_rule_choices()


def register_body_blocks() -> None:
    """Make our script draw each block of an issue in the form."""
    register(BodyStructAdapter(), BodyStruct)
    register(ShowToAdapter(), ShowToBlock)
    register(BodyAdapter(), BodyBlock)
