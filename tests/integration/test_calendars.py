"""Events of real calendar servers: private, moved and cancelled ones, and series."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.caldav import Calendar, run_radicale, run_xandikos
from tests.integration.organisation import Organisation, at_noon, calendar_time
from tests.integration.tools import skip_without

Run = Callable[[Path], AbstractContextManager[Calendar]]
SERVERS: dict[str, Run] = {"radicale": run_radicale, "xandikos": run_xandikos}
PLACE = "LOCATION:Civic Hall\\, Leeds\\, United Kingdom"


@pytest.fixture(params=SERVERS)
def calendar(request: pytest.FixtureRequest, tmp_path: Path, organisation: Organisation) -> Iterator[Calendar]:
    skip_without(request.param)
    with SERVERS[request.param](tmp_path / request.param) as made:
        organisation.add_source("Events", kind="calendar", url=made.url)
        yield made


def write(calendar: Calendar, uid: str, *, days: int, title: str, minutes: int = 0, more: tuple[str, ...] = ()) -> None:
    start = at_noon(days=days) + timedelta(minutes=minutes)
    times = (f"DTSTART:{calendar_time(start)}", f"DTEND:{calendar_time(start + timedelta(hours=1))}")
    calendar.put(uid, *times, f"SUMMARY:{title}", PLACE, *more)


def test_public_events_are_read_and_private_ones_are_not(calendar, organisation):
    write(calendar, "open", days=20, title="Open evening")
    write(calendar, "private", days=21, title="A meeting with a client", more=("CLASS:PRIVATE",))
    write(calendar, "confidential", days=22, title="Staff review", more=("CLASS:CONFIDENTIAL",))
    write(calendar, "busy", days=23, title="Busy", more=("TRANSP:TRANSPARENT",))
    organisation.ingest_well()
    assert [title for title, _ in organisation.events()] == ["Open evening"]


def test_an_event_made_private_after_approval_is_not_mailed(calendar, organisation):
    write(calendar, "open", days=20, title="Open evening")
    write(calendar, "other", days=21, title="Repair morning")
    organisation.ingest_well()
    organisation.assemble()
    organisation.approve()
    write(calendar, "open", days=20, title="Open evening", more=("CLASS:PRIVATE",))
    organisation.ingest_well()
    organisation.send_refusal()
    assert organisation.mailed_text() == ""


def test_a_moved_event_is_the_same_event_at_its_new_time(calendar, organisation):
    write(calendar, "open", days=20, title="Open evening")
    organisation.ingest_well()
    write(calendar, "open", days=27, title="Open evening")
    report = organisation.ingest_well()["Events"]
    assert (report["new"], report["updated"]) == (0, 1)
    assert organisation.events() == [("Open evening", f"{at_noon(days=27):%Y-%m-%d %H:%M}")]


def test_a_cancelled_event_is_in_no_issue(calendar, organisation):
    write(calendar, "open", days=20, title="Open evening")
    write(calendar, "other", days=21, title="Repair morning")
    organisation.ingest_well()
    write(calendar, "open", days=20, title="Open evening", more=("STATUS:CANCELLED",))
    organisation.ingest_well()
    organisation.assemble()
    organisation.approve()
    assert organisation.send_now() == 0
    assert "Repair morning" in organisation.mailed_text()
    assert "Open evening" not in organisation.mailed_text()


def test_a_series_moved_by_half_an_hour_changes_its_events(calendar, organisation):
    weekly = ("RRULE:FREQ=WEEKLY;COUNT=20",)
    write(calendar, "circle", days=7, title="Women’s circle", more=weekly)
    organisation.ingest_well()
    before = organisation.events()
    write(calendar, "circle", days=7, title="Women’s circle", minutes=30, more=weekly)
    report = organisation.ingest_well()["Events"]
    after = organisation.events()
    assert report["new"] == 0
    assert len(after) == len(before) > 10
    assert all(start.endswith("12:30") for _, start in after)


def test_a_series_that_loses_one_date_keeps_the_others(calendar, organisation):
    weekly = "RRULE:FREQ=WEEKLY;COUNT=8"
    write(calendar, "circle", days=7, title="Women’s circle", more=(weekly,))
    organisation.ingest_well()
    gone = f"EXDATE:{calendar_time(at_noon(days=14))}"
    write(calendar, "circle", days=7, title="Women’s circle", more=(weekly, gone))
    organisation.ingest_well()
    organisation.ingest_well()
    organisation.assemble()
    organisation.approve()
    assert organisation.send_now() == 0
    kept = organisation.install.query("SELECT COUNT(*) FROM newsletter_eventnotice WHERE NOT cancelled")
    assert kept == [(7,)]
