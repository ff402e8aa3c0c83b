"""The blocks of an issue's content. ``type`` is the name of the kind of block; ``key`` names the block in its issue."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Discriminator, Field, JsonValue, Tag, TypeAdapter

from newsletter.issues.snapshot.records.events import AppealRecord, EventRecord
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.records.stories import StoryRecord

RuleKind = Literal["segment", "topic", "language", "giving", "attribute"]
BY_RULE = Annotated[bool, Field(exclude_if=lambda by_rule: not by_rule)]


@dataclass(frozen=True, slots=True)
class ShowRule:
    """A rule of a block that is for some readers only.

    ``name`` is the name of the segment or topic that ``value`` is the slug of, or of the attribute.

    ``rule`` is the condition for `subscribers.segments.compile`. ``resolved`` is the same with the ids of the named rows: an
    approval of the block is for these rows.
    """

    kind: RuleKind
    value: str
    name: str
    rule: dict[str, JsonValue]
    resolved: dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Readers see the block if they meet all rules of ``shown_to``. Without rules, everybody sees it."""

    shown_to: Annotated[tuple[ShowRule, ...], Field(exclude_if=lambda rules: not rules)] = ()


@dataclass(frozen=True, slots=True)
class NoteBlock(_Block):
    """Text by staff, as HTML that is safe to show."""

    key: str
    heading: str
    html: str
    type: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class LeadStoryBlock(_Block):
    """One story in full width. ``by_rule``: no person chose it, so an approval does not name it.

    Each reader sees the first block of those that are ``instead_of`` the same one, or that one, whose story they did not
    have. ``needed``: readers who had all of these stories get no mail.
    """

    key: str
    story: StoryRecord
    type: Literal["lead_story"] = "lead_story"
    by_rule: BY_RULE = False
    instead_of: Annotated[str, Field(exclude_if=lambda key: not key)] = ""
    needed: BY_RULE = False


@dataclass(frozen=True, slots=True)
class StoriesBlock(_Block):
    key: str
    heading: str
    stories: tuple[StoryRecord, ...]
    look: Literal["cards", "rows", "list"] = "cards"
    type: Literal["stories"] = "stories"


@dataclass(frozen=True, slots=True)
class EventsBlock(_Block):
    """Events to choose from: each reader sees those near them.

    ``by_rule``: no person chose them, so an approval does not name them, and each reader sees only the nearest one.
    """

    key: str
    heading: str
    events: tuple[EventRecord, ...]
    type: Literal["events"] = "events"
    by_rule: BY_RULE = False


@dataclass(frozen=True, slots=True)
class EventCardBlock(_Block):
    """One event in full, for every reader."""

    key: str
    events: tuple[EventRecord]
    summary: str
    picture: PictureRecord | None
    button: str
    type: Literal["event_card"] = "event_card"


@dataclass(frozen=True, slots=True)
class AppealsBlock(_Block):
    """Appeals to choose from: each reader sees the first that is for people like them."""

    key: str
    appeals: tuple[AppealRecord, ...]
    type: Literal["appeal"] = "appeal"


@dataclass(frozen=True, slots=True)
class RelatedBlock(_Block):
    """Further reading: (title, url) pairs."""

    key: str
    heading: str
    links: tuple[tuple[str, str], ...]
    type: Literal["related"] = "related"


@dataclass(frozen=True, slots=True)
class QuoteBlock(_Block):
    key: str
    text: str
    who: str
    notes: tuple[str, ...]
    type: Literal["quote"] = "quote"


@dataclass(frozen=True, slots=True)
class PictureBlock(_Block):
    key: str
    picture: PictureRecord
    caption: str
    url: str
    type: Literal["picture"] = "picture"


@dataclass(frozen=True, slots=True)
class ButtonBlock(_Block):
    key: str
    label: str
    url: str
    type: Literal["button"] = "button"


