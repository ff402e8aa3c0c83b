"""The input of rendering: a document is a brand, some texts and a list of blocks.

Plain frozen data, no Django. Text fields are plain text (never HTML) unless the name ends in ``_html``;
``*_html`` fields are already sanitised. Dates are words, already written in the document's language.
Staff text may hold personal fields (``{{ first_name | default:"friend" }}``), and only in fields marked *merge*.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any


@dataclass(frozen=True)
class Picture:
    """A picture hosted by us. Width and height are the pixels of the file; ``alt`` may be "" only for decoration.

    ``weight`` is the file's bytes, 0 if unknown. ``colour`` is the dominant one, "" if unknown or if parts are transparent.
    """

    url: str
    width: int
    height: int
    alt: str = ""
    weight: int = 0
    colour: str = ""


@dataclass(frozen=True)
class Brand:
    """The organisation's appearance. Colours are ``#rrggbb``; ``social`` is (network, url) pairs.

    ``heading_font`` "" means the font of the text; ``radius`` is the roundness of corners in pixels;
    ``text_links`` says where plain text has its links: beneath (their words) or end.
    ``masthead`` is plain or band. ``icons_url`` is the folder of our own social icons, "" for words in their place.
    """

    name: str
    postal_address: str = ""
    website: str = ""
    logo: Picture | None = None
    logo_dark: Picture | None = None
    colour: str = "#1f4e5f"
    accent: str = "#b3541e"
    background: str = "#f4f1ec"
    font: str = "Georgia, 'Times New Roman', serif"
    donate_url: str = ""
    donor_portal_url: str = ""
    social: tuple[tuple[str, str], ...] = ()
    heading_font: str = ""
    radius: int = 8
    masthead: str = "plain"
    text_links: str = "beneath"
    icons_url: str = ""


@dataclass(frozen=True)
class StoryItem:
    """One story in an issue. ``notes`` are the pseudonym notes that must appear wherever the story does.

    ``text`` is the whole story, in paragraphs, if it has no page. ``case`` is the slug of the case that it belongs to, or "".
    ``follows_case``: these readers follow it. ``recording`` says that it is a video or audio, and how long it is, or is "".
    """

    title: str
    url: str
    teaser: str = ""
    picture: Picture | None = None
    topic: str = ""
    date: str = ""
    notes: tuple[str, ...] = ()
    case: str = ""
    follows_case: bool = False
    text: str = ""
    recording: str = ""
    language: str = ""


@dataclass(frozen=True)
class EventItem:
    """One event. ``weekday``, ``day`` and ``month`` make the date chip, and ``hours`` is the time, which the chip does not show.

    ``when`` is the full date, time and zone in words. ``calendar_url`` is our page that adds the event to a calendar.
    """

    title: str
    url: str
    when: str
    day: str
    month: str
    where: str = ""
    distance: str = ""
    online: bool = False
    weekday: str = ""
    hours: str = ""
    calendar_url: str = ""
    map_url: str = ""
    summary: str = ""
    picture: Picture | None = None
    language: str = ""


@dataclass(frozen=True)
class Block:
    """Base of all blocks. ``key`` names the block in lint findings and in the desk.

    ``language`` is that of its texts if it is not the document's. Stories and events have their own.
    """

    key: str = field(default="", kw_only=True)
    language: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Note(Block):
    """Staff's own text. Both forms may have personal fields."""

    body_html: str
    body_text: str
    heading: str = ""


@dataclass(frozen=True)
class LeadStory(Block):
    story: StoryItem


@dataclass(frozen=True)
class StoryCards(Block):
    stories: tuple[StoryItem, ...]
    heading: str = ""


@dataclass(frozen=True)
class StoryRows(StoryCards):
    """The same stories in one column, each with its picture beside it."""


@dataclass(frozen=True)
class StoryList(StoryCards):
    """The same stories without their pictures."""


@dataclass(frozen=True)
class Events(Block):
    """Events of one group of readers. ``kind`` is near, region, online or host.

    With ``host`` there are no events but an invitation to host one.
    """

    events: tuple[EventItem, ...]
    heading: str = ""
    kind: str = "near"
    note: str = ""
    host_url: str = ""


@dataclass(frozen=True)
class EventCard(Block):
    """One event in full: time, location with a map, and calendar links. ``button`` "" is the default label."""

    event: EventItem
    button: str = ""


@dataclass(frozen=True)
class AppealBlock(Block):
    headline: str
    text: str
    url: str
    button: str


@dataclass(frozen=True)
class Related(Block):
    """ "You might also be interested in": (title, url) pairs."""

    links: tuple[tuple[str, str], ...]
    heading: str = ""


@dataclass(frozen=True)
class Quote(Block):
    text: str
    who: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageBlock(Block):
    picture: Picture
    caption: str = ""
    url: str = ""


@dataclass(frozen=True)
class Button(Block):
    label: str
    url: str


@dataclass(frozen=True)
class Divider(Block):
    """A short line, three dots or three bars in the brand's colours. ``look`` is line, dots or bars."""

    look: str = "line"


@dataclass(frozen=True)
class SchemaBlock(Block):
    """A block that a schema describes (``templates/email/blocks/<kind>.toml``), its values by the schema's names.

    A value is a str; for a ``rich`` field {"html": …, "text": …}, for a ``picture`` a Picture or None, for ``lines``
    a tuple of str, for ``rows`` a tuple of mappings. A field of the schema without a value is blank.
    """

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """The input of rendering for one variant. ``subject`` and ``preheader`` may hold personal fields.

    ``urls`` has ``view_online`` (a plain URL of this variant); the personal ones (``preferences``,
    ``unsubscribe``) are tokens that rendering puts in by itself.
    ``personal`` False makes a notice of the system itself, which has no such links.
    ``direction`` is ltr or rtl. ``reason`` is the footer's line on why the reader gets this.
    ``layout`` is letter, plain, events_first, digest, announcement, event_notice or appeal (a file of
    ``templates/email/layouts``). ``headline`` is the main heading of the last three ("": the subject).
    ``edition`` is a line such as "No. 12". ``year`` is that of the mail: days that blocks show leave it out.
    ``summary`` is the first visible sentence of a dated letter, "" for none. None is the preheader.
    """

    subject: str
    preheader: str
    language: str
    brand: Brand
    blocks: tuple[Block, ...]
    publication: str = ""
    direction: str = "ltr"
    reason: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    personal: bool = True
    layout: str = "letter"
    headline: str = ""
    edition: str = ""
    year: int | None = None
    summary: str | None = None


def iter_pictures(value: object) -> Iterator[Picture]:
    """Return every picture in a document or a part of one."""
    match value:
        case Picture():
            yield value
        case tuple():
            for item in value:
                yield from iter_pictures(item)
        case Mapping():
            yield from iter_pictures(tuple(value.values()))
        case _ if is_dataclass(value):
            for part in fields(value):
                yield from iter_pictures(getattr(value, part.name))
