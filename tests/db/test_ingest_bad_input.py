"""Each kind of bad input has one behaviour and a text for staff. It stops nothing else and loses nothing."""

import gzip
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from newsletter.content.fetching.fetcher import Limits
from newsletter.content.ingesting import read_source as read
from newsletter.content.ingesting.ingest import IngestReport, ingest_due, ingest_source
from newsletter.content.ingesting.kinds import documents
from newsletter.content.parsing.sandbox.process import ParserProcess, ResourceLimits
from newsletter.models import EventNotice, Source, Story
from tests.support.fixtures import NOW
from tests.support.misbehaving_server import MisbehavingServer, Request, bomb, drip, misbehaving_server, respond
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db

RSS = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Notes</title>{items}</channel></rss>'
DATE = "<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate>"
EVENT_PAGE = (
    '<html><body><script type="application/ld+json">{"@type": "Event", "name": "Vigil", %s}</script></body></html>'
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served
    read.robots.forget()


@pytest.fixture
def wild() -> Iterator[MisbehavingServer]:
    with misbehaving_server() as running:
        yield running


def item(title: str, *, date: str = DATE, text: str = "What happened.") -> str:
    slug = abs(hash(title)) % 10**8
    return (
        f"<item><title>{title}</title><link>https://example.org/{slug}</link>{date}"
        f"<description>{text}</description></item>"
    )


def look(site: Site, body: str | bytes, *, path: str = "/source", kind: str = "feed") -> IngestReport:
    url = site.put(path, body)
    source, _ = Source.objects.get_or_create(name=path, defaults={"kind": kind, "url": url})
    return ingest_source(source=source, now=NOW)


def look_at(url: str, *, kind: str = "feed") -> IngestReport:
    source = Source.objects.create(name=url[:100], kind=kind, url=url)
    report = ingest_source(source=source, now=NOW)
    assert source.error == report.error
    return report


def calendar(*lines: str) -> str:
    event = ["BEGIN:VEVENT", "UID:1", "DTSTAMP:20260301T000000Z", "SUMMARY:Vigil", *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *event, "END:VCALENDAR", ""])


def test_an_unreachable_source_is_tried_again(site: Site) -> None:
    assert "127.0.0.1 cannot be reached" in look_at("http://127.0.0.1:9/feed.xml").error


def test_a_huge_source_is_refused_with_the_limit(site: Site) -> None:
    assert "sends more than 10 MB, the most that is read" in look(site, b"x" * (10 * 1024 * 1024 + 1)).error


@pytest.mark.requirement("X5")
def test_a_decompression_bomb_is_refused_with_the_limit(wild: MisbehavingServer) -> None:
    wild.routes["/feed.xml"] = bomb(encoding="gzip", megabytes=50)
    assert "more than 10 MB, the most that is read" in look_at(f"{wild.url}/feed.xml").error


def test_a_slow_source_is_stopped_and_tried_again(wild: MisbehavingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "FEED", Limits(max_bytes=1000, total=0.5))
    wild.routes["/feed.xml"] = drip(wild)
    report = look_at(f"{wild.url}/feed.xml")
    assert "took too long" in report.error or "too slowly" in report.error
    assert "try again later" in report.error


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("feed", "<html><body>A page</body></html>", "This is not a feed"),
        ("feed", "", "empty document"),
        ("feed", '{"items": [', "JSON that is damaged or cut off"),
        ("feed", b"\x00\xff\xfe" * 50, "This is not a feed"),
        ("calendar", "<html></html>", "This is not a calendar"),
        ("calendar", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "This calendar is damaged"),
        ("events", "<html><body>No events</body></html>", "no events that a program can read"),
        ("wordpress", "<html></html>", "does not answer like WordPress"),
        ("page", "", "The page is empty"),
    ],
)
def test_a_malformed_source_says_what_to_check(site: Site, kind: str, body: str | bytes, words: str) -> None:
    site.put("/source/wp-json/wp/v2/posts", body)
    report = look(site, body, kind=kind)
    assert words in report.error
    assert Source.objects.get().failures == 1


def test_a_feed_that_is_cut_off_gives_the_entries_before_the_cut(site: Site) -> None:
    body = RSS.format(items=item("The first verdict") + item("The second verdict"))
    report = look(site, body[: body.index("The second verdict") - 8])
    assert (report.new, report.error) == (1, "")


@pytest.mark.requirement("X6")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<!DOCTYPE rss [<!ENTITY a "b">]>' + RSS.format(items=item("&a;")), "definitions of its own"),
        (RSS.format(items="<item>" * 60_000), "nested too deeply"),
    ],
    ids=["entities", "nesting"],
)
def test_a_hostile_feed_is_refused_with_the_reason(site: Site, body: str, words: str) -> None:
    assert words in look(site, body).error
    assert not Story.objects.exists()


@pytest.mark.requirement("X2")
def test_a_source_in_a_private_network_is_refused(site: Site) -> None:
    site.put("/feed.xml", "", status=302, Location="http://169.254.169.254/latest/")
    assert "private network address" in look_at(f"{site.url}/feed.xml").error


