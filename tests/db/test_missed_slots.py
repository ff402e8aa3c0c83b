"""Staff learn of a time of the schedule that passed without an issue, and of one that comes without an approval."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import DatabaseError

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.feedback.send_warnings import SendWarning
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.approval.hold import hold_issue, release_issue
from newsletter.issues.approval.remind_approvers import remind_approvers
from newsletter.issues.assembly.missed_slots import find_missed_slots, notify_missed_slots
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.jobs import scheduler_jobs
from newsletter.jobs.notices.about_issues import notify_approval_needed
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.jobs.notices.write_due_notices import warn_staff
from newsletter.jobs.scheduler_jobs import assemble_due
from newsletter.models import Approval, Issue, Publication, Slot, StaffNotice, Story
from newsletter.models.staff import ContentEdit, record_edit
from subscribers.models import Frequency, Segment, Subscriber, Subscription
from subscribers.people.preferences import set_frequencies
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db
DUE_AT = datetime.fromisoformat("2026-03-05T09:00:00+00:00")
BACK = DUE_AT + timedelta(hours=8)


@pytest.fixture
def approver() -> User:
    return make_approver()


def come_back(publication: Publication) -> Slot:
    """Let the scheduler run again eight hours after a time."""
    make_story("The first verdict")
    assert assemble_due(now=BACK) == []
    return Slot.objects.get(publication=publication, state=Slot.State.MISSED)


def list_subjects() -> list[str]:
    return [str(notice.subject) for notice in StaffNotice.objects.order_by("pk")]


def test_approvers_are_notified_once_of_a_missed_time(approver: User) -> None:
    publication = make_publication()
    slot = come_back(publication)
    for _ in range(2):
        notify_missed_slots(now=BACK)
    notice = StaffNotice.objects.get()
    assert (notice.person, notice.key) == (approver, f"missed-{slot.pk}")
    assert str(notice.subject) == "The weekly letter: nothing was sent on 5 March 2026"
    assert str(notice.paragraphs[0]) == "Its time was 09:00 (Europe/London)."
    assert "8 hours late" in notice.paragraphs[1]
    assert notice.link.endswith(f"/admin/issues/new/?publication={publication.pk}")


def test_home_offers_a_new_issue_for_a_missed_time() -> None:
    publication = make_publication()
    come_back(publication)
    with time_machine.travel(BACK, tick=False):
        page = sign_in("editor").get("/admin/").content.decode()
        of_data_staff = sign_in("data").get("/admin/").content.decode()
    assert "The weekly letter: nothing was sent on Thursday 5 March 2026, 09:00 (London time)" in page
    assert f'href="/admin/issues/new/?publication={publication.pk}"' in page
    assert "nothing was sent on" not in of_data_staff


def test_an_issue_by_hand_or_another_passed_time_ends_the_task(approver: User) -> None:
    publication = make_publication()
    come_back(publication)
    assert len(find_missed_slots(now=BACK)) == 1
    assert find_missed_slots(now=BACK + timedelta(days=7)) == []
    create_issue(publication=publication, beginning=Beginning.EMPTY, by=None, now=BACK)
    assert find_missed_slots(now=BACK) == []
    Issue.objects.all().delete()
    tomorrow = DUE_AT + timedelta(days=1)
    Slot.objects.create(publication=publication, due_local="2026-03-06T09:00", due_at=tomorrow, made_at=BACK)
    assert len(find_missed_slots(now=BACK)) == 1
    assert find_missed_slots(now=tomorrow) == []


def test_a_missed_time_of_a_daily_publication_is_a_task(approver: User) -> None:
    publication = make_publication()
    Publication.objects.update(schedule="0 9 * * *")
    make_story("The first verdict")
    (assembly,) = assemble_due(now=BACK)
    assert (assembly.slot.due_local, assembly.issue is not None) == ("2026-03-06T09:00", True)
    (slot,) = find_missed_slots(now=BACK)
    assert (slot.publication, slot.due_local) == (publication, "2026-03-05T09:00")


def test_a_publication_that_was_off_at_the_time_is_nobodys_task(approver: User) -> None:
    publication = make_publication()
    record_edit(publication, action="wagtail.edit", person=approver, at=BACK - timedelta(minutes=1))
    come_back(publication)
    assert find_missed_slots(now=BACK) == []


def test_an_edit_after_a_missed_time_was_found_leaves_the_task(approver: User) -> None:
    publication = make_publication()
    come_back(publication)
    record_edit(publication, action="wagtail.edit", person=approver, at=BACK + timedelta(minutes=1))
    assert len(find_missed_slots(now=BACK + timedelta(minutes=2))) == 1


def test_a_publication_that_is_off_has_no_missed_time(approver: User) -> None:
    come_back(make_publication())
    Publication.objects.update(enabled=False)
    assert find_missed_slots(now=BACK) == []


def test_a_missed_digest_says_how_many_stories_the_next_one_holds(approver: User) -> None:
    publication = make_publication(monthly_digest=True)
    slot = Slot.objects.create(
        publication=publication,
        kind=Slot.Kind.DIGEST,
        period="2026-03",
        due_local="2026-03-05T09:00",
        due_at=DUE_AT,
        made_at=NOW,
    )
    assemble_due(now=BACK)
    slot.refresh_from_db()
    assert slot.state == Slot.State.MISSED
    notify_missed_slots(now=BACK)
    notice = StaffNotice.objects.get(key=f"missed-{slot.pk}")
    assert str(notice.paragraphs[-1]) == ("The next monthly digest may have its stories. It holds 12 stories at most.")
    assert notice.link.endswith("/admin/")


@pytest.fixture
def monthly() -> Publication:
    """A publication whose digest was due on 5 March, with a subscriber who chose it."""
    publication = make_publication(monthly_digest=True, digest_schedule="0 9 5 * *")
    add_subscribers(publication, 1)
    Subscription.objects.update(frequency=Frequency.MONTHLY, requested_at=NOW - timedelta(days=30))
    Publication.objects.update(made_at=NOW - timedelta(days=60), schedule="0 9 1 1 *")
    return publication


def test_approvers_are_notified_of_a_digest_whose_slot_was_never_made(approver: User, monthly: Publication) -> None:
    assemble_due(now=BACK)
    assert not Slot.objects.filter(kind=Slot.Kind.DIGEST).exists()
    for _ in range(2):
        notify_missed_slots(now=BACK)
    notice = StaffNotice.objects.get(key=f"missed-digest-{monthly.pk}-2026-03")
    assert str(notice.subject) == "The weekly letter: nothing was sent on 5 March 2026"
    assert str(notice.paragraphs[1]).startswith("No digest was made: the scheduler was not running")
    assert not Slot.objects.filter(kind=Slot.Kind.DIGEST).exists()
    with time_machine.travel(BACK):
        assert "nothing was sent on Thursday 5 March 2026, 09:00" in sign_in("editor").get("/admin/").content.decode()


def test_a_digest_that_nobody_expects_any_more_is_not_missed(approver: User, monthly: Publication) -> None:
    assert len(find_missed_slots(now=BACK)) == 1
    assert find_missed_slots(now=DUE_AT + timedelta(hours=5)) == []
    assert find_missed_slots(now=DUE_AT + timedelta(days=8)) == []
    record_edit(monthly, action="wagtail.edit", person=approver, at=DUE_AT + timedelta(hours=1))
    assert find_missed_slots(now=BACK) == []
    ContentEdit.objects.all().delete()
    Subscription.objects.update(frequency=Frequency.EVERY)
    assert find_missed_slots(now=BACK) == []


def make_waiting_issue(**changes: Any) -> Issue:
    publication = make_publication(**changes)
    make_story("The first verdict")
    add_subscribers(publication, 2)
    return make_issue(publication)


def test_approvers_are_reminded_once_two_hours_before_the_time(approver: User) -> None:
    issue = make_waiting_issue()
    remind_approvers(now=DUE_AT - timedelta(hours=2, seconds=1))
    assert list_subjects() == []
    for minutes in (0, 60, 180):
        remind_approvers(now=DUE_AT - timedelta(hours=2) + timedelta(minutes=minutes))
    notice = StaffNotice.objects.get()
    assert (notice.person, str(notice.subject)) == (approver, "The weekly letter No. 1 still waits for approval")
    assert str(notice.paragraphs[0]) == (
        "Its time is 5 March 2026 at 09:00 (Europe/London). Without approval nothing is sent."
    )
    assert "If nobody approves it by 5 March 2026 at 15:00, it is put on hold." in notice.paragraphs[1]
    assert "/admin/decide/" in notice.link
    Issue.objects.filter(pk=issue.pk).update(due_at=DUE_AT + timedelta(days=1))
    remind_approvers(now=DUE_AT + timedelta(days=1, hours=-1))
    assert len(list_subjects()) == 2, "another time has a reminder of its own"


@pytest.mark.parametrize("state", ["approved", "held", "off", "automatic", "young", "late"])
def test_an_issue_that_waits_for_nobody_has_no_reminder(approver: User, state: str) -> None:
    issue = make_waiting_issue(approval="auto" if state == "automatic" else "approve")
    now = DUE_AT - timedelta(hours=1)
    match state:
        case "approved":
            approve_issue(issue=issue, by=approver, now=NOW)
        case "held":
            hold_issue(issue=issue, reason="Wait.")
        case "off":
            Publication.objects.update(enabled=False)
        case "young":
            Issue.objects.update(made_at=now - timedelta(minutes=59))
        case "late":
            now = DUE_AT + timedelta(hours=6, seconds=1)
    remind_approvers(now=now)
    assert list_subjects() == []


@pytest.mark.parametrize("cause", ["two approvals", "grown audience", "edited by an author"])
def test_an_automatic_issue_that_needs_a_person_has_a_reminder(approver: User, cause: str) -> None:
    second = make_approver("second@example.org")
    issue = make_waiting_issue(approval="auto", second_approval_above=1 if cause == "two approvals" else None)
    match cause:
        case "grown audience":
            add_subscribers(issue.publication, 30, start=100)
        case "edited by an author":
            record_edit(Story.objects.get(), action="wagtail.edit", person=approver, at=NOW)
    remind_approvers(now=DUE_AT - timedelta(hours=1))
    reminded = {notice.person for notice in StaffNotice.objects.filter(key__startswith="remind-")}
    assert reminded == ({second} if cause == "edited by an author" else {approver, second})


def test_an_automatic_issue_that_was_not_sent_has_one_mail_at_its_time(approver: User) -> None:
    issue = make_waiting_issue(approval="auto", second_approval_above=1)
    Issue.objects.update(state=Issue.State.IN_REVIEW)
    notify_approval_needed(issue, reason="It needs two approvals.", now=DUE_AT)
    remind_approvers(now=DUE_AT)
    assert list_subjects() == ["The weekly letter No. 1 is waiting for approval"]
    later = DUE_AT + timedelta(days=1)
    Issue.objects.update(due_at=later)
    remind_approvers(now=later - timedelta(hours=1))
    assert list_subjects()[1:] == ["The weekly letter No. 1 still waits for approval"]


def test_a_reminder_names_the_hold_after_the_time_of_the_publication(approver: User) -> None:
    make_waiting_issue(send_at="local")
    Subscriber.objects.update(timezone="Asia/Tokyo")
    remind_approvers(now=DUE_AT - timedelta(hours=10))
    first, second = StaffNotice.objects.get().paragraphs
    assert "5 March 2026 at 00:00 (Europe/London)" in first
    assert "by 5 March 2026 at 15:00, it is put on hold" in second


def test_a_reminder_of_a_released_issue_names_no_hold(approver: User) -> None:
    issue = make_waiting_issue()
    hold_issue(issue=issue, reason="Wait.")
    release_issue(issue=issue)
    remind_approvers(now=DUE_AT - timedelta(hours=1))
    assert len(StaffNotice.objects.get().paragraphs) == 1


def test_an_issue_that_cannot_be_read_stops_no_other_reminder(approver: User, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = make_waiting_issue()
    other = make_issue(make_publication(slug="other", name="The other letter"))

    def resolve(issue: Issue) -> IssueContent:
        if issue == broken:
            raise NotReady("The block is incomplete.")
        return resolve_content(issue)

    monkeypatch.setattr("newsletter.issues.approval.remind_approvers.resolve_content", resolve)
    remind_approvers(now=DUE_AT - timedelta(hours=1))
    assert list_subjects() == [f"{other} still waits for approval"]


def test_the_first_of_two_approvers_is_not_reminded(approver: User) -> None:
    second = make_approver("second@example.org")
    issue = make_waiting_issue(second_approval_above=1)
    approve_issue(issue=issue, by=approver, now=NOW)
    remind_approvers(now=DUE_AT - timedelta(hours=1))
    assert StaffNotice.objects.get().person == second


def test_a_segment_that_cannot_be_read_stops_no_reminder(approver: User) -> None:
    make_approver("second@example.org")
    segment = Segment.objects.create(slug="friends", name="Friends", rule={"any": [{"list": "weekly"}]})
    issue = make_waiting_issue(second_approval_above=1, segment=segment)
    approve_issue(issue=issue, by=approver, now=NOW)
    Segment.objects.update(rule={"any": [{"list": "gone"}]})
    Approval.objects.update(audience_sha256=hash_audience(describe_audience(Issue.objects.get())))
    remind_approvers(now=DUE_AT - timedelta(hours=1))
    assert StaffNotice.objects.count() == 2


def test_a_failed_reminder_stops_no_warning_about_a_send(approver: User, monkeypatch: pytest.MonkeyPatch) -> None:
    issue = make_waiting_issue()
    warning = SendWarning("warning-1", issue, Message("Many mails bounced"), ())
    monkeypatch.setattr("newsletter.jobs.notices.about_sends.check_recent_sends", lambda *, now: [warning])

    def fail(*, now: datetime) -> None:
        raise DatabaseError("the database is locked")

    monkeypatch.setattr("newsletter.jobs.notices.write_due_notices.remind_approvers", fail)
    with pytest.raises(DatabaseError):
        warn_staff(now=DUE_AT - timedelta(hours=1))
    assert list_subjects() == ["Many mails bounced"]


def test_the_job_that_warns_staff_reminds_and_names_missed_times(approver: User) -> None:
    other = make_publication(slug="other", name="The other letter", lead_hours=0)
    make_waiting_issue()
    Slot.objects.create(
        publication=other,
        due_local="2026-03-05T01:00",
        due_at=DUE_AT - timedelta(hours=8),
        made_at=NOW,
        state=Slot.State.MISSED,
    )
    warn_staff(now=DUE_AT - timedelta(hours=1))
    assert {
        "The weekly letter No. 1 still waits for approval",
        "The other letter: nothing was sent on 5 March 2026",
    } <= {*list_subjects()}
    assert send_due_notices(now=DUE_AT) >= 2


def test_staff_are_notified_once_of_an_issue_that_cannot_be_made(
    approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise NotReady("The block “Event” has no event.")

    monkeypatch.setattr(scheduler_jobs, "assemble_slot", refuse)
    make_publication()
    make_story("The first verdict")
    for minute in range(2):
        assert assemble_due(now=NOW + timedelta(minutes=minute)) == []
    notice = StaffNotice.objects.get()
    assert (notice.person, notice.key) == (approver, f"unassembled-{Slot.objects.get().pk}")
    assert str(notice.subject) == "The weekly letter: the issue of 5 March 2026 could not be made"
    assert str(notice.paragraphs[0]) == "The block “Event” has no event."
    assert str(notice.paragraphs[1]) == (
        "Its time is 5 March 2026 at 09:00 (Europe/London). We try again until 6 hours after that time."
    )


def test_a_skipped_issue_that_cannot_be_made_is_tried_until_its_time(
    approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise NotReady("The block “Event” has no event.")

    make_publication()
    assemble_due(now=NOW)
    assert Slot.objects.get().state == Slot.State.SKIPPED
    monkeypatch.setattr(scheduler_jobs, "assemble_slot", refuse)
    make_story("The first verdict")
    assert assemble_due(now=NOW + timedelta(minutes=1)) == []
    notice = StaffNotice.objects.get(key=f"unassembled-{Slot.objects.get().pk}")
    assert str(notice.paragraphs[1]) == (
        "Its time is 5 March 2026 at 09:00 (Europe/London). We try again until that time."
    )


def test_staff_are_notified_daily_of_a_publication_that_cannot_be_planned(approver: User) -> None:
    make_publication(zone="Nowhere/Else")
    for hours in (0, 1, 24):
        assert assemble_due(now=NOW + timedelta(hours=hours)) == []
    planned = ("next issue", "next monthly digest")
    assert list_subjects() == [f"The weekly letter: the {what} cannot be planned" for what in planned] * 2
    assert "Nowhere/Else" in str(StaffNotice.objects.earliest("pk").paragraphs[0])


def test_a_digest_that_nobody_had_chosen_at_its_time_is_not_missed(approver: User, monthly: Publication) -> None:
    later = DUE_AT + timedelta(hours=1)
    Subscription.objects.update(requested_at=later)
    assert find_missed_slots(now=BACK) == []
    Subscription.objects.update(requested_at=NOW - timedelta(days=30), frequency=Frequency.EVERY)
    subscription = Subscription.objects.get()
    choice = {subscription.mailing_list: Frequency.MONTHLY}
    set_frequencies(subscriber=subscription.subscriber, frequencies=choice, now=later)
    assert find_missed_slots(now=BACK) == []


@pytest.mark.parametrize("schedule", ["nonsense", "0 9 * * nobody"])
def test_a_schedule_that_cannot_be_read_stops_no_other_publication(approver: User, schedule: str) -> None:
    broken = make_publication(slug="broken", name="The broken letter")
    Publication.objects.filter(pk=broken.pk).update(schedule=schedule)
    make_publication()
    make_story("The first verdict")
    assert len(assemble_due(now=NOW)) == 1
    assert "The broken letter: the next issue cannot be planned" in list_subjects()


def test_a_digest_that_cannot_be_planned_is_named_as_such(approver: User) -> None:
    make_publication(monthly_digest=True, digest_schedule="nonsense")
    make_story("The first verdict")
    assert len(assemble_due(now=NOW)) == 1
    assert "The weekly letter: the next issue cannot be planned" not in list_subjects()
    assert "The weekly letter: the next monthly digest cannot be planned" in list_subjects()


def test_a_time_that_was_missed_by_a_clock_that_was_ahead_gets_its_issue(approver: User) -> None:
    slot = come_back(make_publication())
    right = DUE_AT - timedelta(hours=48)
    assert find_missed_slots(now=right) == []
    assert assemble_due(now=right) == []
    (assembly,) = assemble_due(now=DUE_AT - timedelta(hours=1))
    assert assembly.issue is not None
    slot.refresh_from_db()
    assert (assembly.issue.slot, slot.state, find_missed_slots(now=BACK)) == (slot, Slot.State.ASSEMBLED, [])
