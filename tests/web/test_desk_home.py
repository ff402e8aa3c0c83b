"""The desk's home page: tasks, coming issues, and the results of the last issue."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import translation

from newsletter.desk.content.wall_clock import label_zone
from newsletter.desk.home.coming_up import find_coming_up
from newsletter.desk.publications.schedule_text import find_next_time
from newsletter.issues.approval.hold import hold_issue
from newsletter.jobs.scheduler_jobs import start_due_sends
from newsletter.models import Issue, Publication, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.installation_hold import hold_installation
from tests.support.desk import sign_in
from tests.support.fixtures import DUE, NOW, add_subscribers, make_event, make_issue, make_source, make_story
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db


def home(role: str = "editor") -> str:
    return compact_html(sign_in(role).get("/admin/").content.decode())


def test_an_empty_desk_says_that_nothing_waits(db: None) -> None:
    page = home()
    assert "Nothing to do." in page
    assert "No publication is switched on yet." in page
    assert "No issue has been sent yet." in page


def test_a_waiting_draft_shows_the_time_left(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    make_issue(publication)
    with time_machine.travel(NOW, tick=False):
        page = home()
    assert "The weekly letter No. 1 is waiting for approval" in page
    assert "In 23 hours: “" in page
    assert "The weekly letter No. 1: waiting for approval" in page


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (datetime(2026, 3, 5, 8, 30, tzinfo=UTC), "In 30 minutes: "),
        (datetime(2026, 3, 5, 8, 58, 30, tzinfo=UTC), "In 1 minute: "),
        (datetime(2026, 3, 5, 8, 59, 30, tzinfo=UTC), "In less than a minute: "),
        (datetime(2026, 3, 1, 8, 30, tzinfo=UTC), "In 4 days: "),
        (datetime(2026, 3, 5, 9, 30, tzinfo=UTC), "The time has passed: "),
    ],
)
def test_the_time_left_is_in_everyday_words(publication: Publication, now: datetime, left: str) -> None:
    make_story("The clinic opens its doors")
    make_issue(publication)
    with time_machine.travel(now, tick=False):
        assert left in home()


def test_an_automatic_issue_is_shown_as_such(publication: Publication) -> None:
    Publication.objects.update(approval="auto")
    make_story("The clinic opens its doors")
    make_issue(Publication.objects.get())
    with time_machine.travel(NOW, tick=False):
        assert "The weekly letter No. 1 will send automatically" in home()


def test_next_slots_are_shown_in_the_publications_zone(publication: Publication) -> None:
    """In summer London is an hour ahead of the desk, whose clock is UTC."""
    make_story("The clinic opens its doors")
    make_issue(publication)
    with time_machine.travel(datetime(2026, 3, 4, 12, tzinfo=UTC), tick=False):
        page = home()
    assert "Thursday 5 March 2026, 09:00 (London time)" in page
    assert "Thursday 12 March 2026, 09:00 (London time)" in page
    assert "Draft ready on Wed 11 Mar, 09:00<" in page
    assert "Thursday 2 April 2026" in page
    assert "Thursday 9 April 2026" not in page
    with time_machine.travel(datetime(2026, 7, 1, 12, tzinfo=UTC), tick=False):
        assert "Thursday 2 July 2026, 09:00 (London time)" in home("writer")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_change_of_the_zone_plans_no_second_issue_for_a_day(publication: Publication, zone: str) -> None:
    """The issue of Thursday 09:00 UTC was sent before its time."""
    Publication.objects.update(zone="UTC")
    make_story("The clinic opens its doors")
    issue = make_issue(Publication.objects.get())
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENT)
    Publication.objects.update(zone=zone)
    publication.refresh_from_db()
    now = datetime(2026, 3, 5, 6, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        planned = [slot.day.isoformat() for slot in find_coming_up(now=now).slots]
    assert planned[0] == "2026-03-12"
    assert find_next_time(publication, now=now).date().isoformat() == "2026-03-12"


def test_tasks_that_the_list_leaves_out_are_one_click_away(publication: Publication) -> None:
    Publication.objects.update(schedule="0 9 * * *")
    with time_machine.travel(NOW, tick=False):
        page = home()
    assert re.search(r'<a href="\?coming=calendar#coming">\d+ more in the calendar\.</a>', page)


def test_a_zone_is_named_by_its_town_in_the_persons_language() -> None:
    assert [label_zone(zone) for zone in ("Europe/London", "America/New_York", "Mars/Olympus")] == [
        "London",
        "New York",
        "Mars/Olympus",
    ]
    with translation.override("es"):
        assert label_zone("Europe/London") == "Londres"


def test_an_issue_shows_its_due_time_in_the_publications_zone(publication: Publication) -> None:
    Publication.objects.update(zone="America/New_York")
    make_story("The clinic opens its doors")
    issue = make_issue(Publication.objects.get())
    editor = sign_in("editor")
    with time_machine.travel(NOW, tick=False):
        page = editor.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
        listed = editor.get("/admin/issues/").content.decode()
    assert "Due Thursday 5 March 2026, 09:00 (New York time), in " in page
    assert "Thu 5 Mar, 09:00 (New York time)" in listed


def test_held_issues_failing_sources_and_unsure_events_are_tasks(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    Issue.objects.filter(pk=issue.pk).update(held=True)
    make_source("Field offices", failures=2, error="The site did not answer.")
    with time_machine.travel(NOW, tick=False):
        make_event("Evening", note="No place.")
        page = home()
    assert "The weekly letter No. 1 is on hold" in page
    assert "The source “Field offices” cannot be read" in page
    assert "1 upcoming event needs checking" in page


def test_many_tasks_of_a_kind_are_counted_and_hide_no_other(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    for number in range(2, 12):
        Issue.objects.create(
            publication=publication, number=number, public_id=f"held-{number}", made_at=NOW, held=True, subject="Held"
        )
    for number in range(6):
        make_source(f"Source {number}", failures=10 - number, error="No such host")
    with time_machine.travel(NOW, tick=False):
        make_event("Evening", note="No place.")
        page = home()
    assert page.count(" is on hold</h3>") == 3
    assert "7 more of this kind" in page
    assert 'href="/admin/issues/" aria-label="Open the list: 7 more of this kind"' in page
    assert f"{issue} is waiting for approval" in page
    assert "The source “Source 2” cannot be read" in page
    assert "The source “Source 3” cannot be read" not in page
    assert 'href="/admin/sources/" aria-label="Open the list: 3 more of this kind"' in page
    assert "1 upcoming event needs checking" in page


def test_one_more_task_of_a_kind_is_shown_itself(publication: Publication) -> None:
    for number in range(4):
        make_source(f"Source {number}", failures=1, error="No such host")
    page = home()
    assert page.count("cannot be read</h3>") == 4
    assert "more of this kind" not in page


@pytest.mark.parametrize(("state", "said"), [("paused", "is paused"), ("needs_attention", "needs attention")])
def test_a_paused_send_is_the_first_task(publication: Publication, state: str, said: str) -> None:
    issue = sent(publication)
    Send.objects.update(state=state, reason="The provider refused the key.")
    page = home()
    assert f"The send of {issue} {said}" in page
    assert "The provider refused the key." in page


def test_an_installation_hold_is_shown_first_with_its_reason(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    hold_installation(reason="the database was restored from a backup", now=NOW)
    page = home()
    assert page.index("All sending is on hold") < page.index("To do")
    assert "The database was restored from a backup." in page
    overview = sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "The database was restored from a backup." in overview


def test_a_failing_source_shows_its_last_success(publication: Publication) -> None:
    make_source("Field offices", failures=1, error="The site did not answer", last_success_at=NOW)
    make_source("Never read", failures=2, error="No such host")
    with time_machine.travel(NOW, tick=False):
        page = home()
    missing = "Its new stories and events are missing from your issues until it can be read."
    assert f"The site did not answer. {missing} Failed once; last success on Wed 4 Mar, 09:30." in page
    assert f"No such host. {missing} Failed 2 times in a row; never succeeded." in page


def sent(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    with time_machine.travel(NOW, tick=False):
        send = start_send(issue=issue, now=NOW)
        run_send(send=send, adapter=current_adapter())
    issue.refresh_from_db()
    assert issue.state == "sent"
    return issue


def test_the_last_issue_is_shown_with_its_numbers(publication: Publication) -> None:
    issue = sent(publication)
    page = home()
    assert "3 recipients" in page
    assert re.search(r"<td>100 %</td><th[^>]*>Written to files", page)
    assert re.search(r"<td>0 %</td><th[^>]*>Unsubscribed", page)
    overview = compact_html(sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode())
    assert "Delivery summary" in overview
    assert "reported as spam" not in overview, "nobody can complain about a mail that was written to a file"


def test_a_wrong_receipt_is_reported_and_breaks_no_page(publication: Publication) -> None:
    issue = sent(publication)
    Send.objects.update(candidates=99)
    assert "is inconsistent" in home()
    page = sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/")
    assert "is inconsistent" in page.content.decode()


def test_a_slot_with_nothing_new_says_so(publication: Publication) -> None:
    from newsletter.issues.assembly.assemble import assemble_slot
    from newsletter.issues.assembly.slots import get_or_create_slot

    assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW)
    with time_machine.travel(NOW, tick=False):
        assert "Nothing new: no story and no new event" in home()


def test_the_calendar_shows_each_slot_on_its_day(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    with time_machine.travel(NOW, tick=False):
        page = compact_html(sign_in("editor").get("/admin/?coming=calendar").content.decode())
    cells = re.findall(r"<td class=\"[^\"]*nl-calendar__full\".*?</td>", page, re.S)
    assert len(cells) == 5
    assert "09:00" in cells[0]
    assert f"/admin/issues/{issue.pk}/overview/" in cells[0]
    assert page.count('aria-current="date"') == 1


def test_sent_and_cancelled_issues_are_apart_from_what_is_coming(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    Issue.objects.update(state="cancelled")
    with time_machine.travel(NOW, tick=False):
        page = home()
    coming, over = page.split("Sent and cancelled")
    assert str(issue) not in coming
    assert str(issue) in over
    assert "Cancelled" in over


def test_a_schedule_that_cannot_be_read_is_named(publication: Publication) -> None:
    Publication.objects.update(schedule="never")
    assert "The weekly letter: " in home()


def test_home_says_what_can_be_done_about_an_issue_not_approved_in_time(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        start_due_sends(now=NOW + timedelta(days=2))
        page = home("writer")
        assert "It was due on 5 Mar 2026 at 09:00, and was not approved in time." in page
        assert "If an approver approves and releases it, it is sent within minutes." in page
        Issue.objects.update(state=Issue.State.APPROVED)
        assert "If an approver releases it, it is sent within minutes." in home("writer")
        assert f'href="/admin/issues/{issue.pk}/overview/#nl-decide"' in page
        overview = sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "Its time has passed. Somebody who edits issues can choose a new time or skip it." in overview
    assert f'href="/admin/issues/{issue.pk}/time/"' in overview
    assert f'href="/admin/issues/{issue.pk}/close/"' in overview


def test_an_issue_that_somebody_held_waits_for_an_approver(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    hold_issue(issue=make_issue(publication), reason="we wait for a quote")
    with time_machine.travel(NOW, tick=False):
        page = home()
    assert "We wait for a quote. It will not be sent until an approver releases it." in page


def test_a_send_without_a_worker_is_named_after_ten_minutes(publication: Publication) -> None:
    make_story("The first verdict")
    add_subscribers(publication, 2)
    with time_machine.travel(NOW, tick=False):
        send = start_send(issue=make_issue(publication, approved=True), now=NOW)
        Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING, started_at=NOW)
        assert "makes no progress" not in home()
    with time_machine.travel(NOW + timedelta(minutes=11), tick=False):
        assert f"The send of {send.issue} makes no progress" in home()
        assert "whether `newsletter serve`, or a scheduler and a worker, are running" in home()
        Send.objects.filter(pk=send.pk).update(state=Send.State.PAUSED)
        assert "makes no progress" not in home()
