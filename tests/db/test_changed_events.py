"""An event that changes after it was mailed is listed on Home, and staff get one mail about it."""

from datetime import timedelta

import pytest

from newsletter.desk.home.list_tasks import find_tasks
from newsletter.issues.approval.approve import approve_issue
from newsletter.jobs.notices.about_events import notify_changed_events
from newsletter.models import EventNotice, Issue, Send, StaffNotice
from tests.support.event_changes import announce, move_event, publish, tell
from tests.support.fixtures import HOUSTON, LONDON, NOW, make_approver, make_event

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(minutes=1)


def home() -> list[tuple[str, str, str, str]]:
    tasks = find_tasks(now=LATER, person=make_approver())
    return [(task.title, task.detail, task.url, task.tone) for task in tasks if "Vigil by the river" in task.title]


def test_home_lists_a_cancelled_event_with_its_people():
    _, event = publish()
    assert home() == []
    move_event(event, cancelled=True, changed_at=NOW)
    ((title, detail, url, tone),) = home()
    assert title == "“Vigil by the river” was cancelled after it was mailed"
    assert detail.startswith("3 people received different details: Wednesday, 11 March 2026")
    assert (url, tone) == (f"/admin/events/announce/{event.pk}/", "urgent")


def test_home_lists_a_moved_event_with_both_times():
    _, event = publish()
    move_event(event, starts_at=event.starts_at + timedelta(days=2), changed_at=NOW)
    ((title, detail, *_),) = home()
    assert title == "“Vigil by the river” changed after it was mailed"
    assert "Wednesday, 11 March 2026" in detail
    assert "The details are now: Friday, 13 March 2026" in detail


def test_home_omits_an_event_with_a_correction():
    publication, event = publish()
    move_event(event, cancelled=True, changed_at=NOW)
    announce(event, publication)
    assert home() == []
    Issue.objects.filter(kind=Issue.Kind.CORRECTION).update(state=Issue.State.CANCELLED)
    assert len(home()) == 1


def test_home_omits_an_event_that_everybody_knows_about():
    publication, event = publish()
    move_event(event, cancelled=True, changed_at=NOW)
    tell(event, publication)
    assert home() == []


def test_home_omits_an_event_that_nobody_received():
    publish()
    move_event(make_event("A talk", where=HOUSTON), cancelled=True, changed_at=NOW)
    assert home() == []


def test_staff_get_one_mail_about_a_changed_event():
    publication, event = publish()
    move_event(event, cancelled=True, changed_at=NOW)
    StaffNotice.objects.all().delete()
    for minutes in (1, 2, 3):
        notify_changed_events(now=NOW + timedelta(minutes=minutes))
    notice = StaffNotice.objects.get()
    assert notice.subject == f"An event changed after {publication} announced it: Vigil by the river"
    assert "3 people received different details" in notice.paragraphs[0]
    assert notice.link.endswith(f"/admin/events/announce/{event.pk}/")


def test_staff_get_another_mail_if_it_changes_again():
    _, event = publish()
    move_event(event, cancelled=True, changed_at=NOW)
    StaffNotice.objects.all().delete()
    notify_changed_events(now=LATER)
    move_event(
        event, cancelled=False, starts_at=event.starts_at + timedelta(days=1), changed_at=NOW + timedelta(hours=1)
    )
    notify_changed_events(now=NOW + timedelta(hours=2))
    assert StaffNotice.objects.count() == 2


def test_events_that_change_together_share_one_mail():
    made = [make_event(f"Drop-in {day}", days_ahead=day, where=LONDON) for day in (3, 4, 5)]
    publish()
    EventNotice.objects.update(cancelled=True, changed_at=NOW)
    StaffNotice.objects.all().delete()
    notify_changed_events(now=LATER)
    notice = StaffNotice.objects.get()
    assert notice.subject.startswith("4 events changed after")
    assert [made[0].title in notice.paragraphs[0], len(notice.paragraphs)] == [True, 5]


def test_a_change_before_the_send_is_notified_after_it():
    publication, event = publish()
    issue = Issue.objects.get(publication=publication)
    batches = issue.sends.get().batches
    batches.update(state="pending")
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENDING)
    move_event(event, cancelled=True, changed_at=NOW)
    StaffNotice.objects.all().delete()
    notify_changed_events(now=LATER)
    assert not StaffNotice.objects.exists()
    batches.update(state="accepted")
    notify_changed_events(now=LATER)
    assert StaffNotice.objects.count() == 1


def test_an_approved_correction_is_not_requested_again():
    publication, event = publish()
    move_event(event, cancelled=True, changed_at=NOW)
    approve_issue(issue=announce(event, publication), by=make_approver(), now=NOW)
    StaffNotice.objects.all().delete()
    notify_changed_events(now=LATER)
    assert not StaffNotice.objects.exists()


def test_home_says_that_mails_written_to_files_misinformed_nobody():
    _, event = publish()
    Send.objects.update(provider="outbox")
    move_event(event, starts_at=event.starts_at + timedelta(days=2), changed_at=NOW)
    ((title, detail, _url, tone),) = home()
    assert title == "“Vigil by the river” changed after it was written to files"
    assert detail.startswith("3 people would have received different details")
    assert tone == "calm"


def test_mails_written_to_files_need_no_correction_once_mail_leaves(settings):
    _, event = publish()
    Send.objects.update(provider="outbox")
    move_event(event, cancelled=True, changed_at=NOW)
    settings.NEWSLETTER_PROVIDER_URL = "postmark://a-key@"
    assert home() == []
