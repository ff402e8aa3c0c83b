"""An approval that no longer counts is found before the send, which would only refuse."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.approval.reopen_uncovered import notify_waiting_automatic_issues, reopen_uncovered_issues
from newsletter.jobs.staff_notices import notify_second_approvals
from newsletter.models import Issue, Publication, StaffNotice
from newsletter.sending.freezing.start import start_send
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    return make_issue(publication)


def approve(issue: Issue, email: str = "approver@example.org") -> Issue:
    approve_issue(issue=issue, by=make_approver(email), now=NOW)
    assert issue.state == Issue.State.APPROVED
    return Issue.objects.select_related("publication").get(pk=issue.pk)


def reopen() -> list[Issue]:
    return reopen_uncovered_issues(now=NOW)


def test_an_approved_issue_whose_audience_grew_waits_again(issue: Issue, publication: Publication) -> None:
    approve(issue)
    assert reopen() == []
    add_subscribers(publication, 40, start=100)
    assert reopen() == [issue]
    issue.refresh_from_db()
    assert issue.state == Issue.State.IN_REVIEW
    notice = StaffNotice.objects.get()
    assert notice.subject == f"{issue} needs a new approval"
    assert "was approved for 3 people and would now go to 43" in notice.paragraphs[0]
    assert reopen() == []
    notify_second_approvals(now=NOW)
    assert StaffNotice.objects.count() == 1


def test_pages_say_that_an_outgrown_approval_does_not_count(issue: Issue, publication: Publication) -> None:
    approve(issue)
    add_subscribers(publication, 40, start=100)
    reopen()
    approver = sign_in("approver", email="second@example.org")
    page = approver.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "no longer counts, because the number of recipients grew from 3 to 43." in page
    assert "Approve this version" in page
    assert "is waiting for approval" in approver.get("/admin/").content.decode()


def test_an_issue_approved_again_is_sent(issue: Issue, publication: Publication) -> None:
    approve(issue)
    add_subscribers(publication, 40, start=100)
    reopen()
    issue = approve(issue, "second@example.org")
    assert reopen() == []
    assert start_send(issue=issue, now=NOW).recipients == 43


def test_a_new_rule_for_a_second_approval_counts_at_once(issue: Issue) -> None:
    approve(issue)
    Publication.objects.update(second_approval_above=2)
    reopen()
    issue.refresh_from_db()
    assert issue.state == Issue.State.IN_REVIEW
    assert not StaffNotice.objects.exists()
    notify_second_approvals(now=NOW)
    assert StaffNotice.objects.get().subject == f"{issue} is waiting for a second approval"


def test_a_new_rule_against_authors_is_told_on_the_page(issue: Issue) -> None:
    Publication.objects.update(another_approves=False)
    writer = make_approver("writer@example.org")
    issue.subject = "Another subject"
    issue.save()
    issue.save_revision(user=writer)
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=writer, now=timezone.now())
    Publication.objects.update(another_approves=True)
    reopen()
    assert StaffNotice.objects.get().paragraphs[0].startswith("The person who approved")
    page = sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "also wrote or edited it, or content that it shows" in page


@pytest.mark.parametrize("why", ["held", "off", "sending"])
def test_an_issue_that_is_not_sent_by_itself_stays_as_it_is(issue: Issue, publication: Publication, why: str) -> None:
    issue = approve(issue)
    if why == "held":
        hold_issue(issue=issue, reason="Wait")
    elif why == "sending":
        start_send(issue=issue, now=NOW)
    add_subscribers(publication, 40, start=100)
    if why == "off":
        Publication.objects.update(enabled=False)
    assert reopen() == []
    assert not StaffNotice.objects.exists()


def test_approvers_hear_before_its_time_that_an_automatic_issue_waits(issue: Issue) -> None:
    make_approver()
    Publication.objects.update(approval="auto")
    slot = issue.publication.slots.create(
        due_local="2027-03-05T09:00", due_at=NOW + timedelta(days=1), made_at=NOW, state="assembled"
    )
    Issue.objects.update(slot=slot, due_at=slot.due_at, announced_people=None)
    notify_waiting_automatic_issues(now=NOW)
    assert not StaffNotice.objects.exists()
    Issue.objects.update(announced_people=3)
    notify_waiting_automatic_issues(now=NOW)
    assert not StaffNotice.objects.exists()
    Publication.objects.update(second_approval_above=2)
    for _ in range(2):
        notify_waiting_automatic_issues(now=NOW)
    notice = StaffNotice.objects.get()
    assert notice.subject == f"{issue} is waiting for approval"
    assert notice.paragraphs[0].startswith("It goes to 3 people. Two people must approve")


def test_an_automatic_issue_that_sends_itself_is_not_announced_again(issue: Issue) -> None:
    make_approver()
    Publication.objects.update(approval="auto")
    notify_waiting_automatic_issues(now=NOW)
    assert not StaffNotice.objects.exists()
