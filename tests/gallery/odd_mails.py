"""Letters of what staff and sources send at worst: endless words, odd pictures, nothing, too much, unreadable colours."""

from dataclasses import replace

from newsletter.rendering.blocks import Brand, Document, EventCard, Events, LeadStory, Picture, StoryCards, StoryItem
from newsletter.rendering.schemas import load_schemas
from tests.support.sample_mails import PictureFinder, endless_schema_block, sample_document

LONG_WORD = "Rechtsschutzversicherungsgesellschaftsangestelltenvertretungsversammlungsprotokol"[:80]
EMOJI = "🏳️‍🌈 👩🏾‍🌾 ✊🏿 🇺🇦 🎉"
ARABIC, ENGLISH = "المحكمة التي تصل بالقارب", "The court that arrives by boat"


def odd_documents(*, brand: Brand, picture: PictureFinder) -> dict[str, Document]:
    """Return the letters, by what is odd about them."""
    letter = sample_document(layout="letter", brand=brand, picture=picture)
    lead = next(block.story for block in letter.blocks if isinstance(block, LeadStory))
    cards = next(block.stories for block in letter.blocks if isinstance(block, StoryCards))
    events = next(block.events for block in letter.blocks if isinstance(block, Events))

    def make(first: StoryItem, others: tuple[StoryItem, ...], last: Events | EventCard | None) -> Document:
        blocks = (letter.blocks[0], LeadStory(first), *((StoryCards(others),) if others else ()))
        return replace(letter, blocks=(*blocks, *((last,) if last else ())))

    def titled(title: str, **changes: str) -> Document:
        stories = tuple(replace(story, title=title, teaser=title, topic=title, **changes) for story in (lead, *cards))
        named = replace(events[0], title=title, where=title, **changes)
        return make(stories[0], stories[1:], Events((named,)))

    def pictured(shown: Picture | None) -> Document:
        stories = tuple(replace(story, picture=shown) for story in (lead, *cards))
        return make(stories[0], stories[1:], EventCard(replace(events[0], picture=shown)))

    def branded(**changes: object) -> Document:
        return replace(make(lead, cards, Events(events)), brand=replace(brand, **changes))  # type: ignore[arg-type]

    endless = tuple(endless_schema_block(kind, LONG_WORD, picture) for kind in load_schemas())
    arabic = tuple(endless_schema_block(kind, ARABIC, picture) for kind in load_schemas())
    logo = Picture(f"{_folder(brand)}/flat-2000x40.jpg", 2000, 40, "Harbour Justice")
    return {
        "long-word": titled(LONG_WORD),
        "emoji": titled(EMOJI * 4),
        "no-pictures": pictured(None),
        "tiny-pictures": pictured(Picture(f"{_folder(brand)}/flat-30x30.jpg", 30, 30, "A stamp")),
        "wide-pictures": pictured(Picture(f"{_folder(brand)}/flat-1080x120.jpg", 1080, 120, "A long wall")),
        "one-story": make(lead, (), None),
        "many-events": make(lead, cards, Events(events * 13 + events[:1])),
        "rtl-in-ltr": titled(ARABIC, language="ar"),
        "endless-blocks": replace(letter, blocks=(letter.blocks[0], *endless)),
        "arabic-blocks": replace(letter, language="ar", direction="rtl", blocks=arabic),
        "ltr-in-rtl": _turn(titled(ENGLISH, language="en")),
        "black-on-black": branded(colour="#000000", accent="#000000", background="#000000", logo=None, logo_dark=None),
        "long-logo": branded(logo=logo, logo_dark=logo),
    }


def _turn(letter: Document) -> Document:
    """Return an Arabic letter whose texts are all English."""
    greeting = replace(letter.blocks[0], language="en")
    return replace(letter, language="ar", direction="rtl", blocks=(greeting, *letter.blocks[1:]))


def _folder(brand: Brand) -> str:
    return brand.icons_url.rpartition("/")[0]
