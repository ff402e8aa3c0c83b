"""A publication that nobody looks after for seven weeks, over the change of the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from newsletter.jobs.scheduler_jobs import assemble_due, start_due_sends
from newsletter.models import Delivery, Issue, Publication, Slot
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_event, make_publication
from tests.support.local_hours import work_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("F11")]
WEEKS = 7


@pytest.fixture
def weekly(fake_provider: FakeProvider, settings: Any) -> Publication:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    publication = make_publication(approval="auto", stories=0, subject="Near you")
    add_subscribers(publication, 2)
    return publication


def pass_weeks() -> None:
    """Let the jobs of the schedule and the sender run at noon of each Wednesday and Thursday."""
    for day in sorted(7 * week + later for week in range(WEEKS) for later in (0, 1)):
        now = NOW.replace(hour=12) + timedelta(days=day)
        with time_machine.travel(now, tick=False):
            assemble_due(now=now)
            start_due_sends(now=now)
            work_at(now)


def list_weeks(*, first: datetime) -> list[datetime]:
    return [first + timedelta(weeks=week) for week in range(WEEKS)]


def test_a_calendar_of_the_whole_year_gives_an_issue_each_week(weekly: Publication) -> None:
    for week in range(52):
        make_event(f"Evening {week}", online=True, days_ahead=7 * week + 2)
    pass_weeks()
    assert set(Issue.objects.values_list("state", flat=True)) == {Issue.State.SENT}
    due = [slot.due_at for slot in Slot.objects.order_by("due_at")]
    summer = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert due == [
        moment - timedelta(hours=moment > summer) for moment in list_weeks(first=datetime(2026, 3, 5, 9, tzinfo=UTC))
    ]
    assert Delivery.objects.count() == 2 * WEEKS


def test_a_weekly_event_of_one_name_gives_one_issue_and_the_reason_then(weekly: Publication) -> None:
    for week in range(52):
        make_event("Open evening", online=True, days_ahead=7 * week + 2, external_id=f"evening-{week}")
    pass_weeks()
    states = list(Slot.objects.order_by("due_at").values_list("state", flat=True))
    assert states == [Slot.State.ASSEMBLED, *[Slot.State.SKIPPED] * (WEEKS - 1)]
    assert all(slot.reason.startswith("Nothing new") for slot in Slot.objects.filter(state=Slot.State.SKIPPED))
    assert Delivery.objects.count() == 2
