"""Sample mails of a fictional organisation, one for each layout, for the gallery and the tests of rendering.

No person, place, case or figure in them is real. The caller provides the pictures, by name.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from newsletter.rendering import blocks as mail
from newsletter.rendering.block_schema import FieldSchema
from newsletter.rendering.phrases import find_phrase
from newsletter.rendering.schemas import load_schemas

SITE = "https://harbour.example"
CALENDAR = "https://news.harbour.example/calendar"
PSEUDONYM = "*A pseudonym. Some details have been changed to protect the families concerned."
PictureFinder = Callable[[str, str], mail.Picture | None]


def sample_document(*, layout: str, brand: mail.Brand, picture: PictureFinder) -> mail.Document:
    """Return a complete mail in a layout. Raise KeyError for an unknown layout."""
    plain = mail.Document(
        subject="Three seasons of unpaid wages, paid",
        preheader="The court that arrives by boat · “Ask us first” · an evening of stories near you",
        language="en",
        brand=brand,
        blocks=_BLOCKS_BY_LAYOUT[layout](picture),
        publication="The Weekly Letter",
        reason=find_phrase("why_you_get_this", "en", list="The Weekly Letter", organisation=brand.name),
        urls={"view_online": f"{SITE}/view/sample"},
        layout=layout,
        year=2026,
    )
    return replace(plain, **_FIELDS_BY_LAYOUT.get(layout, {}))  # type: ignore[arg-type]


def sample_blocks(picture: PictureFinder) -> dict[str, mail.Block]:
    """Return one of every block, by the name of its templates."""
    stories = _stories(picture)
    blocks: dict[str, mail.Block] = {
        "note": _greeting(),
        "lead_story": mail.LeadStory(_lead(picture), key="lead_story"),
        "story_cards": mail.StoryCards(stories, key="story_cards"),
        "story_rows": mail.StoryRows(stories[:2], heading="From the field", key="story_rows"),
        "story_list": mail.StoryList(stories, heading="In brief", key="story_list"),
        "quote": _quote(),
        "events": mail.Events(_events(), key="events"),
        "event_card": mail.EventCard(_evening(picture), key="event_card"),
        "appeal": _appeal(),
        "related": _related(),
        "image": mail.ImageBlock(picture("river", "wide"), caption="The valley after the first rain.", key="image"),  # type: ignore[arg-type]
        "button": mail.Button("See all our stories", f"{SITE}/stories/", key="button"),
        "divider": mail.Divider(key="divider"),
    }
    return blocks | {kind: sample_schema_block(kind, picture) for kind in load_schemas()}


def sample_schema_block(kind: str, picture: PictureFinder, *, templates: Path | None = None) -> mail.SchemaBlock:
    """Return the sample from a block's own schema."""
    schema = load_schemas(templates)[kind]
    values = {field.name: _fill_sample(field, schema.sample.get(field.name), picture) for field in schema.fields}
    return mail.SchemaBlock(kind, values, key=kind)


def _fill_sample(field: FieldSchema, given: Any, picture: PictureFinder) -> Any:
    match field.kind:
        case "picture" if given:
            return picture(given, field.place)
        case "rich" if given:
            return {"html": given, "text": _strip_tags(given)}
        case "rows":
            return tuple(
                {part.name: _fill_sample(part, row.get(part.name), picture) for part in field.fields} for row in given
            )
        case _:
            return given


def every_schema_block(picture: PictureFinder) -> tuple[mail.Block, ...]:
    """Return the sample of each block that a schema describes."""
    return tuple(sample_schema_block(kind, picture) for kind in load_schemas())


def endless_schema_block(kind: str, word: str, picture: PictureFinder) -> mail.SchemaBlock:
    """Return a block whose texts are all one word, with three rows if it has rows."""
    values = {field.name: _fill_endless(field, word, picture) for field in load_schemas()[kind].fields}
    return mail.SchemaBlock(kind, values, key=kind)


def _fill_endless(field: FieldSchema, word: str, picture: PictureFinder) -> Any:
    match field.kind:
        case "rows":
            return ({part.name: _fill_endless(part, word, picture) for part in field.fields},) * 3
        case "lines":
            return (word,) * 3
        case "rich":
            return {"html": f"<p>{word}</p>", "text": word}
        case "picture":
            return picture("lanterns", field.place)
        case "link":
            return f"{SITE}/stories/"
        case _:
            # Not dollars: spam filters distrust a million of them, and this sum is longer.
            return {"amount": "999999999999", "currency": "UGX", "day": "2026-12-12"}.get(field.kind, word)


