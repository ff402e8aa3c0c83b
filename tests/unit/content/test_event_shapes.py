"""Event pages of common sites and plug-ins give exactly the expected events."""

import json
import socket
from datetime import UTC, date, datetime

import pytest

from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import EventEntry, Parsed
from newsletter.content.parsing.json_text import read_repaired_json
from newsletter.content.parsing.pages.event_page import parse_event_page
from newsletter.content.parsing.pages.rest_links import is_tribe_address, make_route_url
from newsletter.content.parsing.pages.the_events_calendar import parse_tribe_events, tribe_url
from newsletter.content.parsing.sandbox.process import parse_in_sandbox
from tests.support.sample_documents import MARKER, list_shapes, read_shape

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
URL = "https://example.org/events/"
HALL = "Meadow Hall, 1 Meadow Lane, Leeds, West Yorkshire, LS1 1AA, GB"


def shape(name: str) -> Parsed:
    if name.endswith(".json"):
        return parse_tribe_events(read_shape("eventpage", name), url=URL, now=NOW)
    return parse_event_page(read_shape("eventpage", name), url=URL, content_type="text/html", now=NOW)


def by_title(parsed: Parsed) -> dict[str, EventEntry]:
    return {entry.title: entry for entry in parsed.events}


@pytest.mark.parametrize("name", list_shapes("eventpage"))
def test_no_page_reveals_a_private_event(name: str) -> None:
    parsed = shape(name)
    assert MARKER not in repr((parsed.events, parsed.set_aside, parsed.title, parsed.error))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trailing-commas.html", "commas, comments or quotation marks"),
        ("comments.html", "commas, comments or quotation marks"),
        ("single-quotes.html", "commas, comments or quotation marks"),
        ("line-breaks.html", "line breaks inside of texts"),
        ("entities.html", "HTML entities"),
        ("cdata.html", ""),
    ],
)
def test_small_mistakes_are_repaired_and_reported(name: str, said: str) -> None:
    parsed = shape(name)
    assert [entry.title for entry in parsed.events] == ["Quiz"]
    assert [said in aside.reason for aside in parsed.set_aside] == ([True] if said else [])


def test_unreadable_event_data_is_reported_and_the_rest_is_kept() -> None:
    parsed = shape("beyond-repair.html")
    assert [entry.title for entry in parsed.events] == ["Quiz"]
    assert "damaged and cannot be read" in parsed.set_aside[0].reason
    assert parsed.complete_until == NOW


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"a": "Tom &amp; Ann"}', {"a": "Tom &amp; Ann"}),
        ('{"a": "https://example.org//x", /* “b”: 1 */ }', {"a": "https://example.org//x"}),
        ('<!-- {"a": 1} -->', {"a": 1}),
        ('[{"a": 1}, {"b": "\\ud83d",}]', [{"a": 1}, {"b": "�"}]),
        ('{"a": "\\ud83d"}', {"a": "\ud83d"}),
        ('{"a": NaN}', {"a": None}),
    ],
)
def test_repairing_changes_no_valid_text(text: str, data: object) -> None:
    assert read_repaired_json(text)[0] == data


@pytest.mark.parametrize("text", ['{"a": "b" "c"}', '{"a": ', "hello", "[" * 100_000, '{"a": "say "no" now"}'])
def test_json_beyond_repair_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        read_repaired_json(text)


def test_events_include_data_they_refer_to_and_inherit() -> None:
    events = by_title(shape("graph.html"))
    assert list(events) == ["Recital", "Day two", "Drop-in", "Last drop-in"]
    recital = events["Recital"]
    assert (recital.place, events["Day two"].place) == (HALL, HALL)
    assert (recital.street, recital.locality, recital.state) == ("1 Meadow Lane", "Leeds", "West Yorkshire")
    assert (recital.postcode, recital.country, recital.latitude, recital.longitude) == ("LS1 1AA", "GB", 53.79, -1.54)
    assert events["Drop-in"].online


def test_the_state_of_an_event_is_read() -> None:
    events = by_title(shape("statuses.html"))
    assert {title for title, entry in events.items() if entry.cancelled} == {"Cancelled", "Postponed"}
    assert {title for title, entry in events.items() if entry.online} == {"Moved online", "Mixed"}
    assert (events["Mixed"].place, events["In person"].place) == (HALL, HALL)


def test_dates_are_read_if_they_are_not_ambiguous() -> None:
    parsed = shape("dates.html")
    read = {entry.title: (f"{entry.starts_at:%d %H:%M}", entry.floating, entry.day) for entry in parsed.events}
    assert read == {
        "Without a zone": ("03 19:00", True, None),
        "Space": ("04 18:00", False, None),
        "Evening": ("05 19:30", True, None),
        "Short offset": ("07 00:00", False, None),
        "Short numbers": ("07 00:00", True, date(2026, 12, 7)),
        "Whole day as a calendar plugin writes it": ("08 00:00", False, date(2026, 12, 8)),
        "Two whole days": ("09 06:00", False, date(2026, 12, 9)),
        "No end that can be": ("11 19:00", False, None),
        "Whole days without an end": ("12 00:00", True, date(2026, 12, 12)),
    }
    ends = {entry.title: entry.ends_at for entry in parsed.events}
    assert ends["No end that can be"] is None
    assert ends["Two whole days"] == datetime(2026, 12, 11, 6, tzinfo=UTC)
    assert ends["Whole day as a calendar plugin writes it"] == datetime(2026, 12, 9, tzinfo=UTC)
    assert [aside.entry for aside in parsed.set_aside] == ["The last year", "The first year", "Words", "1 past event"]


