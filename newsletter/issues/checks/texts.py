"""List the texts of an issue's content that people wrote, each with its block and story. No database."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from newsletter.content.parsing.markup import plain_text
from newsletter.issues.snapshot.records.blocks import (
    AppealsBlock,
    Block,
    CustomBlock,
    EventCardBlock,
    LeadStoryBlock,
    NoteBlock,
    PictureBlock,
    QuoteBlock,
    RelatedBlock,
    RichText,
    StoriesBlock,
    list_custom_values,
    list_stories,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import PictureRecord

_PERSONAL_FIELD = re.compile(r"\{\{[^{}]*\}\}")
_ADDRESS = re.compile(r"\S*(?:://|@)\S*|www\.\S+")


class TextPart(NamedTuple):
    """A text with the key of its block, or "" and the name of its field. ``story`` is a story's id, or 0."""

    text: str
    block: str = ""
    field: str = ""
    story: int = 0


def list_texts(content: IssueContent) -> list[TextPart]:
    """Return the texts of a content in its order, without personal fields and web addresses. Empty ones are left out."""
    parts = [
        TextPart(content.subject, field="subject"),
        TextPart(content.preheader, field="preheader"),
        TextPart(content.headline, field="headline"),
        *(part for block in content.blocks for part in _list_block_texts(block)),
    ]
    cleaned = (part._replace(text=_remove_marks(part.text)) for part in parts)
    return [part for part in cleaned if part.text]


def _list_block_texts(block: Block) -> Iterator[TextPart]:
    match block:
        case NoteBlock():
            yield TextPart(_join(block.heading, plain_text(block.html)), block.key)
        case LeadStoryBlock() | StoriesBlock():
            for story in list_stories(block):
                yield TextPart(_join(story.title, story.teaser, story.text), block.key, story=story.id)
        case QuoteBlock():
            yield TextPart(block.text, block.key)
        case EventCardBlock():
            yield TextPart(block.summary, block.key)
        case AppealsBlock():
            yield TextPart(_join(*(_join(appeal.headline, appeal.text) for appeal in block.appeals)), block.key)
        case RelatedBlock():
            yield TextPart(_join(block.heading, *(title for title, _ in block.links)), block.key)
        case PictureBlock():
            yield TextPart(_join(block.caption, block.picture.alt), block.key)
        case CustomBlock():
            for value in list_custom_values(block):
                yield TextPart(_find_words(value), block.key)


def _find_words(value: str | RichText | PictureRecord) -> str:
    match value:
        case RichText():
            return value.text
        case PictureRecord():
            return value.alt
        case str():
            return value


def _join(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _remove_marks(text: str) -> str:
    return _ADDRESS.sub(" ", _PERSONAL_FIELD.sub(" ", text)).strip()
