"""The date, time and location of an event as a mail shows them."""

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from newsletter.issues.snapshot.records.blocks import EventCardBlock, EventsBlock, LeadStoryBlock, NoteBlock
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.variants.documents import make_document
from newsletter.issues.visible.block_choices import choose_visible_in_archive
from newsletter.issues.visible.choose_visible import ReaderTraits, VisibilityChooser
from newsletter.issues.visible.nearby_events import EventSelection, RecipientLocation, choose_events_for
from newsletter.issues.visible.variant_labels import describe_visible
from newsletter.issues.visible.visible_content import VisibleContent
from newsletter.rendering.blocks import EventCard, EventItem, Events, LeadStory
from newsletter.rendering.pipeline import render
from tests.support.content import make_content, make_event_record, make_story_record


def show(
    language: str = "en",
    publication_zone: str = "Europe/London",
    *,
    reader: RecipientLocation | None = None,
    **changes: Any,
) -> EventItem:
    """Return the event of a mail, as readers in this language see it. Times and days may be ISO 8601."""
    times = {name: datetime.fromisoformat(changes[name]) for name in ("starts_at", "ends_at") if changes.get(name)}
    days = {"day": date.fromisoformat(changes["day"])} if changes.get("day") else {}
    event = make_event_record(**changes | {"ends_at": None, "day": None} | times | days)
    content = make_content(EventsBlock(key="e", heading="", events=(event,)), zone=publication_zone)
    chosen = EventSelection(kind="near", events=(event,))
    if reader:
        chosen = choose_events_for(reader, events=[event], limit=3, radius_km=80, host=False)
    visible = VisibleContent(language=language, events={"e": chosen}, appeals={})
    (block,) = make_document(content, visible=visible, view_online="").blocks
    assert isinstance(block, Events)
    return block.events[0]


def normalise_spaces(text: str) -> str:
    """Remove what editions of the locale data differ in: thin spaces, and the comma after the weekday."""
    return text.replace("\u2009", " ").replace("\u202f", " ").replace("day, 5 ", "day 5 ").replace("day, 9 ", "day 9 ")


def normalise_dashes(text: str) -> str:
    """Remove the spaces around a dash: editions of the locale data differ in them."""
    return re.sub(r"\s*–\s*", "–", normalise_spaces(text))


@pytest.mark.parametrize("zone", ["", "UTC", "Etc/UTC"])
def test_an_event_without_a_zone_is_shown_in_the_publications_zone(zone: str) -> None:
    item = show(starts_at="2026-12-10T01:00:00+00:00", zone=zone, online=True, publication_zone="America/Chicago")
    assert normalise_spaces(item.when) == "Wednesday 9 December, 19:00 (Chicago)"
    assert (item.day, item.month) == ("9", "Dec")


def test_an_event_is_shown_in_its_own_zone() -> None:
    item = show(starts_at="2026-12-10T01:00:00+00:00", zone="America/Chicago")
    assert normalise_spaces(item.when) == "Wednesday 9 December, 19:00 (Chicago)"


@pytest.mark.parametrize(
    ("language", "ends_at", "words"),
    [
        ("en", "", "Saturday 5 December, 18:30"),
        ("en", "2026-12-05T18:30:00+00:00", "Saturday 5 December, 18:30"),
        ("en", "2026-12-05T20:00:00+00:00", "Saturday 5 December, 18:30–20:00"),
        ("en", "2026-12-06T02:00:00+00:00", "Saturday 5 December, 18:30 – 02:00"),
        ("en", "2026-12-06T20:00:00+00:00", "5–6 December, 18:30–20:00"),
        ("en", "2026-12-07T14:00:00+00:00", "5 December, 18:30 – 7 December, 14:00"),
        ("en", "2027-01-02T14:00:00+00:00", "5 December 2026, 18:30 – 2 January 2027, 14:00"),
        ("en-US", "2026-12-05T20:00:00+00:00", "Saturday, December 5, 6:30 – 8:00 PM"),
        ("es", "2026-12-06T20:00:00+00:00", "5–6 de diciembre, 18:30–20:00"),
    ],
)
def test_the_end_of_an_event_is_shown(language: str, ends_at: str, words: str) -> None:
    assert normalise_dashes(show(language, ends_at=ends_at).when) == normalise_dashes(words)


