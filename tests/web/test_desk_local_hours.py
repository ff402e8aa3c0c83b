"""Readers' hours in the desk: before the approval, on the page that sends now, and while the send waits."""

from datetime import timedelta

import pytest
import time_machine

from newsletter.issues.assembly.assemble import Assembly
from newsletter.jobs.notices.about_issues import notify_assembly
from newsletter.models import Issue, Publication, Send, StaffNotice
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.send_controls import pause_send
from tests.support.desk import sign_in
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.local_hours import (
    AUCKLAND_HOUR,
    LONDON_HOUR,
    make_local_issue,
    reload,
    work_at,
    zone_place,
)

pytestmark = pytest.mark.django_db(transaction=True)


def open_page(issue: Issue, path: str = "overview/") -> str:
    return " ".join(sign_in("approver").get(f"/admin/issues/{issue.pk}/{path}").content.decode().split())


@pytest.fixture
def draft() -> Issue:
    return make_local_issue(approved=False)


def test_the_page_lists_each_hour_before_the_approval(draft: Issue) -> None:
    with time_machine.travel(NOW, tick=False):
        response = sign_in("approver").get(f"/admin/issues/{draft.pk}/overview/")
    rows = [(hour.when, hour.people, hour.zones) for hour in response.context["hours"]]
    assert rows == [
        ("Wed 4 Mar, 20:00", 12, "Auckland"),
        ("Thu 5 Mar, 09:00", 25, "London"),
        ("Thu 5 Mar, 17:00", 7, "Los Angeles"),
    ]
    page = " ".join(response.content.decode().split())
    assert "Each reader gets it at 09:00 by their own clock, the first in 10 hours." in page
    assert "has passed" not in page


def test_the_page_says_whose_hour_has_passed_before_the_approval(draft: Issue) -> None:
    with time_machine.travel(AUCKLAND_HOUR + timedelta(hours=1), tick=False):
        page = open_page(draft)
    assert "For 12 people, 09:00 has passed (Auckland). They get it as soon as it is approved." in page


def test_an_event_that_is_over_before_the_last_hour_is_a_warning() -> None:
    make_event("Online evening", online=True, starts_at=LONDON_HOUR + timedelta(hours=3))
    issue = make_local_issue(approved=False)
    warning = "will be over before the last people get this issue"
    with time_machine.travel(NOW, tick=False):
        assert warning in open_page(issue)
        Publication.objects.update(send_at="slot")
        assert warning not in open_page(issue)


def test_the_numbers_of_the_hours_add_up_to_the_recipients(draft: Issue) -> None:
    response = sign_in("approver").get(f"/admin/issues/{draft.pk}/overview/")
    assert sum(hour.people for hour in response.context["hours"]) == response.context["recipients"] == 44


def test_many_zones_of_one_hour_are_counted_not_all_named(draft: Issue) -> None:
    for number, zone in enumerate(["Lisbon", "Dublin", "Guernsey", "Jersey", "Isle_of_Man", "Belfast"]):
        add_subscribers(draft.publication, 1, where=zone_place(f"Europe/{zone}"), start=100 + number)
    with time_machine.travel(NOW, tick=False):
        response = sign_in("approver").get(f"/admin/issues/{draft.pk}/overview/")
    zones = response.context["hours"][1].zones
    assert zones.startswith("London (25), ")
    assert zones.endswith(", 1 more time zone")


def test_a_publication_for_the_slot_shows_no_hours() -> None:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    assert "by their own clock" not in open_page(issue)


def test_sending_now_says_that_nobody_waits_for_their_hour(settings) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL, settings.NEWSLETTER_PRODUCTION = "postmark://a-key@", True
    issue = make_local_issue()
    assert "Nobody waits for the hour of their own clock." in open_page(issue, "send/start/sure/")
    Publication.objects.update(send_at="slot")
    assert "Nobody waits" not in open_page(issue, "send/start/sure/")


@pytest.fixture
def running() -> Send:
    send = start_send(issue=make_local_issue(), now=AUCKLAND_HOUR)
    work_at(AUCKLAND_HOUR)
    return reload(send)


def test_the_page_of_a_send_shows_how_far_each_hour_is(running: Send) -> None:
    with time_machine.travel(AUCKLAND_HOUR + timedelta(minutes=5), tick=False):
        response = sign_in("approver").get(f"/admin/issues/{running.issue_id}/overview/")
    states = [(hour.done, hour.people, hour.state) for hour in response.context["hours"]]
    assert states == [(12, 12, "Processed"), (0, 25, "Waiting for its hour"), (0, 7, "Waiting for its hour")]
    page = " ".join(response.content.decode().split())
    assert "Waiting until it is 09:00 in London: Thu 5 Mar, 09:00, London time." in page
    assert "Nothing was sent in the last minute" not in page


def test_the_page_reloads_when_an_hour_opens(running: Send) -> None:
    url = f"/admin/issues/{running.issue_id}/send/progress/"
    client = sign_in("approver")
    before = client.get(url).json()["version"]
    Send.objects.update(checked_until=LONDON_HOUR)
    assert client.get(url).json()["version"] != before


def test_a_paused_send_shows_its_hours_as_paused(running: Send) -> None:
    pause_send(send=running, by=make_approver())
    with time_machine.travel(AUCKLAND_HOUR + timedelta(minutes=5), tick=False):
        response = sign_in("approver").get(f"/admin/issues/{running.issue_id}/overview/")
    assert [hour.state for hour in response.context["hours"]] == ["Processed", "Paused", "Paused"]


def test_the_notice_of_a_draft_says_when_the_first_people_get_it(draft: Issue) -> None:
    make_approver()
    notify_assembly(Assembly(slot=draft.slot, issue=draft, made=True), now=NOW)
    [notice] = StaffNotice.objects.filter(person__username="approver@example.org")
    assert "The first get it on 4 March 2026 at 20:00 (Europe/London)." in " ".join(map(str, notice.paragraphs))
