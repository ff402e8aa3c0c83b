"""Sources on a web site on loopback become stories and events, and their errors are reported."""

import io
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from PIL import Image

from newsletter.content.ingesting.ingest import ingest_due, ingest_source
from newsletter.models import EventNotice, Source, Story
from subscribers.models import Case, Topic
from tests.support.feed_items import make_feed_item
from tests.support.fixtures import NOW
from tests.support.name_lookups import fail_lookups
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db

RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<title>Field notes</title><link>{url}/</link>{items}</channel></rss>"""
CALENDAR = """BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{events}END:VCALENDAR\r\n"""
TURN_OFF = "To find it, open the site in a browser. If the site is gone, turn the source off."
EVENT = """BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260301T000000Z\r\nDTSTART;TZID=Europe/London:20260{month}15T180000\r\n\
SUMMARY:{title}\r\nLOCATION:{place}\r\nEND:VEVENT\r\n"""


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served


def feed(site: Site, *items: str, **headers: str) -> Source:
    url = site.put(
        "/feed.xml", RSS.format(url=site.url, items="".join(items)), Content_Type="application/rss+xml", **headers
    )
    return Source.objects.get_or_create(name="Feed", defaults={"kind": "feed", "url": url, "language": "en"})[0]


def calendar(site: Site, *events: str) -> Source:
    url = site.put("/events.ics", CALENDAR.format(events="".join(events)), Content_Type="text/calendar")
    return Source.objects.get_or_create(name="Calendar", defaults={"kind": "calendar", "url": url})[0]


def picture_bytes(size: tuple[int, int] = (1600, 900)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "teal").save(data, "JPEG")
    return data.getvalue()


def test_a_feed_becomes_stories_with_topics_and_our_own_image(site, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    Topic.objects.create(slug="courts", name="Courts")
    site.put("/photo.jpg", picture_bytes(), Content_Type="image/jpeg")
    media = f'<media:content url="{site.url}/photo.jpg" medium="image" type="image/jpeg"/>'
    report = ingest_source(source=feed(site, make_feed_item(site, "a", "The first verdict", extra=media)), now=NOW)
    story = Story.objects.get()
    assert (report.new, report.error, report.set_aside) == (1, "", [])
    assert [topic.slug for topic in story.topics.all()] == ["courts"]
    assert story.picture is not None
    assert story.picture.width == 1280
    assert site.url not in story.picture.url
    assert (tmp_path / story.picture.file).is_file()


def test_a_category_that_names_a_case_puts_the_story_into_it(site):
    case = Case.objects.create(slug="river", name="Courts")
    ingest_source(source=feed(site, make_feed_item(site, "a", "The first verdict")), now=NOW)
    assert Story.objects.get().case == case


def test_one_bad_entry_is_set_aside_and_the_others_are_stored(site):
    source = feed(
        site,
        make_feed_item(site, "a", "The first verdict"),
        make_feed_item(site, "b", ""),
        make_feed_item(site, "c", "A second verdict"),
    )
    report = ingest_source(source=source, now=NOW)
    assert report.new == 2
    assert "title" in report.set_aside[0].reason
    assert source.set_aside.get().reason == report.set_aside[0].reason


def test_a_second_reading_updates_in_place_and_counts_unchanged(site):
    ingest_source(
        source=feed(
            site, make_feed_item(site, "a", "The first verdict"), make_feed_item(site, "b", "A second verdict")
        ),
        now=NOW,
    )
    source = feed(
        site, make_feed_item(site, "a", "The first verdict, upheld"), make_feed_item(site, "b", "A second verdict")
    )
    report = ingest_source(source=source, now=NOW + timedelta(hours=1))
    assert (report.new, report.updated, report.unchanged) == (0, 1, 1)
    assert Story.objects.get(external_id__endswith="a").title == "The first verdict, upheld"


def test_fields_that_staff_edited_are_not_overwritten(site):
    ingest_source(source=feed(site, make_feed_item(site, "a", "The first verdict")), now=NOW)
    Story.objects.update(title="Staff's own headline", edited_fields=["title"])
    ingest_source(source=feed(site, make_feed_item(site, "a", "The source's new headline", text="New words.")), now=NOW)
    story = Story.objects.get()
    assert story.title == "Staff's own headline"
    assert story.teaser == "New words."


@pytest.mark.requirement("X11")
def test_an_unchanged_source_is_not_read_again(site):
    source = feed(site, make_feed_item(site, "a", "The first verdict"), ETag='"one"')
    ingest_source(source=source, now=NOW)
    report = ingest_source(source=source, now=NOW + timedelta(hours=1))
    assert site.asked[-1][1]["If-None-Match"] == '"one"'
    assert (report.unchanged, report.error) == (1, "")


@pytest.mark.requirement("X11")
@pytest.mark.parametrize(("status", "words"), [(404, "404"), (500, "500"), (403, "403")])
def test_a_failing_source_keeps_its_entries_and_is_read_less_often(site, status, words):
    source = feed(site, make_feed_item(site, "a", "The first verdict"))
    ingest_source(source=source, now=NOW)
    site.put("/feed.xml", "no", status=status)
    for failures in (1, 2, 3):
        report = ingest_source(source=source, now=NOW)
        source.refresh_from_db()
        assert words in report.error
        assert source.failures == failures
        assert source.due_at == NOW + timedelta(minutes=30) * 2 ** (failures - 1)
    assert Story.objects.count() == 1


def test_a_sources_retry_after_is_respected(site):
    source = feed(site, make_feed_item(site, "a", "The first verdict"))
    site.put("/feed.xml", "slow down", status=429, Retry_After="7200")
    ingest_source(source=source, now=NOW)
    source.refresh_from_db()
    assert source.due_at == NOW + timedelta(hours=2)


def test_an_unreachable_and_a_malformed_source_have_an_error(site):
    site.put("/feed.xml", "<html>not a feed</html>", Content_Type="text/html")
    source = Source.objects.create(name="Not a feed", kind="feed", url=site.url + "/feed.xml")
    assert ingest_source(source=source, now=NOW).error
    gone = Source.objects.create(name="Gone", kind="feed", url="http://127.0.0.1:9/feed.xml")
    assert ingest_source(source=gone, now=NOW).error


@pytest.mark.parametrize("status", [404, 410])
def test_a_source_whose_page_is_gone_says_what_to_do(site: Site, status: int) -> None:
    source = Source.objects.create(name="Gone", kind="feed", url=site.put("/feed.xml", "gone", status=status))
    assert TURN_OFF in ingest_source(source=source, now=NOW).error


def test_a_source_is_not_to_be_turned_off_while_dns_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_lookups(monkeypatch, socket.EAI_AGAIN)
    source = Source.objects.create(name="Busy", kind="feed", url="https://news.example/feed.xml")
    error = ingest_source(source=source, now=NOW).error
    assert "try again later" in error
    assert "turn the source off" not in error


def test_a_source_whose_host_is_gone_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_lookups(monkeypatch)
    source = Source.objects.create(name="Gone", kind="feed", url="https://no-such-host.invalid/feed.xml")
    error = ingest_source(source=source, now=NOW).error
    assert "No web site is found at no-such-host.invalid." in error
    assert TURN_OFF in error


def test_a_source_that_fails_for_a_while_is_not_to_be_turned_off(site: Site) -> None:
    source = Source.objects.create(name="Busy", kind="feed", url=site.put("/feed.xml", "busy", status=503))
    assert "turn the source off" not in ingest_source(source=source, now=NOW).error


@pytest.mark.requirement("X2")
def test_a_private_address_that_is_not_allowed_is_refused(site, settings):
    settings.NEWSLETTER_FETCH_ALLOW = []
    report = ingest_source(source=feed(site, make_feed_item(site, "a", "The first verdict")), now=NOW)
    assert report.error
    assert site.asked == []


def test_a_story_is_stored_without_an_image_that_fails(site):
    media = f'<media:content url="{site.url}/gone.jpg" medium="image" type="image/jpeg"/>'
    report = ingest_source(source=feed(site, make_feed_item(site, "a", "The first verdict", extra=media)), now=NOW)
    assert report.new == 1
    assert "so the story has none" in report.set_aside[0].reason
    assert Story.objects.get().picture is None


def test_a_new_image_that_fails_keeps_the_old_one_and_is_retried(site, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    media = '<media:content url="%s/%s.jpg" medium="image" type="image/jpeg"/>'
    site.put("/photo.jpg", picture_bytes(), Content_Type="image/jpeg")
    ingest_source(source=feed(site, make_feed_item(site, "a", "A verdict", extra=media % (site.url, "photo"))), now=NOW)
    before = Story.objects.get().picture
    site.put("/another.jpg", "no", status=503)
    source = feed(site, make_feed_item(site, "a", "A verdict, upheld", extra=media % (site.url, "another")))
    report = ingest_source(source=source, now=NOW)
    story = Story.objects.get()
    assert (story.title, story.picture) == ("A verdict, upheld", before)
    assert "the earlier one is kept" in report.set_aside[0].reason
    site.put("/another.jpg", picture_bytes((800, 800)), Content_Type="image/jpeg")
    assert ingest_source(source=source, now=NOW).set_aside == []
    assert Story.objects.get().picture != before
    assert ingest_source(source=source, now=NOW).unchanged == 1


def test_an_image_that_the_source_removed_is_removed(site, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    site.put("/photo.jpg", picture_bytes(), Content_Type="image/jpeg")
    media = f'<media:content url="{site.url}/photo.jpg" medium="image" type="image/jpeg"/>'
    ingest_source(source=feed(site, make_feed_item(site, "a", "A verdict", extra=media)), now=NOW)
    report = ingest_source(source=feed(site, make_feed_item(site, "a", "A verdict")), now=NOW)
    assert (report.set_aside, Story.objects.get().picture) == ([], None)


def test_a_calendar_becomes_events_with_location_and_zone(site):
    events = [EVENT.format(uid="1", month=3, title="Vigil", place="12 High Street\\, Leeds LS1 4AB\\, UK")]
    events.append(EVENT.format(uid="2", month=3, title="Call", place="Online"))
    events.append(EVENT.format(uid="3", month=3, title="Somewhere", place="Springfield"))
    ingest_source(source=calendar(site, *events), now=NOW)
    vigil, call, somewhere = EventNotice.objects.order_by("external_id")
    assert (vigil.town, vigil.region, vigil.zone) == ("Leeds", "GB-ENG", "Europe/London")
    assert call.online
    assert somewhere.latitude is None
    assert "Springfield" in somewhere.note


def test_a_missing_event_is_cancelled_until_it_is_listed_again(site):
    both = [EVENT.format(uid=str(number), month=4, title=f"Event {number}", place="Online") for number in (1, 2)]
    ingest_source(source=calendar(site, *both), now=NOW)
    ingest_source(source=calendar(site, both[0]), now=NOW)
    gone = EventNotice.objects.get(title="Event 2")
    assert gone.cancelled
    assert "no longer in its calendar" in gone.note
    ingest_source(source=calendar(site, *both), now=NOW)
    assert not EventNotice.objects.filter(cancelled=True).exists()


def events_called(*titles: str) -> list[str]:
    return [EVENT.format(uid=title, month=4, title=title, place="Online") for title in titles]


def cancelled() -> set[str]:
    return set(EventNotice.objects.filter(cancelled=True).values_list("title", flat=True))


@pytest.mark.parametrize("left", [[], ["A"]], ids=["all", "most"])
def test_events_missing_at_once_are_held_until_the_next_reading(site, left):
    ingest_source(source=calendar(site, *events_called("A", "B", "C", "D")), now=NOW)
    source = calendar(site, *events_called(*left))
    site.put("/events.ics", CALENDAR.format(events="".join(events_called(*left))), ETag='"two"')
    first = ingest_source(source=source, now=NOW)
    assert (first.cancelled, cancelled()) == (0, set())
    (held,) = first.set_aside
    assert f"{4 - len(left)} of the 4 upcoming events disappeared" in held.reason
    assert source.set_aside.get().reason == held.reason
    second = ingest_source(source=source, now=NOW + timedelta(minutes=30))
    assert (second.cancelled, cancelled()) == (4 - len(left), {"A", "B", "C", "D"} - set(left))
    assert second.set_aside == []
    assert ingest_source(source=source, now=NOW + timedelta(hours=1)).cancelled == 0


def test_held_events_that_come_back_were_never_cancelled(site):
    source = calendar(site, *events_called("A", "B", "C", "D"))
    ingest_source(source=source, now=NOW)
    ingest_source(source=calendar(site), now=NOW)
    report = ingest_source(source=calendar(site, *events_called("A", "B", "C", "D")), now=NOW)
    assert (report.unchanged, report.set_aside, cancelled()) == (4, [], set())


def test_a_broken_entry_does_not_hide_another_missing_event(site):
    source = calendar(site, *events_called("A", "B", "C", "D"))
    ingest_source(source=source, now=NOW)
    broken = events_called("A")[0].replace("DTSTART;TZID=Europe/London:20260415T180000", "DTSTART:soon")
    report = ingest_source(source=calendar(site, broken, *events_called("B", "C")), now=NOW)
    assert [aside.external_id for aside in report.set_aside] == ["A"]
    assert (report.cancelled, cancelled()) == (1, {"D"})


def test_a_broken_entry_without_identity_keeps_the_event_by_title(site):
    page = '<script type="application/ld+json">[%s]</script>'
    node = '{"@type": "Event", "name": "%s", "startDate": "%s"}'
    good = [node % (title, "2026-04-15T18:00:00+01:00") for title in ("A", "B", "C")]
    url = site.put("/events", page % ",".join(good))
    source = Source.objects.create(name="Page", kind="events", url=url)
    ingest_source(source=source, now=NOW)
    site.put("/events", page % ",".join([node % ("A", "soon"), good[1]]))
    assert ingest_source(source=source, now=NOW).cancelled == 1
    assert cancelled() == {"C"}


def test_events_beyond_the_part_that_is_read_are_unchanged(site):
    page = '<script type="application/ld+json">[%s]</script>'
    node = '{"@type": "Event", "name": "Event %d", "startDate": "2026-04-15T18:00:00+01:00"}'
    nodes = [node % number for number in range(201)]
    source = Source.objects.create(name="Page", kind="events", url=site.put("/events", page % ",".join(nodes[:200])))
    ingest_source(source=source, now=NOW)
    site.put("/events", page % ",".join([nodes[200], *nodes[:200]]))
    assert ingest_source(source=source, now=NOW).cancelled == 0
    assert cancelled() == set()


def test_a_cancellation_by_staff_stays(site):
    source = calendar(site, *events_called("A", "B", "C"))
    ingest_source(source=source, now=NOW)
    EventNotice.objects.filter(title="C").update(edited_fields=["cancelled"])
    assert ingest_source(source=calendar(site, *events_called("A", "B")), now=NOW).cancelled == 0


def test_wordpress_posts_are_read_page_by_page(site):
    post = (
        '{"id": %d, "link": "%s/p/%d", "date_gmt": "2026-03-0%dT10:00:00", "title": {"rendered": "Post &amp; %d"},'
        ' "excerpt": {"rendered": "<p>Words.</p>"}, "content": {"rendered": "<p>More words.</p>"}}'
    )
    body = "[" + ",".join(post % (n, site.url, n, n, n) for n in (1, 2)) + "]"
    site.put("/wp-json/wp/v2/posts", body, Content_Type="application/json", X_WP_TotalPages="2")
    source = Source.objects.create(name="WordPress", kind="wordpress", url=site.url)
    report = ingest_source(source=source, now=NOW)
    assert report.error == ""
    assert {story.title for story in Story.objects.all()} == {"Post & 1", "Post & 2"}
    assert [path.split("&page=")[1].split("&")[0] for path, _ in site.asked if "page=" in path] == ["1", "2"]


def test_due_sources_are_read_once_and_then_wait(site):
    feed(site, make_feed_item(site, "a", "The first verdict"))
    assert [report.new for report in ingest_due(now=NOW)] == [1]
    assert ingest_due(now=NOW + timedelta(minutes=1)) == []
    assert [report.unchanged for report in ingest_due(now=NOW + timedelta(minutes=31))] == [1]


def test_a_source_that_was_read_by_a_clock_ahead_is_read_again_once(site):
    feed(site, make_feed_item(site, "a", "The first verdict"))
    ingest_due(now=NOW + timedelta(days=400))
    assert len(ingest_due(now=NOW)) == 1
    assert ingest_due(now=NOW + timedelta(minutes=1)) == []


def test_a_source_that_another_machine_reads_is_not_read_twice(site):
    feed(site, make_feed_item(site, "a", "The first verdict"))
    ingest_due(now=NOW + timedelta(minutes=20))
    assert ingest_due(now=NOW) == []