def usual_letter(*, brand: mail.Brand, picture: PictureFinder) -> mail.Document:
    """Return a letter of five stories, four events and an appeal, whose length the gallery measures."""
    cards, events = _stories(picture), _events()
    fifth = replace(
        cards[0],
        title="A bridge that nobody had to ask for",
        url=f"{SITE}/stories/bridge/",
        picture=picture("bridge", "card"),
    )
    fourth = replace(
        events[1],
        title="Read a contract with us",
        when="Friday 18 December, 17:00–19:00",
        weekday="Fri",
        day="18",
        hours="17:00–19:00",
    )
    blocks = (
        _greeting(),
        mail.LeadStory(_lead(picture), key="lead"),
        mail.StoryCards((*cards, fifth), key="cards"),
        mail.Events((*events, fourth), key="events"),
        _appeal(),
    )
    return replace(sample_document(layout="letter", brand=brand, picture=picture), blocks=blocks)


def _weekly_mail(picture: PictureFinder) -> tuple[mail.Block, ...]:
    return (
        _greeting(),
        mail.LeadStory(_lead(picture), key="lead"),
        mail.StoryCards(_stories(picture), key="cards"),
        sample_schema_block("statistic", picture),
        _quote(),
        mail.Events(_events(), key="events"),
        _appeal(),
        _related(),
    )


def _digest(picture: PictureFinder) -> tuple[mail.Block, ...]:
    return (
        mail.LeadStory(_lead(picture), key="lead"),
        mail.StoryRows(_stories(picture), heading="From the field", key="rows"),
        mail.StoryList(_briefs(), heading="In brief", key="list"),
        mail.Events(_events(), key="events"),
        sample_schema_block("partner_band", picture),
        _related(),
    )


def _announcement(picture: PictureFinder) -> tuple[mail.Block, ...]:
    return (
        mail.ImageBlock(picture("bridge", "wide"), url=f"{SITE}/office/", key="image"),  # type: ignore[arg-type]
        sample_schema_block("person_note", picture),
        mail.Button("Visit us in Port Selby", f"{SITE}/office/", key="button"),
        sample_schema_block("video", picture),
    )


def _event_notice(picture: PictureFinder) -> tuple[mail.Block, ...]:
    return (mail.EventCard(_evening(picture), button="Keep me a seat", key="event"), _greeting(short=True), _related())


def _appeal_mail(picture: PictureFinder) -> tuple[mail.Block, ...]:
    return (
        _greeting(),
        mail.ImageBlock(picture("lanterns", "wide"), caption="Evening class in Ombari.", key="image"),  # type: ignore[arg-type]
        sample_schema_block("statistic", picture),
        mail.Button("Give monthly", f"{SITE}/give/monthly/", key="button"),
        _quote(),
        sample_schema_block("partner_band", picture),
    )


def _plain_letter(picture: PictureFinder) -> tuple[mail.Block, ...]:
    close = "<p>Thank you for being part of it. Write back if you like: I read every answer.</p>"
    signed = sample_schema_block("person_note", picture)
    values = {**signed.values, "text": {"html": close, "text": _strip_tags(close)}, "portrait": None}
    return (
        _greeting(),
        mail.LeadStory(_lead(picture), key="lead"),
        mail.StoryCards(_stories(picture)[:2], key="cards"),
        mail.Events(_events()[:2], key="events"),
        _appeal(),
        replace(signed, values=values),
    )


_BLOCKS_BY_LAYOUT: dict[str, Callable[[PictureFinder], tuple[mail.Block, ...]]] = {
    "letter": _weekly_mail,
    "plain": _plain_letter,
    "events_first": _weekly_mail,
    "digest": _digest,
    "announcement": _announcement,
    "event_notice": _event_notice,
    "appeal": _appeal_mail,
}
_FIELDS_BY_LAYOUT: dict[str, dict[str, str]] = {
    "letter": {"edition": "No. 12 · 26 November 2026"},
    "plain": {"edition": "26 November 2026"},
    "events_first": {"publication": "What’s On", "edition": "26 November 2026"},
    "digest": {"publication": "The Month in Brief", "edition": "November 2026"},
    "announcement": {"headline": "We have opened our doors in Port Selby"},
    "event_notice": {"headline": "An evening of stories in Reading"},
    "appeal": {"headline": "Before the rains, forty families need a hearing"},
}


def _greeting(*, short: bool = False) -> mail.Note:
    first = '<p>Dear {{ first_name | default:"friend" }},</p>'
    more = (
        "<p>Last week the labour court in Ombari accepted a school notebook as evidence. It had a line for every day "
        "of work, and it was enough. "
        f'Here is <a href="{SITE}/how-we-choose/">how we choose the stories we tell</a>.</p>'
    )
    close = "<p>Come and hear it from the people who did the work. Bring somebody who has never been to one.</p>"
    html = first + (close if short else more)
    return mail.Note(body_html=html, body_text=_strip_tags(html), key="note")