@pytest.mark.requirement("X7")
def test_a_source_beyond_the_limits_keeps_its_earlier_entries(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    look(site, RSS.format(items=item("The first verdict")))
    hasty = ParserProcess(limits=ResourceLimits(wall_seconds=0.2))
    monkeypatch.setattr(read, "parse_in_sandbox", hasty.parse)
    try:
        report = look(site, RSS.format(items=item("Another verdict") * 10_000))
    finally:
        hasty.close()
    assert "takes too long or too much memory" in report.error
    assert [story.title for story in Story.objects.all()] == ["The first verdict"]


@pytest.mark.requirement("F14")
def test_no_bad_source_stops_a_good_one_or_loses_its_entries(
    site: Site, wild: MisbehavingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "FEED", Limits(max_bytes=200_000, total=0.5))
    wild.routes["/slow"] = drip(wild)
    urls = {
        "a slow": f"{wild.url}/slow",
        "b gone": "http://127.0.0.1:9/",
        "c huge": site.put("/huge", b"x" * 300_000),
        "d malformed": site.put("/malformed", "no feed"),
        "e hostile": site.put("/hostile", '<!DOCTYPE rss [<!ENTITY a "b">]><rss/>'),
        "z good": site.put("/good", RSS.format(items=item("The first verdict"))),
    }
    for name, url in urls.items():
        Source.objects.create(name=name, kind="feed", url=url)
    reports = {report.name: report for report in ingest_due(now=NOW)}
    assert {name for name, report in reports.items() if report.error} == set(urls) - {"z good"}
    site.put("/good", "broken now")
    ingest_due(now=NOW + timedelta(hours=1))
    good = Source.objects.get(name="z good")
    assert (good.failures, good.last_success_at, good.stories.count()) == (1, NOW, 1)


def test_the_first_page_is_kept_if_later_pages_fail(wild: MisbehavingServer) -> None:
    post = orjson.dumps([{"id": 1, "link": f"{wild.url}/p/1", "title": {"rendered": "Post"}}])
    first, second, third = respond(post, X_WP_TotalPages="3"), respond(status="503 Busy"), respond(b"<html>")

    def answer(client: socket.socket, request: Request) -> None:
        later = third if "&page=3&" in request.path else second if "&page=2&" in request.path else first
        later(client, request)

    wild.routes["/wp-json/wp/v2/posts"] = answer
    report = look_at(wild.url, kind="wordpress")
    assert (report.new, report.error) == (1, "")
    assert [aside.entry for aside in report.set_aside] == ["Page 2 of the posts", "Page 3 of the posts"]
    assert "reports an internal error" in report.set_aside[0].reason
    assert "does not answer like WordPress" in report.set_aside[1].reason


@pytest.mark.requirement("X11")
def test_a_page_disallowed_by_robots_txt_says_whom_to_ask(site: Site) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /\n")
    report = look(site, "<h1>A verdict</h1>", kind="page")
    assert "robots.txt" in report.error
    assert "Ask whoever runs the site" in report.error


def test_an_event_without_a_location_is_stored_with_a_note(site: Site) -> None:
    look(site, calendar("DTSTART;TZID=Europe/London:20260415T180000"), kind="calendar")
    event = EventNotice.objects.get()
    assert (event.latitude, event.region, event.online) == (None, "", False)
    assert event.note == "The event names no place."


def test_an_event_without_a_location_gets_its_sources_region(site: Site) -> None:
    url = site.put("/events.ics", calendar("DTSTART;TZID=America/Chicago:20260415T180000"))
    ingest_source(source=Source.objects.create(name="Texas", kind="calendar", url=url, region="US-TX"), now=NOW)
    event = EventNotice.objects.get()
    assert (event.latitude, event.region, event.country) == (None, "US-TX", "US")
    assert "The region of its source is used: Texas" in event.note


def test_an_event_without_an_end_is_stored(site: Site) -> None:
    look(site, calendar("DTSTART;TZID=Europe/London:20260415T180000", "LOCATION:Leeds\\, UK"), kind="calendar")
    event = EventNotice.objects.get()
    assert (event.starts_at, event.ends_at) == (datetime(2026, 4, 15, 17, tzinfo=UTC), None)
    assert event.note == ""


def test_an_end_before_the_start_is_left_out_with_a_note(site: Site) -> None:
    times = ("DTSTART;TZID=Europe/London:20260415T180000", "DTEND;TZID=Europe/London:20260414T180000")
    look(site, calendar(*times, "LOCATION:Leeds\\, UK"), kind="calendar")
    event = EventNotice.objects.get()
    assert event.ends_at is None
    assert "makes no sense and is left out" in event.note


@pytest.mark.requirement("X9")
@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("calendar", calendar("DTSTART:20260415T180000", "LOCATION:Leeds\\, UK"), "names no time zone"),
        (
            "calendar",
            calendar("DTSTART;TZID=Mars/Olympus:20260415T180000", "LOCATION:Leeds\\, UK"),
            "“Mars/Olympus” is not known",
        ),
        ("events", EVENT_PAGE % '"startDate": "2026-04-15T18:00:00", "location": "Leeds, UK"', "names no time zone"),
    ],
    ids=["none", "unknown", "on a page"],
)
def test_an_event_without_a_zone_is_stored_with_a_note(site: Site, kind: str, body: str, words: str) -> None:
    look(site, body, kind=kind)
    event = EventNotice.objects.get()
    assert event.starts_at == datetime(2026, 4, 15, 17, tzinfo=UTC)
    assert words in event.note
    assert "Its time is read as Europe/London, the zone of its place." in event.note
    assert event.zone == "Europe/London"


