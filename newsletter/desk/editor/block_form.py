"""The part of the form that a block makes: `block_form.js` draws it."""

from django.forms import Media
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.telepath import register
from wagtail.blocks.struct_block import StructBlockAdapter

from newsletter.models.body_fields import BodyStruct, ShowToBlock


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


def register_body_blocks() -> None:
    """Let the form draw each block of an issue by our script."""
    register(BodyStructAdapter(), BodyStruct)
    register(ShowToAdapter(), ShowToBlock)
