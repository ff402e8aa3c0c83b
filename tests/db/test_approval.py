"""Approvals by two people, approvals by authors, and the links to decisions."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from newsletter.common.errors import BadLink, NeedsManualApproval, NotAllowed, NotApproved
from newsletter.issues.approval.approve import approve_by_policy, approve_issue, require_approval
from newsletter.issues.approval.decision_links import LIFETIME, make_decision_url, read_decision
from newsletter.issues.approval.void_changed import void_changed_approvals
from newsletter.jobs.notices.about_issues import notify_second_approvals
from newsletter.models import Issue, Publication, StaffNotice
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    return make_issue(publication)


def ask_for(issue: Issue, **rules: object) -> Issue:
    Publication.objects.update(**rules)
    return Issue.objects.select_related("publication").get(pk=issue.pk)


def write(issue: Issue, *, by: User, subject: str = "Another subject") -> None:
    issue.subject = subject
    issue.save()
    issue.save_revision(user=by)


@pytest.mark.requirement("G7")
def test_an_editor_cannot_approve_if_another_approver_is_required(issue: Issue) -> None:
    issue = ask_for(issue, another_approves=True)
    writer, other, third = (make_approver(f"{name}@example.org") for name in ("writer", "other", "third"))
    write(issue, by=writer)
    write(issue, by=other, subject="A third one")
    for person in (writer, other):
        with pytest.raises(NotAllowed, match="wrote or edited The weekly letter"):
            approve_issue(issue=issue, by=person, now=NOW)
    assert approve_issue(issue=issue, by=third, now=NOW).person == third
    assert issue.state == "approved"


def test_an_editor_may_approve_if_no_other_approver_is_required(issue: Issue) -> None:
    person = make_approver()
    write(issue, by=person)
    approve_issue(issue=issue, by=person, now=NOW)
    assert issue.state == "approved"


@pytest.mark.parametrize(("above", "state"), [(2, "in_review"), (3, "approved"), (None, "approved")])
def test_a_large_audience_needs_a_second_approval(issue: Issue, above: int | None, state: str) -> None:
    issue = ask_for(issue, second_approval_above=above)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert issue.state == state


@pytest.mark.django_db(transaction=True)
def test_two_approvals_must_come_from_two_people(issue: Issue) -> None:
    issue = ask_for(issue, second_approval_above=2)
    for _ in range(2):
        approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert issue.state == "in_review"
    with pytest.raises(NotApproved, match="The weekly letter needs a second approval"):
        require_approval(issue)
    with pytest.raises(NotApproved, match="1 of 2 people have approved it"):
        start_send(issue=issue, now=NOW)
    approve_issue(issue=issue, by=make_approver("second@example.org"), now=NOW)
    assert issue.state == "approved"
    assert start_send(issue=issue, now=NOW).recipients == 3


def test_growth_after_an_approval_can_need_a_second_one(issue: Issue) -> None:
    """The number at the freeze counts, not the number at the click."""
    issue = ask_for(issue, second_approval_above=3)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    add_subscribers(issue.publication, 1, start=3)
    with pytest.raises(NotApproved, match="goes to 4 people"):
        start_send(issue=issue, now=NOW)
    assert not issue.sends.exists()


def test_an_edit_between_two_approvals_voids_the_first(issue: Issue) -> None:
    issue = ask_for(issue, second_approval_above=2)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    write(issue, by=make_approver("writer@example.org"))
    assert [voided for voided, _ in void_changed_approvals(now=NOW)] == [issue]
    issue.refresh_from_db()
    assert issue.state == "draft"
    approve_issue(issue=issue, by=make_approver("second@example.org"), now=NOW)
    assert issue.state == "in_review"


def test_a_small_automatic_issue_needs_no_person(issue: Issue) -> None:
    issue = ask_for(issue, second_approval_above=3, approval="auto")
    approve_by_policy(issue=issue, now=NOW)
    assert issue.state == "approved"
    assert require_approval(issue).by_policy


@pytest.mark.django_db(transaction=True)
def test_a_large_automatic_issue_waits_for_two_people(issue: Issue) -> None:
    issue = ask_for(issue, second_approval_above=2, approval="auto")
    with pytest.raises(
        NeedsManualApproval, match=r"It goes to 3 people\. Two people must approve an issue that goes to more than 2"
    ):
        approve_by_policy(issue=issue, now=NOW)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert issue.state == "in_review"
    approve_issue(issue=issue, by=make_approver("second@example.org"), now=NOW)
    assert issue.state == "approved"
    assert start_send(issue=issue, now=NOW).recipients == 3


def test_approvers_are_notified_once_of_a_missing_approval(issue: Issue) -> None:
    issue = ask_for(issue, second_approval_above=2)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    make_approver("second@example.org")
    for _ in range(2):
        notify_second_approvals(now=NOW)
    notices = StaffNotice.objects.filter(key__startswith="second-")
    assert notices.count() == 2
    assert len({notice.link for notice in notices}) == 2
    assert "/admin/decide/" in notices[0].link


def test_approvers_are_notified_again_if_the_first_approval_is_outgrown(issue: Issue, publication: Publication) -> None:
    issue = ask_for(issue, second_approval_above=2)
    first, second = make_approver(), make_approver("second@example.org")
    approve_issue(issue=issue, by=first, now=NOW)
    notify_second_approvals(now=NOW)
    add_subscribers(publication, 40, start=100)
    approve_issue(issue=issue, by=second, now=NOW)
    notify_second_approvals(now=NOW)
    assert issue.state == "in_review"
    newest = StaffNotice.objects.filter(person=first, key__startswith="second-").latest("pk")
    assert newest.paragraphs[0].startswith("second@example.org has approved it.")


@pytest.mark.requirement("K2")
@pytest.mark.requirement("K3")
def test_a_decision_link_is_for_one_person_and_one_version_and_expires(issue: Issue) -> None:
    url = make_decision_url(issue=issue.public_id, sha256="ab" * 32, person=7, now=NOW)
    token = url.rstrip("/").rpartition("/")[2]
    decision = read_decision(token, person=7, now=NOW + LIFETIME - timedelta(seconds=1))
    assert (decision.issue, decision.sha256) == (issue.public_id, "abababababababab")
    assert "7" not in token.split(".")
    for altered in (token[:-1] + "x", token.replace("abab", "cdcd", 1), "", "a.b.c", token.rpartition(".")[0]):
        with pytest.raises(BadLink, match="another member of staff"):
            read_decision(altered, person=7, now=NOW)
    with pytest.raises(BadLink, match="another member of staff"):
        read_decision(token, person=8, now=NOW)
    with pytest.raises(BadLink, match="expired after 14 days"):
        read_decision(token, person=7, now=NOW + LIFETIME + timedelta(seconds=1))