def test_only_damaged_events_are_refused() -> None:
    parsed = shape("damaged-entries.html")
    assert [entry.title for entry in parsed.events] == ["First", "Last"]
    assert [aside.reason.split(",")[0] for aside in parsed.set_aside] == [
        "This entry contains an invalid character",
        "This entry is longer than 256 kB.",
    ]


def test_private_events_of_a_page_are_only_counted() -> None:
    parsed = shape("private.html")
    assert [entry.title for entry in parsed.events] == ["Open evening"]
    assert [aside.entry for aside in parsed.set_aside] == ["7 private entries"]
    assert "https://example.org/events/p20/" in parsed.private


@pytest.mark.parametrize("name", ["private-microdata.html", "private-rdfa.html"])
def test_private_events_in_markup_are_only_counted(name: str) -> None:
    parsed = shape(name)
    assert [entry.title for entry in parsed.events] == ["Open evening"]
    assert [aside.entry for aside in parsed.set_aside] == ["4 private entries"]
    assert {f"https://example.org/events/p{number}/" for number in range(30, 34)} == set(parsed.private)


def test_microdata_is_read() -> None:
    (entry,) = shape("microdata.html").events
    assert (entry.title, entry.url) == ("A play & a talk", "https://example.org/events/play/")
    assert (entry.starts_at.hour, entry.ends_at and entry.ends_at.hour) == (19, 21)
    assert (entry.place, entry.postcode, entry.latitude) == (
        "Meadow Hall, 1 Meadow Lane, Leeds, LS1 1AA",
        "LS1 1AA",
        53.79,
    )


def test_rdfa_is_read() -> None:
    (entry,) = shape("rdfa.html").events
    assert (entry.title, entry.url) == ("A concert", "https://example.org/events/concert/")
    assert (entry.starts_at.hour, entry.place, entry.locality) == (19, "Meadow Hall, 1 Meadow Lane, Leeds", "Leeds")


def test_reading_rdfa_makes_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda *who: asked.append(who))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *who, **more: asked.append(who))
    body = b'<p vocab="http://a.example/ns#" prefix="x: http://b.example/#" typeof="x:Event Other" property="x:name">'
    parse_event_page(body, url=URL, now=NOW)
    assert asked == []


def test_past_events_of_a_page_do_not_hide_the_next_one() -> None:
    past = [{"@type": "Event", "name": "Past", "startDate": "2020-01-01", "url": f"/{n}"} for n in range(5_400)]
    nodes = [*past[:4_900], {"@type": "Event", "name": "Next", "startDate": "2026-12-01"}]
    body = f'<script type="application/ld+json">{json.dumps(nodes)}</script>'.encode()
    parsed = parse_event_page(body, url=URL, now=NOW)
    assert ([entry.title for entry in parsed.events], parsed.complete_until) == (["Next"], None)
    assert [entry.title for entry in shape("past-events.html").events] == ["The next one"]


def test_the_events_calendar_is_read_by_its_rest_interface() -> None:
    parsed = shape("the-events-calendar.json")
    events = by_title(parsed)
    assert list(events) == ["Open “evening”", "All day", "Manual zone", "Called off", "Online"]
    first = events["Open “evening”"]
    assert (first.zone, first.summary, first.url) == ("Europe/London", "Come & listen.", "https://example.org/event/1/")
    assert (first.street, first.locality, first.state) == ("1 Meadow Lane", "Leeds", "West Yorkshire")
    assert (first.postcode, first.country, first.latitude) == ("LS1 1AA", "United Kingdom", 53.79)
    assert (events["All day"].day, events["All day"].ends_at) == (
        date(2026, 12, 5),
        datetime(2026, 12, 7, 5, tzinfo=UTC),
    )
    assert (events["Manual zone"].starts_at.hour, events["Manual zone"].zone) == (18, "")
    assert (events["Called off"].cancelled, events["Online"].online) == (True, True)
    assert [aside.entry for aside in parsed.set_aside] == ["No start", "The last year", "5 private entries"]
    assert len(parsed.private) == 5


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"code": "rest_no_route"}', b'{"events": 5}'])
def test_an_answer_of_another_program_is_reported(body: bytes) -> None:
    assert "did not answer as The Events Calendar does" in parse_tribe_events(body, url=URL, now=NOW).error


def test_the_interface_gives_the_same_in_the_sandbox() -> None:
    body = read_shape("eventpage", "the-events-calendar.json")
    apart = parse_in_sandbox(
        Document(kind="tribe_events", body=body, url=URL, content_type="application/json", now=NOW)
    )
    assert apart == parse_tribe_events(body, url=URL, now=NOW)


@pytest.mark.parametrize(
    ("rest", "asked"),
    [
        (
            "https://example.org/wp-json/tribe/events/v1/",
            "https://example.org/wp-json/tribe/events/v1/events?per_page=50",
        ),
        (
            "https://example.org/sub/wp-json/tribe/events/v1/events/?categories=music",
            "https://example.org/sub/wp-json/tribe/events/v1/events?categories=music&per_page=50",
        ),
        (
            "https://example.org/?rest_route=/tribe/events/v1/",
            "https://example.org/?rest_route=%2Ftribe%2Fevents%2Fv1%2Fevents&per_page=50",
        ),
        (
            make_route_url("https://example.org/index.php?rest_route=/", "tribe/events/v1"),
            "https://example.org/index.php?rest_route=%2Ftribe%2Fevents%2Fv1%2Fevents&per_page=50",
        ),
    ],
)
def test_the_interface_is_found_with_and_without_permalinks(rest: str, asked: str) -> None:
    assert is_tribe_address(rest)
    address = tribe_url(rest, page=2, start=date(2026, 11, 24), end=date(2027, 12, 30))
    assert address.startswith(asked)
    assert address.endswith("&page=2&start_date=2026-11-24&end_date=2027-12-30+23%3A59%3A59&status=publish")