def _lead(picture: PictureFinder) -> mail.StoryItem:
    return mail.StoryItem(
        "Tea pickers in the Ombari hills receive three seasons of unpaid wages",
        f"{SITE}/stories/tea-pickers/",
        teaser="When the estate closed its books, Amara* kept hers. Her notebook became the evidence that helped "
        "214 families be paid.",
        picture=picture("terraces", "wide"),
        topic="Fair wages",
        date="24 November",
        notes=(PSEUDONYM,),
    )


def _stories(picture: PictureFinder) -> tuple[mail.StoryItem, ...]:
    rows = (
        ("The court that arrives by boat", "harbour", "Access to courts", "Four islands, one magistrate, and a hearing "
         "room that ties up at the quay on the first Monday of the month."),
        ("“Ask us first”: survivors write the questions that police now use", "lanterns", "Policing", "In four "
         "districts, interviews now begin with a choice."),
        ("Forty-one widows hold title to the land they farm", "fields", "Land rights", "The register took two years. "
         "The party took one afternoon."),
    )  # fmt: skip
    return tuple(
        mail.StoryItem(
            title,
            f"{SITE}/stories/{name}/",
            teaser=teaser,
            picture=picture(name, "card"),
            topic=topic,
            date="23 November",
        )
        for title, name, topic, teaser in rows
    )


def _briefs() -> tuple[mail.StoryItem, ...]:
    rows = (
        ("What a payslip can do", "A page that fits in a pocket, in five languages."),
        ("Hearings by video link", "What we learned from the first hundred."),
    )
    return tuple(mail.StoryItem(title, f"{SITE}/stories/brief-{len(title)}/", teaser=teaser) for title, teaser in rows)


def _events() -> tuple[mail.EventItem, ...]:
    reading = _evening(lambda name, place: None)
    return (
        replace(reading, summary=""),
        mail.EventItem(
            "Walk for the right to stay",
            f"{SITE}/events/walk/",
            "Saturday 12 December, 10:00–13:00",
            "12",
            "Dec",
            where="Oxford, Broad Street",
            weekday="Sat",
            hours="10:00–13:00",
            calendar_url=f"{CALENDAR}/walk",
        ),
        mail.EventItem(
            "Ask a field lawyer",
            f"{SITE}/events/ask/",
            "Tuesday 15 December, 18:30 (London)",
            "15",
            "Dec",
            online=True,
            weekday="Tue",
            hours="18:30 (London)",
            calendar_url=f"{CALENDAR}/ask",
        ),
    )


def _evening(picture: PictureFinder) -> mail.EventItem:
    return mail.EventItem(
        "An evening of stories from the field",
        f"{SITE}/events/evening/",
        "Thursday 3 December, 18:30–20:30",
        "3",
        "Dec",
        where="Central Library, Abbey Square, Reading",
        distance=find_phrase("distance_within", "en", distance="15\u00a0km"),
        weekday="Thu",
        hours="18:30–20:30",
        calendar_url=f"{CALENDAR}/evening",
        map_url="https://www.openstreetmap.org/search?query=Central%20Library%2C%20Reading",
        summary="Three short readings, tea, and time for questions. The hall is step-free and has a hearing loop.",
        picture=picture("skyline", "wide"),
    )


def _quote() -> mail.Quote:
    return mail.Quote(
        "I did not write it down for a judge. I wrote it down because it was true.",
        "Amara*, tea picker",
        notes=("*A pseudonym.",),
        key="quote",
    )


def _appeal() -> mail.AppealBlock:
    return mail.AppealBlock(
        "Stand beside one family, a month at a time",
        "Your gift pays for the boat, the interpreter and the patient weeks in between. Stop whenever you like.",
        f"{SITE}/give/monthly/",
        "Give monthly",
        key="appeal",
    )


def _related() -> mail.Related:
    return mail.Related(
        (
            ("What a payslip can do", f"{SITE}/stories/payslip/"),
            ("The long road to a fair hearing", f"{SITE}/stories/road/"),
            ("Hearings by video link: what we learned", f"{SITE}/stories/video/"),
        ),
        key="related",
    )


def _strip_tags(html: str) -> str:
    """Return the plain text of sample HTML."""
    bare = html.replace("</p>", "\n\n")
    while "<" in bare:
        before, _, rest = bare.partition("<")
        bare = before + rest.partition(">")[2]
    return bare.strip()
