# ruff: noqa: E501  (tables of examples read best one a line)
"""One page becomes one story, with its note and the stories it names; event pages become events."""

import json
from datetime import UTC, date, datetime

import pytest

from newsletter.content.parsing.entries import EventEntry, Parsed, StoryEntry
from newsletter.content.parsing.pages.event_page import parse_event_page
from newsletter.content.parsing.pages.story_page import parse_story_page

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
URL = "https://news.example/stories/the-door"

TEXT = (
    "<p>Last month a court in the north gave back a home to three families who had lost it to a lender without a licence.</p>"
    "<p>“We slept under our own roof,” Maya* told the team. It took four hearings, and the help of neighbours who came to each.</p>"
    "<p>The lender has to return what it took, and the village has asked for a law centre of its own, which opens in spring.</p>"
    "<p>*A pseudonym. Note: Maya is not a client.</p>"
)
RELATED = (
    "<section><h2>You might also be interested in…</h2><a href='/stories'>About Stories see more</a>"
    "<a href='/stories/two'><img src='/2.jpg'><h3>Lender sentenced to seven years</h3><p>A second story of Nora*, who spoke.</p></a>"
    "<a href='/stories/three#top'>Court opens its doors on Saturdays</a><a href='/stories/the-door'>A home given back</a>"
    "<a href='javascript:x'>Something that is no link</a></section>"
)
MAIN = f"<main><article><h1>A home given back</h1>{TEXT}</article></main>"


def page(head: str = "", body: str = MAIN, html: str = "lang='en-GB'") -> Parsed:
    text = f"<!doctype html><html {html}><head><meta charset=utf-8>{head}</head><body><nav><a href='/'>Home</a></nav>{body}</body></html>"
    return parse_story_page(text.encode(), url=URL, content_type="text/html; charset=utf-8", now=NOW)


def story(head: str = "", body: str = MAIN, html: str = "lang='en-GB'") -> StoryEntry:
    (one,) = page(head, body, html).stories
    return one


