"""The part of the form that a block makes: `block_form.js` draws it."""

from django.forms import Media
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.telepath import register
from wagtail.blocks.stream_block import StreamBlockAdapter
from wagtail.blocks.struct_block import StructBlockAdapter

from newsletter.models.body_blocks import FILLED_GROUP, BodyBlock
from newsletter.models.body_fields import BodyStruct, ShowToBlock
from newsletter.models.missing_blocks import MissingBlock


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


def register_body_blocks() -> None:
    """Make our script draw each block of an issue in the form."""
    register(BodyStructAdapter(), BodyStruct)
    register(ShowToAdapter(), ShowToBlock)
    register(BodyAdapter(), BodyBlock)
