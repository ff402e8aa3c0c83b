"""Home's “Coming up”: the schedule, issues on demand, moved times; and what was sent or cancelled, apart."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User

from newsletter.desk.home.coming_up import find_coming_up
from newsletter.desk.publications.schedule_text import next_dates_context
from newsletter.issues.planning.change_time import change_time
from newsletter.issues.planning.close_issue import close_issue
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.models import Issue, Publication
from newsletter.organisation.accounts.staff import add_staff
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, make_issue, make_story

pytestmark = pytest.mark.django_db


def home(parameters: str = "") -> str:
    with time_machine.travel(NOW, tick=False):
        return sign_in("editor").get(f"/admin/{parameters}").content.decode()


def make_on_demand(publication: Publication, *, due: str = "") -> Issue:
    return create_issue(publication=publication, beginning=Beginning.EMPTY, by=None, now=NOW, due=due)


def move(issue: Issue, due: str) -> None:
    add_staff(email="mover@example.org", role="editor", password="a quiet harbour at dawn")
    change_time(issue=issue, due=due, by=User.objects.get(username="mover@example.org"), now=NOW)


def planned() -> list[tuple[str, str]]:
    """Return (time, text) of each line, as London reads it in winter."""
    return [(f"{slot.at:%Y-%m-%dT%H:%M}", slot.detail) for slot in find_coming_up(now=NOW).slots]


def test_an_issue_on_demand_with_a_time_is_listed_and_linked(publication: Publication) -> None:
    issue = make_on_demand(publication, due="2026-03-06T15:00")
    assert ("2026-03-06T15:00", f"{issue}: waiting for approval") in planned()
    for page in (home(), home("?coming=calendar")):
        assert f'href="/admin/issues/{issue.pk}/overview/"' in page.split("Coming up")[1]


def test_an_issue_on_demand_without_a_time_is_not_planned(publication: Publication) -> None:
    issue = make_on_demand(publication)
    assert str(issue) not in str(planned())


def test_a_moved_issue_is_listed_once_at_its_new_time(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    move(issue, "2026-03-09T10:00")
    assert planned()[0] == ("2026-03-09T10:00", f"{issue}: waiting for approval, moved from Thu 5 Mar, 09:00")
    assert not any(at.startswith("2026-03-05") for at, _ in planned())


def test_an_issue_moved_beyond_a_later_slot_leaves_that_slot(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    move(make_issue(publication), "2026-03-20T10:00")
    times = [at for at, _ in planned()]
    assert "2026-03-20T10:00" in times
    assert "2026-03-12T09:00" in times


def test_an_issue_that_a_person_closed_is_over_at_once(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    by = User.objects.create_superuser("root@example.org", "root@example.org", "a quiet harbour at dawn")
    close_issue(issue=issue, reason="Nothing to say", by=by, now=NOW)
    assert str(issue) not in str(planned())
    recent = find_coming_up(now=NOW).recent
    assert [(one.issue, one.at) for one in recent] == [(issue, NOW)]
    assert f'href="/admin/issues/{issue.pk}/overview/"' in home().split("Sent and cancelled")[1]


def test_an_event_over_for_a_month_is_not_recent(publication: Publication) -> None:
    issue = make_on_demand(publication)
    Issue.objects.filter(pk=issue.pk).update(state="cancelled", made_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert find_coming_up(now=NOW).recent == []
    assert find_coming_up(now=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=29)).recent != []


def test_the_calendar_names_weekday_and_month_for_phones(publication: Publication) -> None:
    assert '<strong class="nl-calendar__date">Thu 5 Mar</strong>' in home("?coming=calendar")


def test_a_publication_names_no_slot_that_is_over(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    add_staff(email="closer@example.org", role="editor", password="a quiet harbour at dawn")
    close_issue(issue=issue, by=User.objects.get(username="closer@example.org"), reason="Nothing to say", now=NOW)
    assert next_dates_context(publication, now=NOW)["dates"][0] == "Thu 12 Mar 2026, 09:00"


def test_a_publication_names_the_new_time_of_a_moved_issue(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    move(make_issue(publication), "2026-03-09T10:00")
    assert next_dates_context(publication, now=NOW)["dates"][:2] == ["Mon 9 Mar 2026, 10:00", "Thu 12 Mar 2026, 09:00"]