def test_an_event_without_a_start_is_set_aside_with_the_reason(site: Site) -> None:
    report = look(site, calendar("LOCATION:Leeds\\, UK"), kind="calendar")
    assert [(aside.entry, aside.reason) for aside in report.set_aside] == [("Vigil", "This event has no start.")]


def test_a_story_without_a_date_counts_from_when_it_was_seen(site: Site) -> None:
    report = look(site, RSS.format(items=item("The first verdict", date="")))
    story = Story.objects.get()
    assert (report.new, report.set_aside) == (1, [])
    assert (story.picture, story.published_at, story.language, story.seen_at) == (None, None, "", NOW)
    assert Story.objects.published_or_seen_since(NOW).exists()
    assert not Story.objects.published_or_seen_since(NOW + timedelta(seconds=1)).exists()


def test_a_story_without_a_language_gets_its_sources(site: Site) -> None:
    url = site.put("/feed.xml", RSS.format(items=item("El primer veredicto")))
    ingest_source(source=Source.objects.create(name="Noticias", kind="feed", url=url, language="es"), now=NOW)
    assert Story.objects.get().language == "es"


@pytest.mark.requirement("X8")
def test_a_story_from_the_future_is_set_aside_until_its_day(site: Site) -> None:
    late = item("Tomorrow's verdict", date="<pubDate>Mon, 02 Mar 2099 10:00:00 GMT</pubDate>")
    report = look(site, RSS.format(items=late + item("Today's verdict")))
    assert report.new == 1
    assert "dated in the future (2 March 2099)" in report.set_aside[0].reason


HARD_TITLES = [
    ("{{ 7*7 }} {% now %}", "{{ 7*7 }} {% now %}"),
    ("%recipient.x% *|FNAME|* -name- &lt;%asm_group%&gt;", "%recipient.x% *|FNAME|* -name- <%asm_group%>"),
    ("&lt;script&gt;alert(1)&lt;/script&gt;Verdict", "Verdict"),
    ("&lt;b&gt;Verdict&lt;/b&gt; &amp;amp; appeal", "Verdict & appeal"),
    ("A verdict 🕊️👩🏽‍⚖️", "A verdict 🕊️👩🏽‍⚖️"),
    ("حكم المحكمة", "حكم المحكمة"),
    ("Verdict \u202eturned\u202c", "Verdict turned"),
    ("Verdict __pv_h_name__", "Verdict __pv_h_name__"),
]


@pytest.mark.requirement("H3")
@pytest.mark.parametrize(("given", "kept"), HARD_TITLES, ids=[kept[:20] for _, kept in HARD_TITLES])
def test_a_title_is_stored_as_text(site: Site, given: str, kept: str) -> None:
    report = look(site, RSS.format(items=item(given)))
    assert (report.error, report.set_aside) == ("", [])
    assert Story.objects.get().title == kept


@pytest.mark.requirement("H3")
def test_the_title_of_an_event_is_stored_as_text(site: Site) -> None:
    body = calendar("DTSTART;TZID=Europe/London:20260415T180000").replace(
        "SUMMARY:Vigil", "SUMMARY:<script>alert(1)</script>{{ x }} %recipient.x% 🕊️"
    )
    look(site, body, kind="calendar")
    assert EventNotice.objects.get().title == "{{ x }} %recipient.x% 🕊️"


def test_a_title_of_three_thousand_characters_is_cut_at_a_word(site: Site) -> None:
    look(site, RSS.format(items=item("verdict " * 375)))
    title = Story.objects.get().title
    assert len(title) <= 300
    assert title.endswith("verdict…")


def test_a_title_that_is_nothing_but_a_script_is_set_aside(site: Site) -> None:
    report = look(site, RSS.format(items=item("&lt;script&gt;alert(1)&lt;/script&gt;") + item("A verdict")))
    assert report.new == 1
    assert report.set_aside[0].reason == "This entry has no title."


def test_a_compressed_feed_is_read(site: Site) -> None:
    body = gzip.compress(RSS.format(items=item("A verdict")).encode())
    url = site.put("/feed.xml", body, Content_Encoding="gzip")
    assert look_at(url).new == 1
