"""A letter with running text wherever a block may have some, to measure its lines."""

from dataclasses import replace

from newsletter.rendering.blocks import (
    AppealBlock,
    Document,
    EventCard,
    Events,
    LeadStory,
    Note,
    Quote,
    StoryCards,
    StoryList,
    StoryRows,
)
from newsletter.rendering.schemas import load_schemas
from tests.gallery.documents import flat_picture
from tests.support.mail_documents import event, story
from tests.support.sample_mails import endless_schema_block, sample_schema_block

PROSE = (
    "Last week the labour court in Ombari accepted a school notebook as evidence. It had a line for every day of work, "
    "and it was enough. The families had waited through three harvests, and most of them had stopped hoping for a "
    "hearing. Now the money is paid, the notebook is back on its shelf, and the next case is being written down."
)
NARROW = {"gallery", "timetable"}
"""The blocks that have captions below small pictures, and a column of times."""
PICTURE = flat_picture("terraces", "card")


def letter_of_prose(letter: Document) -> Document:
    """Return the letter with running text wherever a block may have some."""
    timetable = sample_schema_block("timetable", flat_picture)
    rows = timetable.values["items"]
    told, teased = story(text=PROSE, url="", picture=PICTURE), story(teaser=PROSE[:310], picture=PICTURE)
    return replace(
        letter,
        reason=PROSE,
        blocks=(
            Note(body_html=f"<p>{PROSE}</p><ul><li>{PROSE}</li></ul>", body_text=PROSE),
            LeadStory(told),
            StoryCards((told, teased, told)),
            StoryRows((told, teased)),
            StoryList((told, teased)),
            Quote("It was true.", "Amara*", notes=(PROSE,)),
            Events((event(),), note=PROSE),
            EventCard(event(summary=PROSE)),
            AppealBlock("Stand beside one family", PROSE, "https://harbour.example/give/", "Give"),
            *(endless_schema_block(kind, PROSE, flat_picture) for kind in load_schemas() if kind not in NARROW),
            replace(timetable, values=timetable.values | {"items": tuple(row | {"detail": PROSE} for row in rows)}),
        ),
    )
