"""Times of a schedule that passed between a backup and its restore: an issue may have been sent, and none is sent again."""

from datetime import datetime, timedelta
from pathlib import Path

import lxml.html
import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError

from newsletter.common.errors import WrongState
from newsletter.issues.approval.hold import hold_issue, release_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.missed_slots import find_missed_slots, notify_missed_slots
from newsletter.issues.assembly.restored_slots import was_due_before_restore
from newsletter.jobs.scheduler_jobs import assemble_due, start_due_sends
from newsletter.models import AuditEntry, Issue, Publication, Send, Slot, StaffNotice, Story
from newsletter.sending.limits.installation_hold import hold_installation, release_installation, write_send_journal
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain, release_after_restore
from subscribers.models import Frequency, StayQuestion, Subscriber, Subscription
from subscribers.people.inactivity import rest_unanswered
from tests.support.desk import sign_in
from tests.support.fixtures import add_subscribers, make_approver, make_publication, make_story
from tests.support.local_hours import AUCKLAND, zone_place

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
DUE_AT = datetime.fromisoformat("2026-03-05T09:00:00+00:00")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def publication() -> Publication:
    """It goes out by itself. The backup is older than its assembly."""
    made = make_publication(approval="auto", lead_hours=2)
    add_subscribers(made, 3)
    make_story("The first verdict")
    make_approver()
    return made


def restore(*, at: datetime) -> list[str]:
    hold_installation(reason="the database was restored from a backup", now=at)
    found = mark_open_batches_uncertain(now=at)
    release_after_restore(now=at)
    return found.slots


def run_scheduler(*, at: datetime) -> None:
    assemble_due(now=at)
    start_due_sends(now=at)


@pytest.mark.parametrize("late", [HOUR, 30 * HOUR, 10 * 24 * HOUR])
def test_no_issue_is_made_for_a_time_that_passed_since_the_backup(publication: Publication, late: timedelta) -> None:
    at = DUE_AT + late
    assert "weekly 2026-03-05T09:00" in restore(at=at)
    run_scheduler(at=at + timedelta(minutes=1))
    assert not Issue.objects.exists()
    assert not Send.objects.exists()
    slot = Slot.objects.get(due_at=DUE_AT)
    assert slot.state == Slot.State.UNCERTAIN
    with pytest.raises(WrongState, match="may have been sent"):
        assemble_slot(slot=slot, now=at)


def test_a_time_whose_assembly_comes_later_is_sent_as_usual(publication: Publication) -> None:
    assert restore(at=DUE_AT - 3 * HOUR) == []
    run_scheduler(at=DUE_AT - 2 * HOUR)
    run_scheduler(at=DUE_AT)
    assert Send.objects.get().recipients == 3


def test_an_issue_that_may_have_been_sent_early_is_held(publication: Publication) -> None:
    """Somebody may have pressed “Send now” since the backup, before or after the assembly of this issue."""
    run_scheduler(at=DUE_AT - 2 * HOUR)
    restore(at=DUE_AT - HOUR)
    run_scheduler(at=DUE_AT)
    [issue] = Issue.objects.all()
    assert (issue.held, Send.objects.exists()) == (True, False)


def test_an_issue_assembled_after_a_restore_is_held_if_one_may_exist(publication: Publication) -> None:
    assert restore(at=DUE_AT - HOUR) == []
    run_scheduler(at=DUE_AT - HOUR)
    run_scheduler(at=DUE_AT)
    [issue] = Issue.objects.all()
    assert (issue.held, Send.objects.exists()) == (True, False)
    assert [str(notice.subject) for notice in StaffNotice.objects.all()] == ["The weekly letter No. 1 is held"]


