"""An approval that no longer counts is found before the send, which would only refuse."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from newsletter.common.errors import NotApproved
from newsletter.issues.approval import approval_rules, reopen_uncovered
from newsletter.issues.approval.approve import approve_issue, require_approval
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.approval.reopen_uncovered import (
    notify_if_reopened,
    notify_waiting_automatic_issues,
    reopen_uncovered_issues,
    restore_covered_issues,
)
from newsletter.jobs.notices.about_issues import notify_second_approvals
from newsletter.jobs.scheduler_jobs import start_due_sends
from newsletter.models import Comment, Issue, Publication, Send, Slot, StaffNotice
from newsletter.sending.freezing.start import prepare_requested_sends, request_send, start_send
from subscribers.models import OutboundEvent, Subscriber, Subscription
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.webhooks import make_endpoint

pytestmark = pytest.mark.django_db(transaction=True)


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


def read(issue: Issue) -> Issue:
    return Issue.objects.select_related("publication").get(pk=issue.pk)


def read_subjects() -> list[str]:
    return [str(notice.subject) for notice in StaffNotice.objects.order_by("pk")]


def test_an_issue_is_approved_again_once_the_rule_is_reverted(issue: Issue) -> None:
    Issue.objects.update(due_at=NOW + timedelta(hours=1))
    issue = approve(read(issue))
    Publication.objects.update(second_approval_above=2)
    reopen()
    assert restore_covered_issues(now=NOW) == []
    Publication.objects.update(second_approval_above=None)
    page = sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "A second person must approve it too" not in page
    assert restore_covered_issues(now=NOW) == [issue]
    assert read_subjects() == [f"{issue} is approved"]
    assert restore_covered_issues(now=NOW) == []
    start_due_sends(now=NOW + timedelta(hours=2))
    assert Send.objects.get().recipients == 3


def test_the_first_approver_may_approve_again_once_the_rule_is_reverted(issue: Issue) -> None:
    approve(issue)
    Publication.objects.update(second_approval_above=2)
    reopen()
    client = sign_in("approver", email="approver@example.org")
    url = f"/admin/issues/{issue.pk}/overview/"
    assert "You approved it. A second person must approve it too." in client.get(url).content.decode()
    Publication.objects.update(second_approval_above=None)
    page = client.get(url).content.decode()
    assert "Approve this version" in page
    assert "A second person" not in page


@pytest.mark.parametrize("why", ["held", "off", "comment", "withdrawn"])
def test_an_issue_that_somebody_stopped_is_not_approved_again(issue: Issue, why: str) -> None:
    issue = approve(issue)
    Publication.objects.update(second_approval_above=2)
    reopen()
    issue = read(issue)
    Publication.objects.update(second_approval_above=None, enabled=why != "off")
    if why == "held":
        hold_issue(issue=issue, reason="Wait")
    elif why == "comment":
        Comment.objects.create(issue=issue, text="Wait", at=NOW)
    elif why == "withdrawn":
        issue.approvals.update(withdrawn_at=NOW)
    assert restore_covered_issues(now=NOW) == []
    assert read(issue).state == Issue.State.IN_REVIEW


def test_each_time_that_an_issue_is_reopened_has_a_notice(issue: Issue, publication: Publication) -> None:
    approve(issue)
    add_subscribers(publication, 40, start=100)
    reopen()
    added = Subscription.objects.filter(mailing_list=publication.mailing_list).order_by("-pk")[:40]
    Subscription.objects.filter(pk__in=added.values("pk")).delete()
    assert restore_covered_issues(now=NOW) == [issue]
    add_subscribers(publication, 40, start=200)
    assert reopen() == [issue]
    assert read_subjects() == [f"{issue} is approved", f"{issue} may need another approval"]


def cross_the_limit(publication: Publication, *, now: datetime) -> list[Issue]:
    """Let the number of recipients rise above the limit and fall again. Return the issues that are approved again."""
    (added,) = add_subscribers(publication, 1, start=100 + Subscriber.objects.count())
    assert len(reopen_uncovered_issues(now=now)) == 1
    notify_second_approvals(now=now)
    Subscription.objects.filter(subscriber=added).delete()
    return restore_covered_issues(now=now + timedelta(minutes=5))


def test_approvers_hear_once_a_day_of_an_issue_that_is_approved_again(issue: Issue, publication: Publication) -> None:
    """The number of recipients may go up and down around a limit all day."""
    approve(issue)
    Publication.objects.update(second_approval_above=3)
    assert cross_the_limit(publication, now=NOW + timedelta(hours=1)) == [issue]
    assert read_subjects() == [f"{issue} is approved"]
    ids = set()
    for hour in range(2, 6):
        assert cross_the_limit(publication, now=NOW + timedelta(hours=hour)) == [issue]
        assert read_subjects() == [f"{issue} is approved", f"{issue} may need another approval"]
        ids.add(StaffNotice.objects.get(key__startswith="uncovered-").pk)
    assert len(ids) == 1
    assert "This may go on today without a notice." in StaffNotice.objects.get(pk=ids.pop()).paragraphs[1]
    assert cross_the_limit(publication, now=NOW + timedelta(days=2)) == [issue]
    assert read_subjects() == [f"{issue} is approved"]


def test_an_issue_that_was_approved_again_is_sent_when_it_is_due(issue: Issue, publication: Publication) -> None:
    Issue.objects.update(due_at=NOW + timedelta(hours=3))
    approve(read(issue))
    Publication.objects.update(second_approval_above=3)
    for hour in (1, 2):
        cross_the_limit(publication, now=NOW + timedelta(hours=hour))
    start_due_sends(now=NOW + timedelta(hours=3))
    assert Send.objects.get().recipients == 3


def test_an_approval_by_a_person_brings_the_ordinary_notice_back(issue: Issue, publication: Publication) -> None:
    approve(issue)
    add_subscribers(publication, 40, start=100)
    reopen()
    Subscription.objects.filter(pk__in=Subscription.objects.order_by("-pk")[:40].values("pk")).delete()
    later = NOW + timedelta(hours=1)
    assert restore_covered_issues(now=later) == [issue]
    add_subscribers(publication, 40, start=200)
    assert reopen_uncovered_issues(now=later) == [issue]
    approve_issue(issue=read(issue), by=make_approver(), now=later + timedelta(hours=1))
    add_subscribers(publication, 80, start=300)
    assert reopen_uncovered_issues(now=later + timedelta(hours=2)) == [issue]
    assert read_subjects() == [f"{issue} is approved", f"{issue} needs a new approval"]


def test_an_approval_that_ended_at_the_last_minute_holds_nothing(issue: Issue) -> None:
    Issue.objects.update(due_at=NOW + timedelta(hours=1))
    approve(read(issue))
    make_approver("second@example.org")
    User.objects.filter(email="approver@example.org").update(is_active=False)
    start_due_sends(now=NOW + timedelta(hours=1))
    assert (read(issue).state, read(issue).held) == (Issue.State.IN_REVIEW, False)
    assert read_subjects() == [f"{issue} needs a new approval"]
    approve_issue(issue=read(issue), by=make_approver("second@example.org"), now=NOW + timedelta(hours=2))
    start_due_sends(now=NOW + timedelta(hours=2))
    assert Send.objects.get().recipients == 3


def test_an_approval_that_ended_before_a_requested_freeze_holds_nothing(issue: Issue) -> None:
    request_send(issue=approve(issue), by=make_approver("second@example.org"), now=NOW)
    User.objects.filter(email="approver@example.org").update(is_active=False)
    assert prepare_requested_sends(now=NOW) == []
    assert (read(issue).state, read(issue).held) == (Issue.State.IN_REVIEW, False)
    assert Send.objects.get().state == Send.State.CANCELLED
    notice = StaffNotice.objects.get()
    assert notice.subject == f"{issue} needs a new approval"
    assert "then choose “Send now” again" in notice.paragraphs[1]


def test_a_requested_send_that_lacks_a_second_approval_says_so(issue: Issue) -> None:
    request_send(issue=approve(issue), by=make_approver("second@example.org"), now=NOW)
    Publication.objects.update(second_approval_above=1)
    assert prepare_requested_sends(now=NOW + timedelta(minutes=1)) == []
    notify_second_approvals(now=NOW + timedelta(minutes=2))
    for notice in StaffNotice.objects.all():
        assert "then choose “Send now” again" in notice.paragraphs[1]
    assert StaffNotice.objects.count() == 2


def test_two_schedulers_that_refuse_a_send_notify_once(issue: Issue) -> None:
    make_endpoint()
    Issue.objects.update(due_at=NOW + timedelta(hours=1))
    first, second = approve(read(issue)), read(issue)
    make_approver("second@example.org")
    User.objects.filter(email="approver@example.org").update(is_active=False)
    for minutes, seen in enumerate((first, second), start=60):
        with pytest.raises(NotApproved) as refused:
            start_send(issue=seen, now=NOW + timedelta(minutes=minutes))
        assert notify_if_reopened(seen, reason=refused.value.message, now=NOW + timedelta(minutes=minutes))
    assert StaffNotice.objects.get().made_at == NOW + timedelta(minutes=60)
    assert OutboundEvent.objects.filter(kind="issue.waiting").count() == 1


def test_a_late_issue_with_enough_approvals_is_not_called_unapproved(issue: Issue) -> None:
    Issue.objects.update(due_at=NOW + timedelta(hours=1))
    approve(read(issue))
    Issue.objects.update(state=Issue.State.IN_REVIEW)
    start_due_sends(now=NOW + timedelta(hours=8))
    assert "was not sent in time" in read(issue).held_reason


def test_a_comment_while_people_are_counted_keeps_the_issue_waiting(
    issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(issue)
    Publication.objects.update(second_approval_above=2)
    reopen()
    Publication.objects.update(second_approval_above=None)

    def comment_and_require(*args: Any, **kwargs: Any) -> Any:
        Comment.objects.create(issue=issue, text="Wait", at=NOW)
        return require_approval(*args, **kwargs)

    monkeypatch.setattr(reopen_uncovered, "require_approval", comment_and_require)
    assert restore_covered_issues(now=NOW) == []
    assert read(issue).state == Issue.State.IN_REVIEW


@pytest.mark.parametrize("why", ["closed", "role"])
def test_the_approval_of_somebody_who_may_not_approve_any_more_ends(issue: Issue, why: str) -> None:
    issue = approve(issue)
    make_approver("second@example.org")
    person = User.objects.get(email="approver@example.org")
    if why == "closed":
        User.objects.filter(pk=person.pk).update(is_active=False)
    else:
        person.user_permissions.clear()
        person.groups.clear()
    with pytest.raises(NotApproved, match=r"was approved by approver@example\.org, who may no longer approve issues"):
        require_approval(issue, now=NOW)
    assert reopen() == [issue]
    assert StaffNotice.objects.get().paragraphs[0].startswith(f"{issue} was approved by approver@example.org")
    page = sign_in("approver", email="third@example.org").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "The approval by approver@example.org no longer counts, because this person may no longer approve" in page
    assert issue.approvals.get().withdrawn_at is None
    User.objects.filter(pk=person.pk).update(is_active=True)
    if why == "closed":
        assert restore_covered_issues(now=NOW) == [issue]


def test_an_automatic_issue_needs_nobody_if_its_approver_left(issue: Issue) -> None:
    slot = Slot.objects.get()
    Publication.objects.update(approval="auto")
    issue = approve(read(issue))
    Issue.objects.update(slot=slot, announced_people=3, announced_audience=hash_audience(describe_audience(issue)))
    User.objects.update(is_active=False)
    assert reopen() == []
    Publication.objects.update(second_approval_above=2)
    assert reopen() == [read(issue)]


def test_the_second_approval_is_asked_for_again_if_one_person_left(issue: Issue) -> None:
    Publication.objects.update(second_approval_above=2)
    ann, bob = make_approver("ann@example.org"), make_approver("bob@example.org")
    for person in (ann, bob):
        approve_issue(issue=read(issue), by=person, now=NOW)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert reopen() == [issue]
    notify_second_approvals(now=NOW)
    assert StaffNotice.objects.get().paragraphs[0].startswith("bob@example.org has approved it.")


def test_nobody_is_counted_for_a_second_approval_that_cannot_be_the_first(
    issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job asks every ten seconds while somebody writes."""
    approve(issue)
    Publication.objects.update(second_approval_above=2)
    Issue.objects.update(state=Issue.State.IN_REVIEW)
    User.objects.update(is_active=False)

    def count(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("People were counted.")

    monkeypatch.setattr(approval_rules, "count_people", count)
    monkeypatch.setattr(approval_rules, "count_recipients", count)
    notify_second_approvals(now=NOW)
    assert not StaffNotice.objects.exists()


def test_two_outgrown_approvals_are_asked_for_again(issue: Issue, publication: Publication) -> None:
    Publication.objects.update(second_approval_above=2)
    ann, bob = make_approver("ann@example.org"), make_approver("bob@example.org")
    for person in (ann, bob):
        approve_issue(issue=read(issue), by=person, now=NOW)
    add_subscribers(publication, 40, start=100)
    assert reopen() == [issue]
    notify_second_approvals(now=NOW)
    assert read_subjects() == [f"{issue} needs a new approval"] * 2
    approve_issue(issue=read(issue), by=ann, now=NOW + timedelta(hours=1))
    notify_second_approvals(now=NOW + timedelta(hours=1))
    notice = StaffNotice.objects.get(person=bob, key__startswith="second-")
    assert notice.paragraphs[0].startswith("ann@example.org has approved it.")


def test_the_notice_names_the_approval_that_still_counts(issue: Issue, publication: Publication) -> None:
    Publication.objects.update(second_approval_above=2)
    ann, bob = make_approver("ann@example.org"), make_approver("bob@example.org")
    approve_issue(issue=read(issue), by=ann, now=NOW)
    notify_second_approvals(now=NOW)
    approve_issue(issue=read(issue), by=bob, now=NOW + timedelta(minutes=1))
    issue.approvals.filter(person=ann).update(people=40)
    add_subscribers(publication, 40, start=100)
    assert reopen() == [issue]
    notify_second_approvals(now=NOW)
    assert read_subjects() == [f"{issue} is waiting for a second approval"] * 2
    assert StaffNotice.objects.all()[0].paragraphs[0].startswith("ann@example.org has approved it.")


def test_an_issue_changed_while_people_are_counted_is_not_reopened(
    issue: Issue, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = approve(issue)
    add_subscribers(publication, 40, start=100)

    def hold_and_require(*args: Any, **kwargs: Any) -> Any:
        hold_issue(issue=issue, reason="Wait")
        return require_approval(*args, **kwargs)

    monkeypatch.setattr(reopen_uncovered, "require_approval", hold_and_require)
    assert reopen() == []
    assert read(issue).state == Issue.State.APPROVED


def test_a_new_rule_against_authors_is_shown_on_the_page(issue: Issue) -> None:
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
