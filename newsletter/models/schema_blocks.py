"""The blocks that a schema in the folder of mail templates describes, and the body with all blocks."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy
from wagtail import blocks
from wagtail.images.blocks import ImageChooserBlock

from newsletter.models.body_blocks import BodyBlock
from newsletter.models.body_fields import (
    DESCRIPTION_HELP,
    TEXT_FEATURES,
    AmountBlock,
    BodyPart,
    BodyStruct,
    CurrencyBlock,
    DayBlock,
    DescribedPicture,
    LineBlock,
    LinkBlock,
    TextBlock,
)
from newsletter.rendering.block_schema import BlockSchema, FieldSchema
from newsletter.rendering.schemas import load_schemas

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def make_body_block() -> BodyBlock:
    """Return all blocks: ours, and one for each schema of an installed kind."""
    return BodyBlock([(kind, make_struct(schema)) for kind, schema in load_schemas().items()])


def make_struct(schema: BlockSchema) -> BodyPart:
    """Return the block that staff fill in for a schema."""
    children = [(field.name, _make_field(field)) for field in schema.fields]
    return BodyPart(
        children,
        icon=schema.icon,
        label=_lazy_label(schema.label),
        help_text=_lazy_label(schema.about),
    )


def _make_field(field: FieldSchema) -> blocks.Block:
    common = {"required": field.required, "label": _lazy_label(field.label), "help_text": _lazy_label(field.help)}
    match field.kind:
        case "rich":
            return blocks.RichTextBlock(features=TEXT_FEATURES, **common)
        case "lines":
            return blocks.ListBlock(
                LineBlock(limit=field.most),
                label=_lazy_label(field.label),
                min_num=1 if field.required else 0,
                default=[],
            )
        case "link":
            return LinkBlock(**common)
        case "choice":
            return blocks.ChoiceBlock(
                choices=[(value, _lazy_label(words)) for value, words in field.options],
                default=field.options[0][0],
                **common,
            )
        case "picture":
            alt = LineBlock(limit=300, required=False, label=gettext_lazy("What it shows"), help_text=DESCRIPTION_HELP)
            return DescribedPicture(
                [
                    ("image", ImageChooserBlock(required=field.required, label=gettext_lazy("Image file"))),
                    ("alt", alt),
                ],
                label=_lazy_label(field.label),
            )
        case "rows":
            return blocks.ListBlock(
                BodyStruct([(part.name, _make_field(part)) for part in field.fields]),
                label=_lazy_label(field.label),
                help_text=_lazy_label(field.help),
                min_num=field.min_rows,
                max_num=field.max_rows,
                default=[{}] * max(field.min_rows, 1),
            )
        case "amount":
            return AmountBlock(positive=field.positive, **common)
        case "currency":
            return CurrencyBlock(**common)
        case "day":
            return DayBlock(**common)
        case "paragraphs":
            return TextBlock(limit=field.most, rows=3, **common)
        case _:
            return LineBlock(limit=field.most, **common)


def _lazy_label(text: str) -> "StrOrPromise":
    """Return a schema's text in the current language. `scripts.messages` collects these texts."""
    return gettext_lazy(text) if text else ""