def test_an_issue_assembled_during_the_hold_is_held(publication: Publication) -> None:
    """Staff look at the desk before they end the hold, and the scheduler may run beside it."""
    at = DUE_AT - HOUR
    hold_installation(reason="the database was restored from a backup", now=at)
    mark_open_batches_uncertain(now=at)
    assemble_due(now=at)
    release_after_restore(now=at + timedelta(minutes=1))
    run_scheduler(at=DUE_AT)
    assert (Issue.objects.get().held, Send.objects.exists()) == (True, False)


def test_a_skipped_time_may_have_got_its_content_since_the_backup(publication: Publication) -> None:
    Story.objects.all().delete()
    assemble_due(now=DUE_AT - 2 * HOUR)
    assert Slot.objects.get().state == Slot.State.SKIPPED
    assert restore(at=DUE_AT + HOUR) == ["weekly 2026-03-05T09:00"]


def test_nobody_rests_for_an_answer_that_a_restore_lost(publication: Publication) -> None:
    person = Subscriber.objects.earliest("pk")
    asked = {"asked_at": DUE_AT - 999 * HOUR, "sent_at": DUE_AT - 999 * HOUR}
    StayQuestion.objects.create(subscriber=person, mailing_list=publication.mailing_list, **asked)
    restore(at=DUE_AT - 3 * HOUR)
    assert rest_unanswered(now=DUE_AT) == 0


def test_a_reason_that_staff_gave_for_a_later_issue_is_kept(publication: Publication) -> None:
    run_scheduler(at=DUE_AT - 2 * HOUR)
    hold_issue(issue=Issue.objects.get(), reason="A name is wrong.")
    restore(at=DUE_AT - HOUR)
    assert Issue.objects.get().held_reason == "A name is wrong."


def test_the_first_local_hour_decides_if_an_issue_may_have_been_sent(publication: Publication) -> None:
    Publication.objects.update(send_at=Publication.SendAt.LOCAL)
    add_subscribers(publication, 1, where=zone_place(AUCKLAND), start=3)
    assert restore(at=DUE_AT - 14 * HOUR) == []
    assert restore(at=DUE_AT - 12 * HOUR) == ["weekly 2026-03-05T09:00"]


def test_staff_are_notified_that_it_may_have_been_sent(publication: Publication) -> None:
    restore(at=DUE_AT + HOUR)
    notify_missed_slots(now=DUE_AT + HOUR)
    notice = StaffNotice.objects.get()
    assert str(notice.subject) == "The weekly letter: an issue may have been sent on 5 March 2026"
    assert "restored from a backup" in str(notice.paragraphs[1])
    with time_machine.travel(DUE_AT + HOUR, tick=False):
        page = sign_in("editor").get("/admin/").content.decode()
    assert "The weekly letter: an issue may have been sent on Thursday 5 March 2026, 09:00 (London time)" in page


def test_home_forgets_an_uncertain_time_that_an_approver_checked(publication: Publication) -> None:
    restore(at=DUE_AT + HOUR)
    slot = Slot.objects.get(state=Slot.State.UNCERTAIN)
    with time_machine.travel(DUE_AT + HOUR, tick=False):
        approver, editor = sign_in("approver"), sign_in("editor")
        page = lxml.html.fromstring(approver.get("/admin/").content.decode())
        [form] = page.xpath("//form[contains(@action, '/checked/')]")
        assert form.xpath("normalize-space(.//button)") == "I have checked this"
        assert form.xpath(".//input[@name='csrfmiddlewaretoken']/@value")
        answer = approver.post(form.get("action"), follow=True).content.decode()
        assert "Home does not name this time any more." in answer
        assert "an issue may have been sent" not in answer
        assert "an issue may have been sent" not in editor.get("/admin/").content.decode()
    slot.refresh_from_db()
    assert slot.checked_at == DUE_AT + HOUR
    notify_missed_slots(now=DUE_AT + HOUR)
    assert not StaffNotice.objects.exists(), "nobody else is asked"
    entry = AuditEntry.objects.get(action="newsletter.slot_checked")
    assert (entry.object_id, entry.data) == (str(publication.pk), {"due": "2026-03-05T09:00"})


