"""The texts of an issue's content that staff wrote for it, each of which can have a translation. No database.

Stories, events and appeals are not among them: they have rows of their own as translations.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from newsletter.content.parsing.markup import plain_text
from newsletter.issues.snapshot.records.blocks import (
    Block,
    ButtonBlock,
    CustomBlock,
    CustomValue,
    EventCardBlock,
    EventsBlock,
    LeadStoryBlock,
    NoteBlock,
    PictureBlock,
    QuoteBlock,
    RelatedBlock,
    RichText,
    StoriesBlock,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.rendering.schemas import FieldSchema, load_schemas

_BLOCK_KEY = re.compile(r' data-block-key="[^"]*"')
_TRANSLATED_KINDS = ("line", "paragraphs", "link")


class TextKind(StrEnum):
    LINE = "line"
    PARAGRAPHS = "paragraphs"
    RICH = "rich"
    LINK = "link"


@dataclass(frozen=True)
class OwnText:
    """A text of a content. ``block`` is the key of its block, or "", and ``field`` the name of its field.

    If not ``counts``, it is no gap that it has no translation: an address, a name, or a number.
    """

    text: str
    kind: TextKind
    block: str = ""
    field: str = ""
    counts: bool = True

    @property
    def sha256(self) -> str:
        return hash_text(self.text)


Translate = Callable[[OwnText], str]
"""Returns the text in another language, or the text itself."""


def hash_text(text: str) -> str:
    """Return the hash by which translations know a text. The marks that the editor puts into a text do not count."""
    return hashlib.sha256(_BLOCK_KEY.sub("", text).strip().encode()).hexdigest()


def list_own_texts(content: IssueContent) -> list[OwnText]:
    """Return the texts of a content in its order. Empty ones are left out."""
    found: list[OwnText] = []

    def note(text: OwnText) -> str:
        found.append(text)
        return text.text

    translate_texts(content, translate=note)
    return found


def translate_texts(content: IssueContent, *, translate: Translate) -> IssueContent:
    """Return the content with each text of its fields and blocks as ``translate`` returns it."""

    def put(field: str, text: str) -> str:
        return translate(OwnText(text, TextKind.LINE, field=field)) if text.strip() else text

    return replace(
        content,
        subject=put("subject", content.subject),
        preheader=put("preheader", content.preheader),
        headline=put("headline", content.headline),
        blocks=tuple(_translate_block(block, translate) for block in content.blocks),
    )


def _translate_block(block: Block, translate: Translate) -> Block:
    def put(field: str, text: str, kind: TextKind = TextKind.LINE, *, counts: bool = True) -> str:
        return translate(OwnText(text, kind, block.key, field, counts)) if text.strip() else text

    def put_link(url: str) -> str:
        return put("url", url, TextKind.LINK, counts=False)

    def put_picture(picture: PictureRecord | None) -> PictureRecord | None:
        return replace(picture, alt=put("alt", picture.alt)) if picture else None

    def put_story(story: StoryRecord) -> StoryRecord:
        return replace(story, picture=put_picture(story.picture), other_picture=put_picture(story.other_picture))

    def put_part(value: str | PictureRecord | None, field: str, kind: str) -> str | PictureRecord | None:
        if isinstance(value, str) and kind in _TRANSLATED_KINDS:
            has_words = kind != TextKind.LINK and any(map(str.isalpha, value))  # “10:00” is the same in every language
            return put(field, value, TextKind(kind), counts=has_words)
        return put_picture(value) if isinstance(value, PictureRecord) else value

    def put_value(value: CustomValue, field: str, schema: FieldSchema | None) -> CustomValue:
        match value:
            case RichText():
                html = put(field, value.html, TextKind.RICH)
                return value if html == value.html else RichText(html, plain_text(html))
            case tuple():
                kinds = {part.name: part.kind for part in schema.fields} if schema else {}
                return tuple(  # type: ignore[return-value]
                    {name: put_part(part, name, kinds.get(name, "")) for name, part in item.items()}
                    if isinstance(item, dict)
                    else put(field, item)
                    for item in value
                )
            case _:
                return put_part(value, field, schema.kind if schema else "")

    match block:
        case NoteBlock():
            return replace(block, heading=put("heading", block.heading), html=put("text", block.html, TextKind.RICH))
        case LeadStoryBlock():
            return replace(block, story=put_story(block.story))
        case StoriesBlock():
            return replace(block, heading=put("heading", block.heading), stories=tuple(map(put_story, block.stories)))
        case EventsBlock():
            return replace(block, heading=put("heading", block.heading))
        case EventCardBlock():
            summary = put("summary", block.summary, TextKind.PARAGRAPHS)
            return replace(
                block, summary=summary, picture=put_picture(block.picture), button=put("button", block.button)
            )
        case RelatedBlock():
            links = tuple((put("title", title), put_link(url)) for title, url in block.links)
            return replace(block, heading=put("heading", block.heading), links=links)
        case QuoteBlock():
            return replace(
                block,
                text=put("text", block.text, TextKind.PARAGRAPHS),
                who=put("who", block.who, counts=False),
                notes=tuple(put("note", note) for note in block.notes),
            )
        case PictureBlock():
            picture = replace(block.picture, alt=put("alt", block.picture.alt))
            return replace(block, picture=picture, caption=put("caption", block.caption), url=put_link(block.url))
        case ButtonBlock():
            return replace(block, label=put("label", block.label), url=put_link(block.url))
        case CustomBlock():
            schema = load_schemas().get(block.type)
            fields = {field.name: field for field in schema.fields} if schema else {}
            values = {name: put_value(value, name, fields.get(name)) for name, value in block.values.items()}
            return replace(block, values=values)
        case _:
            return block
