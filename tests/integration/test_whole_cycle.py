"""One automatic week: real sources, a slot in three minutes, and only `newsletter serve`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.caldav import run_radicale
from tests.integration.organisation import READERS, at_noon, calendar_time, open_organisation
from tests.integration.tools import skip_without
from tests.integration.wordpress import WordPress
from tests.support.ports import free_port
from tests.support.processes import wait_until

MINUTES = 3


def test_an_automatic_issue_reaches_everybody_once(new_wordpress: Callable[..., WordPress], tmp_path: Path):
    skip_without("radicale")
    site = new_wordpress()
    site.publish("A new bridge", "<p>The bridge opened on Monday.</p>")
    site.publish("For members", "<p>Not for everybody.</p>", post_password="let me in")
    with run_radicale(tmp_path / "radicale") as calendar, open_organisation(tmp_path / "organisation") as organisation:
        start = at_noon(days=20)
        times = (f"DTSTART:{calendar_time(start)}", f"DTEND:{calendar_time(start + timedelta(hours=1))}")
        calendar.put("open", *times, "SUMMARY:Open evening", "LOCATION:Civic Hall\\, Leeds\\, United Kingdom")
        calendar.put("private", *times, "SUMMARY:A meeting with a client", "CLASS:PRIVATE")
        due = datetime.now(UTC) + timedelta(minutes=MINUTES)
        organisation.set_up(schedule=f"{due.minute} {due.hour} * * *", lead_hours=1, approval="auto")
        organisation.add_source("Stories", kind="wordpress", url=site.url)
        organisation.add_source("Events", kind="calendar", url=calendar.url)
        serving = organisation.install.start("serve", "--port", str(free_port()))
        wait_until(
            lambda: set(organisation.install.count_newsletters()) >= set(READERS),
            seconds=MINUTES * 60 + 150,
            every=1,
            what="the issue at every reader",
        )
        organisation.install.wait_until_done()
        assert serving.terminate() == 0, serving.said()
        taken = organisation.install.count_newsletters()
        assert {email: taken[email] for email in READERS} == dict.fromkeys(READERS, 1)
        mail = organisation.mailed_text()
        assert "A new bridge" in mail
        assert "Open evening" in mail
        assert "For members" not in mail
        assert "client" not in mail
        receipt = organisation.status()
        assert receipt["audience"]["recipients"] == receipt["deliveries"]["accepted"] == len(READERS)