def test_an_uncertain_time_is_checked_once_and_by_approvers(publication: Publication) -> None:
    restore(at=DUE_AT + HOUR)
    slot = Slot.objects.get(state=Slot.State.UNCERTAIN)
    with time_machine.travel(DUE_AT + HOUR, tick=False):
        editor, approver = sign_in("editor"), sign_in("approver")
        assert "I have checked this" not in editor.get("/admin/").content.decode()
        refused = editor.post(f"/admin/issues/times/{slot.pk}/checked/", follow=True).content.decode()
        assert "may not say that this time was checked" in refused
        approver.post(f"/admin/issues/times/{slot.pk}/checked/")
        again = approver.post(f"/admin/issues/times/{slot.pk}/checked/", follow=True).content.decode()
    assert "somebody has checked it already" in again
    assert AuditEntry.objects.filter(action="newsletter.slot_checked").count() == 1


def test_a_missed_time_has_no_button_and_cannot_be_checked(publication: Publication) -> None:
    slot = Slot.objects.create(
        publication=publication, due_local="2026-03-05T09:00", due_at=DUE_AT, made_at=DUE_AT, state=Slot.State.MISSED
    )
    with time_machine.travel(DUE_AT + HOUR, tick=False):
        approver = sign_in("approver")
        page = approver.get("/admin/").content.decode()
        approver.post(f"/admin/issues/times/{slot.pk}/checked/")
    assert "nothing was sent on" in page
    assert "I have checked this" not in page
    slot.refresh_from_db()
    assert slot.checked_at is None
    with pytest.raises(IntegrityError, match="slot_checked_if_uncertain"):
        Slot.objects.filter(pk=slot.pk).update(checked_at=DUE_AT)


def test_a_time_missed_during_the_hold_may_have_been_sent(publication: Publication) -> None:
    """The scheduler can run on an older database before anybody looks at it."""
    at = DUE_AT + 8 * HOUR
    hold_installation(reason="the database is older than the last mail", now=at)
    assemble_due(now=at)
    assert find_missed_slots(now=at) == []
    assert restore(at=at + HOUR) == ["weekly 2026-03-05T09:00"]


@pytest.mark.parametrize(("at", "state"), [(DUE_AT + HOUR, "uncertain"), (DUE_AT - HOUR, "due")])
def test_a_digest_that_may_have_been_sent_waits_for_staff(publication: Publication, at: datetime, state: str) -> None:
    Publication.objects.update(monthly_digest=True, digest_schedule="0 9 5 * *")
    Subscription.objects.filter(pk=Subscription.objects.earliest("pk").pk).update(
        frequency=Frequency.MONTHLY, requested_at=DUE_AT - 99 * HOUR
    )
    restore(at=at)
    slot = Slot.objects.get(kind="digest")
    assert (slot.state, was_due_before_restore(slot)) == (state, True)
    run_scheduler(at=DUE_AT + HOUR)
    assert not Issue.objects.filter(kind="digest", held=False).exists()


def test_the_end_of_another_hold_is_no_restore(publication: Publication) -> None:
    """Such as that of a copy for tests: nothing was sent that its database does not know."""
    assemble_due(now=DUE_AT - 99 * HOUR)
    hold_installation(reason="this database is a copy", now=DUE_AT - 4 * HOUR)
    release_installation(now=DUE_AT - 3 * HOUR)
    run_scheduler(at=DUE_AT - 2 * HOUR)
    run_scheduler(at=DUE_AT)
    assert Send.objects.get().recipients == 3


def test_a_second_look_holds_nothing_again(publication: Publication) -> None:
    """Each machine has a journal of its own, so the command runs on each of them."""
    run_scheduler(at=DUE_AT - 2 * HOUR)
    at = DUE_AT - HOUR
    hold_installation(reason="the database was restored from a backup", now=at)
    [name] = mark_open_batches_uncertain(now=at).issues
    assert mark_open_batches_uncertain(now=at + MINUTE).issues == [name]
    release_issue(issue=Issue.objects.get())
    assert mark_open_batches_uncertain(now=at + 2 * MINUTE).issues == []
    release_after_restore(now=at + 3 * MINUTE)
    run_scheduler(at=DUE_AT)
    assert Send.objects.get().recipients == 3


