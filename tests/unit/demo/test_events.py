"""The sample calendar and event pages hold every kind of event that the newsletter handles."""

import itertools
import json
import re
from datetime import date, datetime, timedelta

import icalendar
import pytest
import recurring_ical_events

from newsletter.demo.sample_content import load_events
from tests.support.demo_site import NOW, ask


@pytest.fixture(scope="module")
def calendar(site):
    return icalendar.Calendar.from_ical(ask(site, "/events.ics").body)


def linked_data(body):
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', body.decode(), re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def test_each_named_zone_of_the_calendar_is_defined(calendar):
    used = {str(part["DTSTART"].params["TZID"]) for part in calendar.walk("VEVENT") if "TZID" in part["DTSTART"].params}
    assert {"Europe/London", "America/Chicago", "America/New_York", "America/Los_Angeles"} <= used
    assert used == {zone.tz_name for zone in calendar.timezones}


def test_the_calendar_has_all_day_cancelled_and_located_events(calendar):
    events = list(calendar.walk("VEVENT"))
    whole_days = [event for event in events if not isinstance(event.start, datetime)]
    assert {(event.end - event.start).days for event in whole_days} == {1, 2}
    assert [str(event["SUMMARY"]) for event in events if event.get("STATUS") == "CANCELLED"] == [
        "The great justice quiz"
    ]
    assert sum("GEO" in event for event in events) >= 8
    assert any(str(event.get("LOCATION", "")).startswith("Springfield") and "GEO" not in event for event in events)


def test_single_events_are_in_the_next_five_weeks_on_any_weekday():
    for day in range(7):
        now = NOW + timedelta(days=day)
        for event in load_events(now=now):
            if not event.weekly:
                assert timedelta(0) < event.starts_at - now < timedelta(days=35), event.slug
                assert event.ends_at > event.starts_at


def test_the_weekly_call_skips_one_week_and_moves_once(calendar):
    found = recurring_ical_events.of(calendar).between(NOW.date(), NOW.date() + timedelta(days=60))
    calls = sorted(event.start for event in found if str(event["SUMMARY"]).startswith("Community call"))
    assert len(calls) >= 5
    gaps = [round((b - a) / timedelta(days=7)) for a, b in itertools.pairwise(calls)]
    assert gaps.count(2) == 1
    assert set(gaps) == {1, 2}
    assert sorted({call.strftime("%H:%M") for call in calls}) == ["18:30", "19:30"]


def test_the_weekly_call_keeps_its_wall_clock_in_summer_time(calendar):
    found = recurring_ical_events.of(calendar).between(date(2026, 3, 15), date(2026, 4, 6))
    calls = [event.start for event in found if str(event["SUMMARY"]).startswith("Community call")]
    assert len({call.utcoffset() for call in calls}) == 2


def test_london_and_houston_both_have_events_nearby():
    located = [event for event in load_events(now=NOW) if event.geo and not event.cancelled]
    for latitude, longitude in ((51.51, -0.13), (29.76, -95.37)):
        near = [e for e in located if abs(e.geo[0] - latitude) < 0.4 and abs(e.geo[1] - longitude) < 0.5]
        assert len(near) >= 2


def test_the_partners_page_lists_events_missing_from_the_calendar(site, calendar):
    graph = linked_data(ask(site, "/events/partners/").body)["@graph"]
    assert len(graph) >= 5
    in_calendar = {str(event["SUMMARY"]) for event in calendar.walk("VEVENT")}
    for event in graph:
        assert event["@type"] == "Event"
        assert event["name"] not in in_calendar
        assert datetime.fromisoformat(event["startDate"]) > NOW
    assert {event["location"]["@type"] for event in graph} == {"Place", "VirtualLocation"}


def test_each_event_page_describes_its_event_times_and_status(site):
    for event in load_events(now=NOW):
        described = linked_data(ask(site, event.path).body)
        assert described["name"] == event.title
        start, end = described["startDate"], described["endDate"]
        assert len(start) == (10 if event.all_day else 25), start
        assert end >= start
        assert described["eventStatus"].endswith("EventCancelled" if event.cancelled else "EventScheduled")


def test_a_page_includes_the_last_day_and_the_calendar_excludes_it(site, calendar):
    described = linked_data(ask(site, "/events/washington-advocacy-day/").body)
    start, end = date.fromisoformat(described["startDate"]), date.fromisoformat(described["endDate"])
    assert end - start == timedelta(days=1)
    in_calendar = next(e for e in calendar.walk("VEVENT") if str(e["UID"]).startswith("washington"))
    assert in_calendar.end - in_calendar.start == timedelta(days=2)
