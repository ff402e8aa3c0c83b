"""Calendars that are read again: what is private, gone, cut off or moved there becomes of the events that we have."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.common.errors import NotApproved
from newsletter.common.translation import translate
from newsletter.content.ingesting.ingest import IngestReport, ingest_source
from newsletter.content.ingesting.translated_events import FACT_FIELDS
from newsletter.issues.approval.void_changed import void_changed_approvals
from newsletter.issues.assembly.selection import choose_events
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Delivery, EventNotice, Issue, Source
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_event,
    make_issue,
    make_publication,
    make_source,
    make_story,
)
from tests.support.sample_documents import MARKER, read_shape
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served


def event(uid: str, start: str = "20260415T180000Z", *lines: str, title: str = "") -> str:
    text = [f"UID:{uid}", f"SUMMARY:{title or uid}", f"DTSTART:{start}", "LOCATION:Online", *lines]
    return "\r\n".join(["BEGIN:VEVENT", *text, "END:VEVENT", ""])


def look(site: Site, *events: str, now: datetime = NOW) -> IngestReport:
    url = site.put("/c.ics", f"BEGIN:VCALENDAR\r\n{''.join(events)}END:VCALENDAR\r\n", Content_Type="text/calendar")
    source = Source.objects.get_or_create(name="Calendar", defaults={"kind": "calendar", "url": url})[0]
    source.refresh_from_db()
    return ingest_source(source=source, now=now)


def cancelled() -> set[str]:
    return set(EventNotice.objects.filter(cancelled=True).values_list("title", flat=True))


def numbered(days: Sequence[int]) -> list[str]:
    return [event(f"e{day}", f"202604{day:02}T180000Z") for day in days]


def make_translation(title: str, **changes: object) -> EventNotice:
    """Return the Spanish event that staff wrote for an event of the calendar."""
    original = EventNotice.objects.get(title=title)
    fields = {"source": None, "starts_at": original.starts_at, "place_text": "En línea", "online": True, **changes}
    return make_event(f"{title} en español", translation_of=original, language="es", **fields)


def test_a_translation_moves_with_its_original_and_keeps_its_words(site):
    look(site, event("a"), event("b"))
    translation = make_translation("a")
    look(site, event("a", "20260416T190000Z"), event("b"))
    translation.refresh_from_db()
    assert (translation.starts_at.day, translation.starts_at.hour, translation.changed_at) == (16, 19, NOW)
    assert (translation.title, translation.place_text) == ("a en español", "En línea")


@pytest.mark.parametrize("mark", [("CLASS:PRIVATE",), ("STATUS:CANCELLED",), None])
def test_a_translation_is_cancelled_and_restored_with_its_original(site, mark):
    others = [event(uid) for uid in "bcdef"]
    look(site, event("a"), *others)
    make_translation("a")
    look(site, *others, *([event("a", "20260415T180000Z", *mark)] if mark else []))
    assert cancelled() == {"a", "a en español"}
    look(site, event("a"), *others)
    assert cancelled() == set()


def test_a_translation_of_another_source_keeps_its_own_time(site):
    look(site, event("a"), event("b"))
    translation = make_translation("a", source=make_source())
    look(site, event("a", "20260416T190000Z"), event("b"))
    translation.refresh_from_db()
    assert (translation.starts_at.day, translation.changed_at) == (15, None)


def test_a_translation_that_staff_cancelled_stays_cancelled(site):
    look(site, event("a"), event("b"))
    make_translation("a", cancelled=True, edited_fields=["cancelled"])
    look(site, event("a", "20260415T180000Z", "STATUS:CANCELLED"), event("b"))
    look(site, event("a"), event("b"))
    assert cancelled() == {"a en español"}


def move(site: Site, *, to: str = "Town Hall\\, York\\, United Kingdom", **own: object) -> EventNotice:
    """Return the translation with facts of its own, after its original moved from the hall in Leeds."""
    there = "LOCATION:Harbour Hall\\, Leeds\\, United Kingdom"
    look(site, event("a").replace("LOCATION:Online", there), event("b"))
    original = EventNotice.objects.get(title="a")
    same = {name: getattr(original, name) for name in FACT_FIELDS}
    translation = make_translation("a", **{**same, **own})
    look(site, event("a").replace("LOCATION:Online", f"LOCATION:{to}"), event("b"))
    translation.refresh_from_db()
    return translation


def test_a_translation_takes_over_a_place_that_it_has_not_translated(site):
    translation = move(site)
    assert (translation.place_text, translation.town) == ("Town Hall, York, United Kingdom", "York")
    assert translation.note == ""


def test_a_translation_keeps_its_words_for_a_place_with_a_note(site):
    translation = move(site, place_text="Sala del puerto, Leeds")
    assert (translation.place_text, translation.town, translation.changed_at) == ("Sala del puerto, Leeds", "York", NOW)
    assert translation.note.startswith("The place of its original has changed.")


def test_a_translation_keeps_a_location_of_its_own_with_a_note(site):
    translation = move(site, place_text="Durham", town="Durham", latitude=54.78, longitude=-1.58)
    assert (translation.town, translation.latitude, translation.changed_at) == ("Durham", 54.78, None)
    assert translation.note.startswith("The place of its original has changed.")


@pytest.mark.parametrize(
    "own",
    [
        {"place_text": "Sala del puerto, Leeds", "latitude": 53.81, "longitude": -1.52},
        {"place_text": "Sala del puerto", "town": "", "country": "", "region": "", "latitude": None, "longitude": None},
        {"latitude": None, "longitude": None, "place_question": {"text": "Leeds"}},
    ],
    ids=["the point of its words", "unknown", "asked"],
)
def test_a_translation_without_a_location_of_its_own_moves_along(site, own):
    translation = move(site, **own)
    original = EventNotice.objects.get(title="a")
    assert (translation.town, translation.latitude) == ("York", original.latitude)
    assert translation.place_question == {}


def test_a_translation_keeps_its_question_if_its_original_is_nowhere_too(site):
    own = {"latitude": None, "longitude": None, "place_question": {"text": "Leeds"}}
    translation = move(site, to="The old hall", **own)
    assert EventNotice.objects.get(title="a").latitude is None
    assert (translation.latitude, translation.place_question["text"]) == (None, "Leeds")


def test_a_note_of_a_translation_stays_until_the_facts_are_equal(site):
    translation = move(site, place_text="Sala del puerto, Leeds", starts_at=NOW + timedelta(days=3))
    there = event("a", "20260416T190000Z").replace("LOCATION:Online", "LOCATION:Town Hall\\, York\\, United Kingdom")
    look(site, there, event("b"))
    translation.refresh_from_db()
    assert translation.note.startswith("The time of its original has changed.")
    assert "The place of its original has changed." in translation.note


def test_a_translation_keeps_a_time_of_its_own_with_a_note(site):
    look(site, event("a"), event("b"))
    translation = make_translation("a", starts_at=NOW + timedelta(days=3))
    look(site, event("a", "20260416T190000Z"), event("b"))
    translation.refresh_from_db()
    assert (translation.starts_at, translation.changed_at) == (NOW + timedelta(days=3), None)
    assert translation.note.startswith("The time of its original has changed.")


@pytest.mark.parametrize("mark", ["CLASS:PRIVATE", "CLASS:confidential", "X-MICROSOFT-SENSITIVITY:PRIVATE"])
def test_an_event_that_becomes_private_is_withdrawn_at_once(site, mark):
    look(site, event("a"), event("b"))
    EventNotice.objects.filter(title="a").update(edited_fields=["cancelled", "summary"])
    report = look(site, event("a", "20260415T180000Z", mark, title=f"{MARKER} a"), event("b"))
    assert (report.cancelled, cancelled()) == (1, {"a"})
    row = EventNotice.objects.get(title="a")
    assert "no longer shows it to the public" in row.note
    assert (row.changed_at, row.edited_fields) == (NOW, ["summary"])


def test_all_events_that_become_private_at_once_wait_for_no_second_reading(site):
    look(site, event("a"), event("b"), event("c"), event("d"))
    report = look(site, *(event(uid, "20260415T180000Z", "CLASS:PRIVATE") for uid in "abcd"))
    assert (report.cancelled, cancelled()) == (4, {"a", "b", "c", "d"})


def test_a_busy_time_in_place_of_an_event_withdraws_it(site):
    look(site, event("a", title="Vigil"), event("b"))
    look(site, event("a", title="Busy"), event("b"))
    assert cancelled() == {"Vigil"}


def test_one_private_date_withdraws_only_that_date(site):
    series = event("a", "20260401T180000Z", "RRULE:FREQ=WEEKLY;COUNT=4")
    look(site, series)
    report = look(site, series, event("a", "20260408T170000Z", "RECURRENCE-ID:20260408T180000Z", "CLASS:PRIVATE"))
    assert report.cancelled == 1
    assert [row.starts_at.day for row in EventNotice.objects.filter(cancelled=True)] == [8]


def test_an_event_that_is_public_again_takes_place_again(site):
    look(site, event("a"), event("b"))
    look(site, event("a", "20260415T180000Z", "CLASS:PRIVATE"), event("b"))
    look(site, event("a"), event("b"))
    assert cancelled() == set()


def test_no_word_of_a_private_entry_is_kept_or_logged(site, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("private-classes.ics", "busy.ics", "damaged-entries.ics", "private-occurrence.ics"):
        url = site.put(f"/{name}", read_shape("calendar", name))
        source = Source.objects.create(name=name, kind="calendar", url=url)
        report = ingest_source(source=source, now=NOW)
        assert MARKER not in str(report.as_json())
        assert MARKER not in str(list(source.set_aside.values()))
        assert MARKER not in str(list(source.events.values()))
    assert MARKER not in caplog.text


def test_events_pushed_off_the_end_of_a_list_are_not_cancelled(site):
    look(site, *numbered(range(10, 20)))
    report = look(site, event("new", "20260409T180000Z"), *numbered(range(10, 19)))
    assert (report.cancelled, cancelled()) == (0, set())


def test_events_deleted_from_the_end_of_a_list_are_cancelled(site):
    look(site, *numbered(range(10, 20)))
    assert look(site, *numbered(range(10, 19))).cancelled == 1
    assert cancelled() == {"e19"}


def test_events_missing_in_the_middle_of_a_list_are_cancelled(site):
    look(site, *numbered(range(10, 20)))
    look(site, *numbered([10, 11, 12, 14, 15, 16, 17, 18, 19, 20]))
    assert cancelled() == {"e13"}


def test_a_list_that_is_cut_shorter_than_before_cancels_nothing(site):
    look(site, *numbered(range(1, 26)), now=datetime(2026, 3, 4, tzinfo=NOW.tzinfo))
    for hours in (1, 2, 3):
        assert look(site, *numbered(range(1, 11)), now=NOW + timedelta(hours=hours)).cancelled == 0


def test_a_list_in_no_order_that_may_be_cut_cancels_nothing(site):
    days = [19, 11, 15, 12, 18, 10, 17, 13, 16, 14]
    look(site, *numbered(days))
    assert look(site, event("new", "20260409T180000Z"), *numbered(days[:-1])).cancelled == 0


def shift(minutes: int) -> str:
    start = datetime(2026, 3, 10, 18, 0, tzinfo=NOW.tzinfo) + timedelta(minutes=minutes)
    return event("weekly", f"{start:%Y%m%dT%H%M%SZ}", "RRULE:FREQ=WEEKLY;COUNT=80", title="Drop-in")


@pytest.mark.long
@pytest.mark.parametrize("minutes", [30, -90, 24 * 60, -2 * 24 * 60])
def test_a_series_that_moves_is_changed_and_not_cancelled(site, minutes):
    first = look(site, shift(0))
    before = dict(EventNotice.objects.values_list("pk", "starts_at"))
    report = look(site, shift(minutes), now=NOW + timedelta(minutes=30))
    assert (first.new, report.new, report.cancelled) == (57, 0, 0)
    moved = [pk for pk, start in EventNotice.objects.values_list("pk", "starts_at") if start != before[pk]]
    # The last one may have moved beyond what is read.
    assert len(moved) == report.updated >= 56
    after = dict(EventNotice.objects.filter(pk__in=moved).values_list("pk", "starts_at"))
    assert after == {pk: before[pk] + timedelta(minutes=minutes) for pk in moved}
    again = look(site, shift(minutes), now=NOW + timedelta(hours=1))
    assert (again.new, again.updated, again.cancelled) == (0, 0, 0)


def test_a_date_that_leaves_a_series_is_cancelled_and_moves_to_no_other(site):
    look(site, shift(0))
    report = look(
        site, shift(0).replace("END:VEVENT", "EXDATE:20260324T180000Z\r\nEND:VEVENT"), now=NOW + timedelta(days=8)
    )
    assert (report.new, report.cancelled) == (1, 1)
    assert [row.starts_at.day for row in EventNotice.objects.filter(cancelled=True)] == [24]


def test_an_event_that_gets_a_new_identity_is_the_same_event(site):
    look(site, event("a1", title="Vigil"), event("b1", "20260416T180000Z", title="Talk"))
    pks = set(EventNotice.objects.values_list("pk", flat=True))
    look(site, event("a2", title="Vigil"), event("b2", "20260416T180000Z", title="Talk"))
    assert set(EventNotice.objects.values_list("pk", flat=True)) == pks
    assert cancelled() == set()


def test_an_event_that_becomes_a_series_stays_the_same_event(site):
    look(site, event("a"), event("b"))
    look(site, event("a", "20260415T180000Z", "RRULE:FREQ=WEEKLY;COUNT=2"), event("b"))
    assert cancelled() == set()
    assert EventNotice.objects.filter(title="a").count() == 2


def test_a_calendar_address_of_a_calendar_program_is_read(site):
    site.put("/c.ics", f"BEGIN:VCALENDAR\r\n{event('a')}END:VCALENDAR\r\n")
    source = Source(name="Webcal", kind="calendar", url=site.url.replace("http:", "webcal:") + "/c.ics")
    source.full_clean()
    source.save()
    assert ingest_source(source=source, now=NOW).new == 1
    assert site.asked[-1][1]["Accept"] == "text/calendar, text/plain;q=0.5"


def test_a_server_without_our_media_types_is_asked_for_anything(site):
    url = site.put("/c.ics", b"", status=406)
    report = ingest_source(source=Source.objects.create(name="Events", kind="calendar", url=url), now=NOW)
    assert report.error
    assert [headers["Accept"] for _, headers in site.asked] == ["text/calendar, text/plain;q=0.5", "*/*"]


def make_tribe_event(number: int, **changes: object) -> dict[str, object]:
    return {
        "status": "publish",
        "url": f"https://example.org/event/{number}/",
        "title": f"Event {number}",
        "start_date": f"2026-04-{number:02} 19:00:00",
        "utc_start_date": f"2026-04-{number:02} 18:00:00",
        "timezone": "Europe/London",
        **changes,
    }


def put_events_calendar(
    site: Site, *events: dict[str, object], path: str = "/wp-json/tribe/events/v1/events", pages: int = 1
) -> None:
    site.put(path, json.dumps({"events": events, "total_pages": pages}), Content_Type="application/json")


def look_at_site(site: Site, path: str = "/", now: datetime = NOW) -> IngestReport:
    source = Source.objects.get_or_create(name="Site", defaults={"kind": "events", "url": site.url + path})[0]
    source.refresh_from_db()
    return ingest_source(source=source, now=now)


def test_a_site_with_the_events_calendar_is_read_by_its_link(site):
    site.put("/", f'<link rel="alternate" href="{site.url}/wp-json/tribe/events/v1/events/?categories=music">')
    put_events_calendar(site, make_tribe_event(15), make_tribe_event(16))
    assert (look_at_site(site).new, look_at_site(site).unchanged) == (2, 2)
    asked = next(path for path, _ in site.asked if "tribe" in path)
    assert "categories=music&per_page=50&page=1&start_date=2026-03-03" in asked


def test_a_wordpress_site_without_events_on_its_page_is_asked_for_them(site):
    site.put("/", f'<h1>Home</h1><link rel="https://api.w.org/" href="{site.url}/wp-json/">')
    put_events_calendar(site, make_tribe_event(15))
    assert look_at_site(site).new == 1


def test_the_interface_without_permalinks_is_read(site):
    put_events_calendar(site, make_tribe_event(15), path="/index.php")
    assert look_at_site(site, "/index.php?rest_route=/tribe/events/v1/").new == 1


def test_a_site_whose_interface_is_closed_is_read_from_its_page(site):
    node = '{"@type": "Event", "name": "Vigil", "startDate": "2026-04-15T18:00:00Z", "url": "/vigil/"}'
    link = f'<link rel="alternate" href="{site.url}/wp-json/tribe/events/v1/">'
    site.put("/", f'{link}<script type="application/ld+json">{node}</script>', ETag='"one"')
    put_events_calendar(site, make_tribe_event(15), make_tribe_event(16), make_tribe_event(17))
    look_at_site(site)
    site.put("/wp-json/tribe/events/v1/events", "no", status=403)
    report = look_at_site(site)
    assert (report.new, report.cancelled, report.error) == (1, 0, "")
    put_events_calendar(site, make_tribe_event(15), make_tribe_event(16), make_tribe_event(17))
    assert look_at_site(site).unchanged == 3


def test_an_event_that_is_hidden_or_made_a_draft_is_withdrawn(site):
    url = "/wp-json/tribe/events/v1/events"
    put_events_calendar(site, make_tribe_event(15), make_tribe_event(16), make_tribe_event(17))
    look_at_site(site, url)
    put_events_calendar(
        site,
        make_tribe_event(15, hide_from_listings=True),
        make_tribe_event(16, title=f"Private: {MARKER}"),
        make_tribe_event(17),
    )
    report = look_at_site(site, url)
    assert (report.cancelled, cancelled()) == (2, {"Event 15", "Event 16"})
    assert MARKER not in str(report.as_json())


def test_an_event_that_moves_on_a_page_keeps_its_row(site):
    url = "/wp-json/tribe/events/v1/events"
    put_events_calendar(site, make_tribe_event(15), make_tribe_event(16))
    look_at_site(site, url)
    pks = dict(EventNotice.objects.values_list("title", "pk"))
    put_events_calendar(site, make_tribe_event(15, utc_start_date="2026-06-20 18:00:00"), make_tribe_event(16))
    report = look_at_site(site, url)
    assert (report.updated, report.new, report.cancelled) == (1, 0, 0)
    moved = EventNotice.objects.get(title="Event 15")
    assert (moved.pk, moved.starts_at.month) == (pks["Event 15"], 6)


def test_events_on_later_pages_of_a_site_are_not_cancelled(site):
    url = "/wp-json/tribe/events/v1/events"
    put_events_calendar(site, *(make_tribe_event(day) for day in range(10, 20)))
    look_at_site(site, url)
    nodes = ",".join(
        f'{{"@type": "Event", "name": "Event {day}", "startDate": "2026-04-{day}T18:00:00Z",'
        f' "url": "https://example.org/event/{day}/"}}'
        for day in range(10, 13)
    )
    site.put("/page", f'<script type="application/ld+json">[{nodes}]</script>')
    Source.objects.update(url=site.url + "/page", last_event_count=3)
    assert look_at_site(site).cancelled == 0


def make_approved_issue(site: Site) -> Issue:
    """An approved issue that shows the online event “a” of the calendar, read an hour ago."""
    publication = make_publication(events=4)
    add_subscribers(publication, 2)
    make_story("A verdict")
    look(site, event("a", "20260310T180000Z"), event("b", "20260311T180000Z"), now=NOW - timedelta(hours=1))
    return make_issue(publication, approved=True)


@pytest.mark.parametrize("change", ["CLASS:PRIVATE", "STATUS:CANCELLED", "DTSTART:20260312T180000Z"])
def test_the_last_look_stops_an_event_that_changed_after_approval(site, change):
    issue = make_approved_issue(site)
    changed = event("a", "20260310T180000Z", change) if "DTSTART" not in change else event("a", change[8:])
    text = f"BEGIN:VCALENDAR\r\n{changed}{event('b', '20260311T180000Z')}END:VCALENDAR\r\n"
    site.put("/c.ics", text, Content_Type="text/calendar")
    with pytest.raises(NotApproved):
        start_send(issue=issue, now=NOW)
    assert not Delivery.objects.exists()


def test_a_failing_source_does_not_stop_an_unchanged_issue(site):
    issue = make_approved_issue(site)
    site.put("/c.ics", "gone", status=500)
    assert start_send(issue=issue, now=NOW).recipients == 2


def test_an_event_that_becomes_private_after_approval_voids_it(site):
    issue = make_approved_issue(site)
    look(site, event("a", "20260310T180000Z", "CLASS:PRIVATE"), event("b", "20260311T180000Z"))
    ((voided, _),) = void_changed_approvals(now=NOW)
    assert voided == issue


def json_ld(*events: tuple[str, str, str]) -> str:
    """A page with events in JSON-LD: title, start, and more properties as JSON."""
    nodes = ",".join(
        f'{{"@type": "Event", "name": "{title}", "startDate": "{start}", "url": "/{title}/",'
        f' "eventAttendanceMode": "OnlineEventAttendanceMode"{more}}}'
        for title, start, more in events
    )
    return f'<script type="application/ld+json">[{nodes}]</script>'


def microdata(*events: tuple[str, str, str]) -> str:
    """A page with events in microdata: title, start, and more properties as JSON."""
    shown = []
    for title, start, more in events:
        marks = json.loads("{" + more.removeprefix(",") + "}")
        extra = "".join(f'<meta itemprop="{name}" content="{value}">' for name, value in marks.items())
        shown.append(
            f'<div itemscope itemtype="https://schema.org/Event"><a itemprop="url" href="/{title}/">'
            f'<span itemprop="name">{title}</span></a><meta itemprop="startDate" content="{start}">'
            f'<meta itemprop="eventAttendanceMode" content="OnlineEventAttendanceMode">{extra}</div>'
        )
    return "".join(shown)


PAGES = pytest.mark.parametrize("write", [json_ld, microdata])
FIRST = ("a", "2026-03-10T18:00:00Z", "")
SECOND = ("b", "2026-03-11T18:00:00Z", "")
CHANGES = {
    "private": ("a", FIRST[1], ', "visibility": "private"'),
    "cancelled": ("a", FIRST[1], ', "eventStatus": "EventCancelled"'),
    "moved": ("a", "2026-03-10T18:30:00Z", ""),
}
WritePage = Callable[..., str]


def make_issue_of_page(site: Site, write: WritePage) -> Issue:
    """An approved issue that shows the events of a page, read an hour ago."""
    publication = make_publication(events=4)
    add_subscribers(publication, 2)
    make_story("A verdict")
    site.put("/events", write(FIRST, SECOND))
    assert look_at_site(site, "/events", now=NOW - timedelta(hours=1)).new == 2
    issue = make_issue(publication, approved=True)
    assert [shown.title for shown in resolve_content(issue).events] == ["a", "b"]
    return issue


@PAGES
@pytest.mark.parametrize("change", CHANGES)
def test_the_last_look_stops_an_event_that_changed_on_its_page(site, write, change):
    issue = make_issue_of_page(site, write)
    site.put("/events", write(CHANGES[change], SECOND))
    with pytest.raises(NotApproved):
        start_send(issue=issue, now=NOW)
    assert not Delivery.objects.exists()


@PAGES
def test_the_last_look_sends_what_did_not_change_on_its_page(site, write):
    issue = make_issue_of_page(site, write)
    assert start_send(issue=issue, now=NOW).recipients == 2


@PAGES
def test_an_event_of_a_page_made_private_after_approval_voids_it(site, write):
    issue = make_issue_of_page(site, write)
    site.put("/events", write(CHANGES["private"], SECOND))
    assert look_at_site(site, "/events").cancelled == 1
    ((voided, _),) = void_changed_approvals(now=NOW)
    assert voided == issue


@PAGES
def test_an_event_moved_by_half_an_hour_on_a_page_is_one_change(site, write):
    site.put("/events", write(FIRST, SECOND))
    look_at_site(site, "/events")
    before = dict(EventNotice.objects.values_list("title", "pk"))
    site.put("/events", write(CHANGES["moved"], SECOND))
    report = look_at_site(site, "/events", now=NOW + timedelta(hours=1))
    assert (report.updated, report.new, report.cancelled) == (1, 0, 0)
    moved = EventNotice.objects.get(title="a")
    assert (moved.pk, moved.starts_at.minute) == (before["a"], 30)
    assert EventNotice.objects.count() == 2


@pytest.mark.parametrize(
    "own",
    [
        {"town": "Bradford", "latitude": 53.79, "longitude": -1.75, "edited_fields": ["town"]},
        {"town": "", "country": "GB", "region": "GB-SCT", "latitude": None, "longitude": None},
    ],
    ids=["a town nearby", "another region"],
)
def test_a_translation_keeps_a_place_that_staff_named(site, own):
    translation = move(site, **own)
    assert (translation.town, translation.latitude) == (own["town"], own["latitude"])
    assert translation.note.startswith("The place of its original has changed.")


def test_a_translation_gets_a_new_end_though_its_form_shows_no_seconds(site):
    look(site, event("a", "20260415T180000Z", "DTEND:20260415T195959Z"), event("b"))
    original = EventNotice.objects.get(title="a")
    translation = make_translation("a", ends_at=original.ends_at.replace(second=0))
    look(site, event("a", "20260415T180000Z", "DTEND:20260415T205959Z"), event("b"))
    translation.refresh_from_db()
    assert (translation.ends_at.hour, translation.note) == (20, "")


def test_a_translation_near_the_new_place_of_its_original_has_no_note(site):
    there = "LOCATION:Harbour Hall"
    look(site, event("a").replace("LOCATION:Online", there), event("b"))
    translation = make_translation(
        "a", online=False, place_text="Sala del puerto, Leeds", town="Leeds", country="GB", region="GB-ENG",
        latitude=53.81, longitude=-1.52,
    )  # fmt: skip
    look(site, event("a", "20260415T180000Z", "GEO:53.79;-1.54").replace("LOCATION:Online", there), event("b"))
    assert EventNotice.objects.get(title="a").latitude == 53.79
    translation.refresh_from_db()
    assert (translation.place_text, translation.note) == ("Sala del puerto, Leeds", "")


def test_an_event_cancelled_only_in_its_title_is_one_to_check(site):
    look(site, event("walk", title="Walk"))
    assert EventNotice.objects.get().note == ""
    look(site, event("walk", title="CANCELLED: Walk"), event("gala", title="Sold out: Gala"))
    walk, gala = EventNotice.objects.order_by("title")
    assert (walk.title, walk.cancelled) == ("CANCELLED: Walk", False)
    assert "cancelled" in walk.note
    assert gala.note == ""


def test_a_note_about_the_title_stays_beside_another_note(site):
    look(site, event("walk", "20260415T180000Z", "STATUS:TENTATIVE", title="Postponed: Walk"))
    note = EventNotice.objects.get().note
    assert "tentatively" in note
    assert "is postponed" in note


def test_an_event_that_its_calendar_cancels_needs_no_check(site):
    look(site, event("walk", "20260415T180000Z", "STATUS:CANCELLED", title="Cancelled: Walk"))
    stored = EventNotice.objects.get()
    assert (stored.cancelled, stored.note) == (True, "")


def test_the_issue_says_which_of_its_events_to_check(site):
    publication = make_publication()
    look(site, event("walk", "20260415T180000Z", title="Cancelled: Walk"), event("vigil", "20260416T180000Z"))
    due = datetime(2026, 4, 10, 9, tzinfo=UTC)
    _, reasons = choose_events(publication=publication, due_at=due, now=NOW)
    walk, vigil = (translate(reason.why) for reason in reasons)
    assert "To check: Its title says that the event is cancelled." in walk
    assert "To check" not in vigil