def test_a_second_look_names_the_times_that_passed_before_it(publication: Publication) -> None:
    at = DUE_AT - HOUR / 2
    hold_installation(reason="the database was restored from a backup", now=at)
    assert mark_open_batches_uncertain(now=at).slots == []
    assert mark_open_batches_uncertain(now=DUE_AT + HOUR).slots == ["weekly 2026-03-05T09:00"]
    assert mark_open_batches_uncertain(now=DUE_AT + 2 * HOUR).slots == ["weekly 2026-03-05T09:00"]


def test_a_time_planned_after_the_restore_was_not_sent(publication: Publication) -> None:
    hold_installation(reason="the database was restored from a backup", now=DUE_AT - 8 * DAY)
    mark_open_batches_uncertain(now=DUE_AT - 8 * DAY)
    Slot.objects.filter(due_at__gte=DUE_AT).delete()
    assemble_due(now=DUE_AT - 3 * DAY)
    later = mark_open_batches_uncertain(now=DUE_AT + HOUR)
    assert "weekly 2026-03-05T09:00" not in later.slots


def test_a_second_restore_is_marked_again(
    publication: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if its backup was made during the hold of the first one."""
    monkeypatch.setattr(settings, "NEWSLETTER_DATA_DIR", tmp_path)
    at = DUE_AT - HOUR
    hold_installation(reason="the database was restored from a backup", now=at)
    mark_open_batches_uncertain(now=at)
    run_scheduler(at=at)
    Issue.objects.update(held=False, held_reason="")
    lost = Send(pk=99, issue=Issue.objects.get())
    write_send_journal(lost, now=at + MINUTE)
    assert mark_open_batches_uncertain(now=at + 2 * MINUTE).issues == [Issue.objects.get().reference]


def test_doctor_prints_the_times_that_may_have_been_sent(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    with time_machine.travel(DUE_AT + HOUR, tick=False):
        call_command("doctor", "--after-restore")
    text = capsys.readouterr().out
    assert "May have been made and sent since the backup, and is not made again: weekly 2026-03-05T09:00\n" in text
    assert "May have been sent too, and is not sent again: no single mails, no welcome mails\n" in text
    assert "Switched off in the backup" not in text


def test_doctor_names_publications_that_the_backup_has_off(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    Publication.objects.update(enabled=False)
    with time_machine.travel(DUE_AT + HOUR, tick=False):
        call_command("doctor", "--after-restore")
    text = capsys.readouterr().out
    assert "Switched off in the backup: weekly. If you switched one on since, it may have sent issues." in text


def test_staff_learn_of_each_time_that_is_uncertain(publication: Publication) -> None:
    Publication.objects.update(schedule="0 9 * * *")
    at = DUE_AT + timedelta(days=2, hours=1)
    restore(at=at)
    named = [slot.due_local for slot in find_missed_slots(now=at)]
    assert named == [f"2026-03-0{day}T09:00" for day in (4, 5, 6, 7)]
    notify_missed_slots(now=at)
    subjects = [str(subject) for subject in StaffNotice.objects.order_by("pk").values_list("subject", flat=True)]
    assert len([subject for subject in subjects if "may have been sent" in subject]) == 4


def test_uncertain_times_are_over_once_a_later_time_has_passed(publication: Publication) -> None:
    Publication.objects.update(schedule="0 9 * * *")
    at = DUE_AT + timedelta(days=1, hours=1)
    restore(at=at)
    run_scheduler(at=at + timedelta(hours=22))
    run_scheduler(at=at + timedelta(hours=24))
    assert find_missed_slots(now=at + timedelta(hours=24)) == []