@dataclass(frozen=True, slots=True)
class DividerBlock(_Block):
    """A line or drawing. A line, as all dividers once were, is not part of the approved content."""

    key: str
    type: Literal["divider"] = "divider"
    look: Annotated[Literal["line", "dots", "bars"], Field(exclude_if=lambda look: look == "line")] = "line"


@dataclass(frozen=True, slots=True)
class RichText:
    """Text by staff, as HTML that is safe to show and as plain text."""

    html: str
    text: str


CustomRow = dict[str, str | PictureRecord | None]
CustomValue = str | RichText | PictureRecord | tuple[str, ...] | tuple[CustomRow, ...] | None


@dataclass(frozen=True, slots=True)
class CustomBlock(_Block):
    """A block that is described by a schema, with its values by the names of the schema's fields."""

    key: str
    values: dict[str, CustomValue]
    type: str


_BUILT_IN_TYPES = frozenset(
    {
        "note",
        "lead_story",
        "stories",
        "events",
        "event_card",
        "appeal",
        "related",
        "quote",
        "picture",
        "button",
        "divider",
    }
)


def _find_tag(block: object) -> str:
    """Return the type of a block, or of its JSON. Every type that is not built in is a custom one."""
    name = block.get("type") if isinstance(block, Mapping) else getattr(block, "type", None)
    return name if isinstance(name, str) and name in _BUILT_IN_TYPES else "custom"


Block = Annotated[
    Annotated[NoteBlock, Tag("note")]
    | Annotated[LeadStoryBlock, Tag("lead_story")]
    | Annotated[StoriesBlock, Tag("stories")]
    | Annotated[EventsBlock, Tag("events")]
    | Annotated[EventCardBlock, Tag("event_card")]
    | Annotated[AppealsBlock, Tag("appeal")]
    | Annotated[RelatedBlock, Tag("related")]
    | Annotated[QuoteBlock, Tag("quote")]
    | Annotated[PictureBlock, Tag("picture")]
    | Annotated[ButtonBlock, Tag("button")]
    | Annotated[DividerBlock, Tag("divider")]
    | Annotated[CustomBlock, Tag("custom")],
    Discriminator(_find_tag),
]


def list_stories(block: Block) -> tuple[StoryRecord, ...]:
    """Return the stories that a block shows."""
    match block:
        case LeadStoryBlock():
            return (block.story,)
        case StoriesBlock():
            return block.stories
        case _:
            return ()


def is_filled_by_rule(block: Block) -> bool:
    """Return True if a rule, not a person, chose the content of the block."""
    return isinstance(block, LeadStoryBlock | EventsBlock) and block.by_rule


def list_events(block: Block) -> tuple[EventRecord, ...]:
    """Return the events that a block can show."""
    return block.events if isinstance(block, EventsBlock | EventCardBlock) else ()


def list_pictures(block: Block) -> list[PictureRecord]:
    """Return the pictures that a block shows, with both formats of its stories' pictures."""
    match block:
        case EventCardBlock() | PictureBlock():
            pictures = [block.picture]
        case CustomBlock():
            pictures = [value for value in list_custom_values(block) if isinstance(value, PictureRecord)]
        case _:
            pictures = [picture for story in list_stories(block) for picture in (story.picture, story.other_picture)]
    return [picture for picture in pictures if picture]


def list_custom_values(block: CustomBlock) -> list[str | RichText | PictureRecord]:
    """Return every value of a block with a schema, with those of its lists and rows, in their order."""
    values: list[str | RichText | PictureRecord] = []
    for value in block.values.values():
        for item in value if isinstance(value, tuple) else (value,):
            values += [part for part in (item.values() if isinstance(item, dict) else (item,)) if part]
    return values


def list_appeals(block: Block) -> tuple[AppealRecord, ...]:
    """Return the appeals that a block can show."""
    return block.appeals if isinstance(block, AppealsBlock) else ()


def read_block(data: object) -> Block:
    """Return the block that `to_json` wrote. Raises pydantic's ValidationError, a ValueError, if it is none."""
    return _ADAPTER.validate_python(data)


_ADAPTER: TypeAdapter[Block] = TypeAdapter(Block)
