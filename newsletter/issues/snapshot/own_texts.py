"""The texts of an issue's content that staff wrote for it, each of which can have a translation. No database.

Stories, events and appeals are not among them: their translations are rows.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from newsletter.content.parsing.markup import paragraph_text
from newsletter.issues.snapshot.records.blocks import (
    Block,
    ButtonBlock,
    CustomBlock,
    CustomRow,
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
from newsletter.rendering.block_schema import FieldSchema
from newsletter.rendering.schemas import load_schemas

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
    texts: list[OwnText] = []

    def note(text: OwnText) -> str:
        texts.append(text)
        return text.text

    translate_texts(content, translate=note)
    return texts


def translate_texts(content: IssueContent, *, translate: Translate) -> IssueContent:
    """Return the content with each text of its fields and blocks as ``translate`` returns it."""

    def put(field: str, text: str) -> str:
        return translate(OwnText(text, TextKind.LINE, field=field)) if text.strip() else text

    return replace(
        content,
        subject=put("subject", content.subject),
        preheader=put("preheader", content.preheader),
        headline=put("headline", content.headline),
        blocks=tuple(_BlockTranslator(block.key, translate).translate(block) for block in content.blocks),
    )


@dataclass(frozen=True)
class _BlockTranslator:
    """Translates the texts of one block. Names, addresses and numbers are offered too, but it is no gap if they stay."""

    key: str
    translate_text: Translate

    def translate(self, block: Block) -> Block:
        match block:
            case NoteBlock():
                return replace(
                    block, heading=self._heading(block), html=self._put("text", block.html, kind=TextKind.RICH)
                )
            case LeadStoryBlock():
                return replace(block, story=self._story(block.story))
            case StoriesBlock():
                return replace(block, heading=self._heading(block), stories=tuple(map(self._story, block.stories)))
            case EventsBlock():
                return replace(block, heading=self._heading(block))
            case EventCardBlock():
                return self._event_card(block)
            case RelatedBlock():
                links = tuple((self._put("title", title), self._link(url)) for title, url in block.links)
                return replace(block, heading=self._heading(block), links=links)
            case QuoteBlock():
                return self._quote(block)
            case PictureBlock():
                picture, caption = self._picture(block.picture), self._put("caption", block.caption)
                return replace(block, picture=picture, caption=caption, url=self._link(block.url))
            case ButtonBlock():
                return replace(block, label=self._put("label", block.label), url=self._link(block.url))
            case CustomBlock():
                return self._custom(block)
            case _:
                return block

    def _put(self, field: str, text: str, *, kind: TextKind = TextKind.LINE, counts: bool = True) -> str:
        return self.translate_text(OwnText(text, kind, self.key, field, counts)) if text.strip() else text

    def _heading(self, block: NoteBlock | StoriesBlock | EventsBlock | RelatedBlock) -> str:
        return self._put("heading", block.heading)

    def _link(self, url: str) -> str:
        return self._put("url", url, kind=TextKind.LINK, counts=False)

    def _picture(self, picture: PictureRecord) -> PictureRecord:
        return replace(picture, alt=self._put("alt", picture.alt))

    def _optional_picture(self, picture: PictureRecord | None) -> PictureRecord | None:
        return self._picture(picture) if picture else None

    def _story(self, story: StoryRecord) -> StoryRecord:
        picture, other_picture = self._optional_picture(story.picture), self._optional_picture(story.other_picture)
        return replace(story, picture=picture, other_picture=other_picture)

    def _event_card(self, block: EventCardBlock) -> EventCardBlock:
        summary = self._put("summary", block.summary, kind=TextKind.PARAGRAPHS)
        picture = self._optional_picture(block.picture)
        return replace(block, summary=summary, picture=picture, button=self._put("button", block.button))

    def _quote(self, block: QuoteBlock) -> QuoteBlock:
        return replace(
            block,
            text=self._put("text", block.text, kind=TextKind.PARAGRAPHS),
            who=self._put("who", block.who, counts=False),
            notes=tuple(self._put("note", note) for note in block.notes),
        )

    def _custom(self, block: CustomBlock) -> CustomBlock:
        schema = load_schemas().get(block.type)
        fields = {field.name: field for field in schema.fields} if schema else {}
        values = {name: self._custom_value(value, name, fields.get(name)) for name, value in block.values.items()}
        return replace(block, values=values)

    def _custom_value(self, value: CustomValue, field: str, schema: FieldSchema | None) -> CustomValue:
        match value:
            case RichText():
                html = self._put(field, value.html, kind=TextKind.RICH)
                return value if html == value.html else RichText(html, paragraph_text(html))
            case tuple():
                kinds = {part.name: part.kind for part in schema.fields} if schema else {}
                return tuple(  # type: ignore[return-value]
                    self._custom_row(item, kinds) if isinstance(item, dict) else self._put(field, item)
                    for item in value
                )
            case _:
                return self._custom_part(value, field, schema.kind if schema else "")

    def _custom_row(self, row: CustomRow, kinds: Mapping[str, str]) -> CustomRow:
        return {name: self._custom_part(part, name, kinds.get(name, "")) for name, part in row.items()}

    def _custom_part(self, value: str | PictureRecord | None, field: str, kind: str) -> str | PictureRecord | None:
        if isinstance(value, str) and kind in _TRANSLATED_KINDS:
            has_words = kind != TextKind.LINK and any(map(str.isalpha, value))  # “10:00” is the same in every language
            return self._put(field, value, kind=TextKind(kind), counts=has_words)
        return self._picture(value) if isinstance(value, PictureRecord) else value