def ld(**node: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def test_a_page_without_metadata_is_read_from_its_text() -> None:
    one = story(head="<title>A home given back | News</title>", body=MAIN + RELATED)
    assert (one.title, one.url, one.external_id, one.language) == ("A home given back", URL, URL, "en-GB")
    assert one.teaser.startswith("Last month a court in the north")
    assert one.pseudonyms == (("Maya", "*A pseudonym. Note: Maya is not a client."),)
    assert one.related == (
        ("Lender sentenced to seven years", "https://news.example/stories/two"),
        ("Court opens its doors on Saturdays", "https://news.example/stories/three"),
    )
    assert "four hearings" in one.body_html
    assert "seven years" not in one.body_html
    assert one.published_at is None


def test_the_metadata_of_a_page_comes_first() -> None:
    head = (
        '<meta property="og:title" content="A home given back | News"><meta property="og:site_name" content="News">'
        '<meta property="og:description" content="Three families &amp;amp; a court."><meta property="og:image" content="/p.jpg">'
        '<meta property="og:image:alt" content="A door"><meta property="article:published_time" content="2026-11-20T10:00:00+01:00">'
        '<meta name="author" content="Field Team"><meta property="article:tag" content="courts"><meta property="article:tag" content="homes">'
        '<link rel="canonical" href="https://news.example/stories/the-door/">'
    )
    one = story(head)
    assert (one.title, one.teaser) == ("A home given back", "Three families & a court.")
    assert (one.picture_url, one.picture_alt) == ("https://news.example/p.jpg", "A door")
    assert one.published_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert (one.author, one.categories, one.url) == (
        "Field Team",
        ("courts", "homes"),
        "https://news.example/stories/the-door/",
    )


def test_json_ld_is_read_at_any_depth() -> None:
    node = {"@type": "NewsArticle", "headline": "From the graph", "datePublished": "2026-11-19", "author": [{"name": "Ana"}, {"name": "Bo"}],
            "image": {"@type": "ImageObject", "url": "/g.jpg", "caption": "A court"}, "keywords": "a, b", "articleSection": ["Courts"], "inLanguage": "ro"}  # fmt: skip
    one = story(ld(**{"@graph": [{"@type": "WebSite"}, node]}), html="")
    assert (one.title, one.author, one.language) == ("From the graph", "Ana, Bo", "ro")
    assert one.published_at == datetime(2026, 11, 19, tzinfo=UTC)
    assert (one.picture_url, one.picture_alt, one.categories) == (
        "https://news.example/g.jpg",
        "A court",
        ("Courts", "a", "b"),
    )


@pytest.mark.parametrize("script", ["{", "[1, null]", "", "<!-- {} -->", '{"@type": 3}', "[" * 50_000])
def test_damaged_json_ld_is_skipped(script: str) -> None:
    assert story(f'<script type="application/ld+json">{script}</script>').title == "A home given back"


def test_a_page_cannot_claim_the_address_of_another_site() -> None:
    assert story('<link rel="canonical" href="https://evil.example/x">').url == URL


def test_a_page_without_a_title_is_set_aside() -> None:
    parsed = page(body="<p>Only words.</p>")
    assert parsed.stories == ()
    assert "no title" in parsed.set_aside[0].reason


def test_a_story_dated_in_the_future_is_set_aside() -> None:
    assert "future" in page('<meta property="article:published_time" content="2031-01-01">').set_aside[0].reason


@pytest.mark.parametrize("body", [b"", b"   ", b"<!-- -->"])
def test_an_empty_page_is_reported(body: bytes) -> None:
    parsed = parse_story_page(body, url=URL, now=NOW)
    assert parsed.error or parsed.set_aside


@pytest.mark.parametrize(
    ("encoding", "content_type", "meta"),
    [("utf-8", "text/html", ""), ("iso-8859-1", "text/html; charset=iso-8859-1", ""), ("cp1250", "text/html", "<meta charset=cp1250>"),
     ("utf-16", "text/html", ""), ("cp1252", "text/html; charset=nonsense", ""), ("utf-8-sig", "", "")],
)  # fmt: skip
def test_the_encoding_of_a_page_is_found(encoding: str, content_type: str, meta: str) -> None:
    text = f"<html><head>{meta}</head><body><h1>Café for all of us</h1></body></html>"
    assert (
        parse_story_page(text.encode(encoding), url=URL, content_type=content_type, now=NOW).stories[0].title
        == "Café for all of us"
    )


@pytest.mark.requirement("X7")
def test_a_deeply_nested_page_is_read_in_time() -> None:
    assert page(body="<div>" * 30_000 + "<h1>Deep</h1>") is not None


def events(*nodes: object) -> Parsed:
    text = "".join(f'<script type="application/ld+json">{json.dumps(node)}</script>' for node in nodes)
    return parse_event_page(f"<html><head>{text}</head></html>".encode(), url=URL, now=NOW)


def event(**changes: object) -> EventEntry:
    node = {"@type": "Event", "name": "An evening", "startDate": "2026-12-03T19:00:00-06:00", "url": "/e/1"} | changes
    (one,) = events(node).events
    return one


def test_an_event_page_gives_its_event() -> None:
    one = event(
        endDate="2026-12-03T21:00:00-06:00", description="<p>Come.</p>",
        location={"@type": "Place", "name": "City Hall", "geo": {"latitude": "29.76", "longitude": -95.36},
                  "address": {"streetAddress": "901 Bagby St", "addressLocality": "Houston", "addressRegion": "TX", "addressCountry": {"name": "US"}}},
    )  # fmt: skip
    assert (one.starts_at, one.ends_at) == (datetime(2026, 12, 4, 1, tzinfo=UTC), datetime(2026, 12, 4, 3, tzinfo=UTC))
    assert one.place == "City Hall, 901 Bagby St, Houston, TX, US"
    assert (one.latitude, one.longitude, one.url, one.summary) == (29.76, -95.36, "https://news.example/e/1", "Come.")
    assert not one.online


def test_graphs_lists_and_kinds_of_events_are_found() -> None:
    parsed = events(
        {
            "@graph": [
                {"@type": "WebPage"},
                {
                    "@type": ["Thing", "https://schema.org/MusicEvent"],
                    "name": "Two",
                    "startDate": "2026-12-05T10:00:00Z",
                },
            ]
        },
        [{"@type": "Event", "name": "One", "startDate": "2026-12-04T10:00:00Z"}],
    )
    assert [one.title for one in parsed.events] == ["One", "Two"]


def test_a_series_gives_its_dates() -> None:
    parsed = events({"@type": "EventSeries", "name": "Vigil", "location": "Leeds", "subEvent": [
        {"@type": "Event", "startDate": "2026-12-01"}, {"@type": "Event", "startDate": "2026-12-08", "name": "Last vigil"}]})  # fmt: skip
    assert [(one.title, one.day, one.place) for one in parsed.events] == [
        ("Vigil", date(2026, 12, 1), "Leeds"),
        ("Last vigil", date(2026, 12, 8), "Leeds"),
    ]


@pytest.mark.parametrize(
    "changes",
    [{"location": {"@type": "VirtualLocation", "url": "https://zoom.us/j/1"}}, {"eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode"}, {"location": "Online"},
     {"location": [{"@type": "VirtualLocation"}, {"@type": "Place", "address": "Leeds, UK"}]}],
)  # fmt: skip
def test_an_online_event_is_recognised(changes: dict[str, object]) -> None:
    assert event(**changes).online


def test_the_location_of_a_hybrid_event_is_kept() -> None:
    assert (
        event(location=[{"@type": "VirtualLocation"}, {"@type": "Place", "address": "Leeds, UK"}]).place == "Leeds, UK"
    )


def test_cancelled_and_postponed_events_are_recognised() -> None:
    assert event(eventStatus="https://schema.org/EventCancelled").cancelled
    postponed = event(eventStatus="EventPostponed")
    assert postponed.cancelled
    assert "postponed" in postponed.note


def test_an_event_without_a_zone_is_flagged_and_a_day_is_all_day() -> None:
    floating = event(startDate="2026-12-03T19:00:00", endDate="2026-12-03T21:00:00-06:00")
    assert floating.zone_note == "The event names no time zone."
    assert (floating.floating, floating.starts_at, floating.ends_at) == (
        True,
        datetime(2026, 12, 3, 19, tzinfo=UTC),
        datetime(2026, 12, 3, 21, tzinfo=UTC),
    )
    assert event(endDate="2026-12-03T21:00:00").ends_at == datetime(2026, 12, 4, 3, tzinfo=UTC)
    assert not event().floating
    one = event(startDate="2026-12-03", endDate="2026-12-04")
    assert (one.all_day, one.day, one.ends_at, one.note) == (
        True,
        date(2026, 12, 3),
        datetime(2026, 12, 5, tzinfo=UTC),
        "",
    )


@pytest.mark.parametrize("geo", [{"latitude": "x", "longitude": 1}, {"latitude": 95, "longitude": 1}, {}, None, "x"])
def test_invalid_coordinates_are_left_out(geo: object) -> None:
    assert event(location={"@type": "Place", "geo": geo, "address": ["x"]}).latitude is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "no title"),
        ({"startDate": "soon"}, "no start"),
        ({"startDate": None}, "no start"),
        ({"startDate": "2020-01-01"}, "is over"),
    ],
)
def test_an_event_that_cannot_be_used_is_set_aside(changes: dict[str, object], reason: str) -> None:
    node = {"@type": "Event", "name": "An evening", "startDate": "2026-12-03T19:00:00Z"}
    parsed = events(node | changes, node)
    assert len(parsed.events) == 1
    assert reason in parsed.set_aside[0].reason


def test_an_end_before_the_start_is_left_out() -> None:
    assert event(endDate="2026-12-01T19:00:00Z").ends_at is None


def test_a_page_without_events_is_reported() -> None:
    assert "no events" in parse_event_page(b"<html><body>Hi</body></html>", url=URL, now=NOW).error
    assert "no events" in parse_event_page(b"", url=URL, now=NOW).error