@pytest.mark.parametrize(
    ("language", "day", "starts_at", "ends_at", "words"),
    [
        ("en", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-06T00:00:00+00:00", "Saturday 5 December"),
        ("en", "2026-12-05", "2026-12-05T00:00:00+00:00", "", "Saturday 5 December"),
        ("en", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-07T00:00:00+00:00", "5–6 December"),
        ("en", "2026-12-31", "2026-12-31T00:00:00+00:00", "2027-01-02T00:00:00+00:00", "31 December 2026 – 1 January 2027"),
        ("en", "2026-11-30", "2026-11-30T00:00:00+00:00", "2026-12-02T00:00:00+00:00", "30 November – 1 December"),
        ("en", "2026-10-24", "2026-10-23T23:00:00+00:00", "2026-10-26T00:00:00+00:00", "24–25 October"),
        ("en-US", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-07T00:00:00+00:00", "December 5 – 6"),
        ("de", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-07T00:00:00+00:00", "5.–6. Dezember"),
        ("ar", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-07T00:00:00+00:00", "5–6 ديسمبر"),
    ],
)  # fmt: skip
def test_an_event_of_whole_days_shows_its_first_and_last_day(
    language: str, day: str, starts_at: str, ends_at: str, words: str
) -> None:
    item = show(language, all_day=True, day=day, starts_at=starts_at, ends_at=ends_at, zone="America/Chicago")
    assert normalise_dashes(item.when) == normalise_dashes(words)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Saturday 5 December"), ("es", "sábado, 5 de diciembre"), ("fr", "samedi 5 décembre"),
        ("de", "Samstag, 5. Dezember"), ("pt", "sábado, 5 de dezembro"), ("ro", "sâmbătă, 5 decembrie"),
        ("uk", "субота, 5 грудня"), ("ar", "السبت، 5 ديسمبر"), ("hi", "शनिवार, 5 दिसंबर"),
    ],
)  # fmt: skip
def test_readers_in_each_language_see_the_year_only_if_it_is_another(language: str, words: str) -> None:
    assert normalise_spaces(show(language, all_day=True, day="2026-12-05").when) == words
    other = show(language, all_day=True, day="2027-12-05", starts_at="2027-12-05T00:00:00+00:00")
    assert "2027" in other.when
    assert "2027" in other.hours


def test_an_event_online_or_on_another_clock_has_its_city() -> None:
    assert show(online=True).when.endswith("(London)")
    assert show(zone="Europe/Paris").when.endswith("(Paris)")


LEEDS, BRADFORD, YORK = (
    RecipientLocation("GB", "GB-ENG", "Leeds", 53.8, -1.55),
    RecipientLocation("GB", "GB-ENG", "Bradford", 53.79, -1.75),
    RecipientLocation("GB", "GB-ENG", "York", 53.96, -1.08),
)


@pytest.mark.parametrize(
    ("reader", "language", "distance"),
    [
        (LEEDS, "en", "within 15 km of you"),
        (LEEDS, "es", "a menos de 15 km de ti"),
        (LEEDS, "ar", "على بعد أقل من 15 كم منك"),
        (BRADFORD, "en", ""),
        (YORK, "en", ""),
    ],
)
def test_an_event_close_to_its_readers_shows_the_distance(
    reader: RecipientLocation, language: str, distance: str
) -> None:
    assert normalise_spaces(show(language, reader=reader).distance) == distance


def test_an_online_event_is_close_to_nobody() -> None:
    assert show(reader=LEEDS, online=True).distance == ""


def test_readers_close_to_an_event_get_their_own_variant() -> None:
    event = make_event_record(longitude=-1.55)
    seen = [
        VisibleContent("en", {"e": choose_events_for(reader, events=[event], limit=3, radius_km=80, host=False)}, {})
        for reader in (LEEDS, BRADFORD, YORK)
    ]
    assert [one.key == seen[2].key for one in seen] == [False, True, True]
    assert describe_visible(seen[0]) == "Events near Leeds (1 within 15 km)"
    assert describe_visible(seen[2]) == "Events near Leeds"


@pytest.mark.parametrize(
    ("location", "shown"),
    [("Toronto, Toronto, Ontario", "Toronto, Ontario"), ("Town Hall, Leeds", "Town Hall, Leeds"), ("", "Leeds")],
)
def test_the_location_of_an_event_names_a_town_once(location: str, shown: str) -> None:
    assert show(location=location).where == shown


WINDSOR, DETROIT = (
    RecipientLocation("CA", "CA-ON", "Windsor", 42.3, -83.02),
    RecipientLocation("US", "US-MI", "Detroit", 42.33, -83.05),
)
IN_DETROIT: dict[str, Any] = {
    "location": "Main Library, Detroit, MI", "town": "Detroit", "country": "US", "region": "US-MI", "latitude": 42.36,
    "longitude": -83.07, "zone": "America/Detroit",
}  # fmt: skip


def choose_for(reader: RecipientLocation, *events: EventRecord, zone: str = "Europe/London") -> VisibleContent:
    content = make_content(EventsBlock(key="e", heading="", events=events), zone=zone)
    return VisibilityChooser(content).choose(ReaderTraits(location=reader, giving="none"))


@pytest.mark.parametrize(
    ("language", "location", "home", "abroad"),
    [
        ("en", "Main Library, Detroit, MI", "Main Library, Detroit, MI", "Main Library, Detroit, MI, United States"),
        ("en", "Detroit, United States", "Detroit", "Detroit, United States"),
        ("en", "Detroit, USA", "Detroit", "Detroit, USA"),
        ("es", "Detroit, Estados Unidos", "Detroit", "Detroit, Estados Unidos"),
        ("en", "United States", "United States", "United States"),
        ("es", "", "Detroit", "Detroit, Estados Unidos"),
    ],
)
def test_the_country_of_an_event_is_named_only_to_readers_in_another(
    language: str, location: str, home: str, abroad: str
) -> None:
    event = make_event_record(**IN_DETROIT | {"location": location})
    content = make_content(EventsBlock(key="e", heading="", events=(event,)))
    for reader, words in ((DETROIT, home), (WINDSOR, abroad)):
        visible = replace(choose_for(reader, event), language=language)
        (block,) = make_document(content, visible=visible, view_online="").blocks
        assert isinstance(block, Events)
        assert block.events[0].where == words


@pytest.mark.parametrize(
    ("zone", "where"),
    [
        ("Europe/London", "Town Hall, Leeds"),
        ("America/Toronto", "Town Hall, Leeds, United Kingdom"),
        ("UTC", "Town Hall, Leeds, United Kingdom"),
        ("Asia/Calcutta", "Town Hall, Leeds, United Kingdom"),
    ],
)
def test_the_country_is_the_publications_if_that_of_readers_is_unknown(zone: str, where: str) -> None:
    event = make_event_record()
    events = EventsBlock(key="e", heading="", events=(event,))
    card = EventCardBlock(key="c", events=(event,), summary="", picture=None, button="")
    content = make_content(events, card, zone=zone)
    (listed, shown) = make_document(content, visible=choose_visible_in_archive(content), view_online="").blocks
    assert isinstance(listed, Events)
    assert isinstance(shown, EventCard)
    assert (listed.events[0].where, shown.event.where) == (where, where)


def test_a_country_makes_no_variant_unless_a_border_is_near() -> None:
    leeds, detroit = make_event_record(), make_event_record(id=2, **IN_DETROIT)
    seen = [choose_for(reader, leeds, detroit) for reader in (LEEDS, WINDSOR, DETROIT, RecipientLocation("KE"))]
    assert len({one.key for one in seen[1:3]}) == 2
    labels = [describe_visible(one) for one in seen]
    assert labels[1:3] == [
        "Events near Detroit (1 within 15 km), abroad: United States",
        "Events near Detroit (1 within 15 km)",
    ]
    online = make_event_record(id=3, online=True)
    countries = [RecipientLocation(code) for code in ("KE", "CA", "FR", "")]
    assert len({choose_for(reader, leeds, online).key for reader in countries}) == 1


@pytest.mark.parametrize(
    ("language", "media", "seconds", "words"),
    [
        ("en", "video", 723, "Video, 12 min"),
        ("en", "video", 0, "Video"),
        ("en", "audio", 20, "Audio, 1 min"),
        ("es", "audio", 3749, "Audio, 62 min"),
        ("de", "video", 723, "Video, 12 Min."),
        ("en", "", 0, ""),
    ],
)
def test_a_recording_says_how_long_it_is(language: str, media: str, seconds: int, words: str) -> None:
    block = LeadStoryBlock(key="a", story=make_story_record(1, media=media, seconds=seconds, date=date(2026, 3, 1)))
    visible = VisibleContent(language=language, events={}, appeals={})
    document = make_document(make_content(block), visible=visible, view_online="")
    (shown,) = document.blocks
    assert isinstance(shown, LeadStory)
    assert shown.story.recording == words
    mail = render(document)
    for text in (mail.html.replace("&nbsp;", " ").replace("\xa0", " "), mail.text):
        assert (f"{shown.story.date} · {words}" in text) == bool(words)


@pytest.mark.parametrize(
    ("day", "words"), [(date(2026, 3, 1), "1 March"), (date(2025, 12, 30), "30 December 2025")], ids=str
)
def test_a_story_shows_its_year_only_if_it_is_another(day: date, words: str) -> None:
    block = LeadStoryBlock(key="a", story=make_story_record(1, date=day))
    visible = VisibleContent(language="en", events={}, appeals={})
    (shown,) = make_document(make_content(block), visible=visible, view_online="").blocks
    assert isinstance(shown, LeadStory)
    assert shown.story.date == words


@pytest.mark.parametrize(
    ("changes", "hours"),
    [
        ({}, "18:30"),
        ({"ends_at": "2026-12-05T20:00:00+00:00"}, "18:30–20:00"),
        ({"ends_at": "2026-12-06T02:00:00+00:00"}, "18:30–02:00"),
        ({"zone": "Europe/Paris"}, "19:30 (Paris)"),
        ({"online": True}, "18:30 (London)"),
        ({"ends_at": "2026-12-06T20:00:00+00:00"}, "5–6 December, 18:30–20:00"),
        ({"starts_at": "2027-01-09T18:30:00+00:00"}, "January 2027, 18:30"),
        ({"all_day": True, "day": "2026-12-05"}, ""),
        (
            {"all_day": True, "day": "2026-10-24", "starts_at": "2026-10-23T23:00:00+00:00",
             "ends_at": "2026-10-25T00:00:00+00:00"},
            "",
        ),
        (
            {"all_day": True, "day": "2026-12-05", "ends_at": "2026-12-07T00:00:00+00:00",
             "starts_at": "2026-12-05T00:00:00+00:00"},
            "5–6 December",
        ),
    ],
    ids=str,
)  # fmt: skip
def test_the_hours_of_an_event_repeat_nothing_of_its_chip(changes: dict[str, Any], hours: str) -> None:
    item = show(**{"zone": "Europe/London", "starts_at": "2026-12-05T18:30:00+00:00"} | changes)
    assert normalise_dashes(item.hours).replace("day, 9 ", "day 9 ") == hours
    assert item.weekday == "Sat"


def test_a_note_has_a_blank_line_between_its_paragraphs_in_plain_text() -> None:
    note = NoteBlock(key="n", heading="", html="<p>Dear friends,</p><p>the roof is mended.</p><ul><li>Thanks</li></ul>")
    content, visible = make_content(note), VisibleContent(language="en", events={}, appeals={})
    mail = render(make_document(content, visible=visible, view_online=""))
    assert "Dear friends,\n\nthe roof is mended.\n\n- Thanks\n" in mail.text
