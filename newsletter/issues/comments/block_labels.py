"""Name a block of an issue's body in words, such as “Lead story: The clinic opens”."""

from collections.abc import Mapping

from django.utils.text import Truncator
from wagtail.blocks import StreamValue
from wagtail.rich_text import RichText

from newsletter.content.parsing.markup import plain_text
from newsletter.models import Issue
from newsletter.models.body_fields import DescribedPicture

MAX_LABEL_LENGTH = 120
_NAMING_FIELDS = ("headline", "heading", "title", "question", "story", "event", "label", "alt", "who", "text")


def label_block(child: StreamValue.StreamChild) -> str:
    """Return the kind of a block and the first words that name it. ``child`` is a child of the body."""
    kind = str(child.block.label)
    words = _find_words(child.value) if isinstance(child.value, Mapping) else ""
    return Truncator(f"{kind}: {words}" if words else kind).chars(MAX_LABEL_LENGTH)


def label_blocks(issue: Issue) -> dict[str, str]:
    """Return the label of each block by its id, in the order of the mail."""
    return {child.id: label_block(child) for child in issue.body if child.id}


def _find_words(value: Mapping[str, object]) -> str:
    for name in _NAMING_FIELDS:
        field_value = DescribedPicture.find_alt(value) if name == "alt" and "image" in value else value.get(name)
        text = plain_text(field_value.source) if isinstance(field_value, RichText) else str(field_value or "")
        if text.strip():
            return " ".join(text.split())
    return ""
