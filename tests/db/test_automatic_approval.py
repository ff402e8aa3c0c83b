"""Automatic issues follow the rules of approval, and staff are notified of the number of recipients."""

from datetime import timedelta

import pytest
from django.utils import translation

from newsletter.common.errors import NeedsManualApproval, NotApproved
from newsletter.common.translation import translate
from newsletter.issues.approval.approval_rules import is_sent_automatically
from newsletter.issues.approval.approve import approve_by_policy, approve_issue
from newsletter.issues.approval.reopen_uncovered import notify_waiting_automatic_issues
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.overdue import find_overdue
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.jobs.notices.about_issues import notify_assembly
from newsletter.jobs.scheduler_jobs import start_due_sends
from newsletter.models import ContentEdit, Issue, Publication, Send, StaffNotice, Story
from newsletter.sending.freezing.start import start_send
from subscribers.models import Segment
from tests.support.fixtures import DUE, LONDON, NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db(transaction=True)
SLOT = NOW + timedelta(days=1)


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 20, where=LONDON)
    Publication.objects.update(approval="auto")
    return make_issue(Publication.objects.get())


def read(issue: Issue) -> Issue:
    return Issue.objects.select_related("publication", "slot").get(pk=issue.pk)


def test_the_notice_names_the_announced_number_of_people(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 20)
    make_approver()
    Publication.objects.update(approval="auto")
    slot = get_or_create_slot(publication=Publication.objects.get(), due=DUE, now=NOW)
    assembly = assemble_slot(slot=slot, now=NOW)
    notify_assembly(assembly, now=NOW)
    assert assembly.issue is not None
    assert assembly.issue.announced_people == 20
    paragraphs = StaffNotice.objects.get().paragraphs
    assert "will be sent on 5 March 2026 at 09:00 (Europe/London) unless somebody holds it." in paragraphs[0]
    with translation.override("es"):
        assert "5 de marzo de 2026" in translate(paragraphs[0])
    assert paragraphs[2] == "It goes to 20 people."


def test_a_large_automatic_issue_waits_and_says_why(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 20)
    ann, bob = make_approver("ann@example.org"), make_approver("bob@example.org")
    Publication.objects.update(approval="auto", second_approval_above=19)
    assembly = assemble_slot(slot=get_or_create_slot(publication=Publication.objects.get(), due=DUE, now=NOW), now=NOW)
    notify_assembly(assembly, now=NOW)
    notify_waiting_automatic_issues(now=NOW)
    notices = StaffNotice.objects.all()
    assert [notice.person for notice in notices] == [ann, bob]
    first = notices[0].paragraphs
    assert "is waiting for approval" in first[0]
    assert first[2] == "It goes to 20 people. Two people must approve an issue that goes to more than 19."
    issue = assembly.issue
    assert issue is not None
    for _ in range(2):
        start_due_sends(now=SLOT)
    assert (read(issue).state, read(issue).held, Send.objects.count()) == ("in_review", False, 0)
    assert StaffNotice.objects.filter(key__startswith="waits-").count() == 2
    assert not find_overdue(now=SLOT + timedelta(hours=1)).exists()
    approve_issue(issue=read(issue), by=ann, now=SLOT)
    start_due_sends(now=SLOT)
    assert not Send.objects.exists()
    approve_issue(issue=read(issue), by=bob, now=SLOT)
    start_due_sends(now=SLOT)
    assert Send.objects.get().recipients == 20


def test_a_small_automatic_issue_is_sent(issue: Issue) -> None:
    Publication.objects.update(second_approval_above=20)
    start_due_sends(now=SLOT)
    assert Send.objects.get().recipients == 20


def test_it_waits_if_the_segment_changed_after_the_notice(issue: Issue) -> None:
    Publication.objects.update(segment=Segment.objects.create(slug="all", name="All", rule={}))
    assert not is_sent_automatically(read(issue))
    with pytest.raises(NeedsManualApproval, match="Its list or segment changed after staff were notified"):
        approve_by_policy(issue=read(issue), now=NOW)
    start_due_sends(now=SLOT)
    assert not Send.objects.exists()


def test_it_waits_if_the_audience_grew_far_beyond_the_notice(issue: Issue) -> None:
    add_subscribers(issue.publication, 20, start=100)
    assert is_sent_automatically(read(issue))
    add_subscribers(issue.publication, 1, start=120)
    with pytest.raises(NeedsManualApproval, match=r"The notice to staff said 20 people\. Now it would go to 41 people"):
        approve_by_policy(issue=read(issue), now=NOW)
    start_due_sends(now=SLOT)
    assert not Send.objects.exists()
    approve_issue(issue=read(issue), by=make_approver(), now=SLOT)
    start_due_sends(now=SLOT)
    assert Send.objects.get().recipients == 41


def test_it_waits_if_no_number_was_announced(issue: Issue) -> None:
    Issue.objects.update(announced_people=None, announced_audience="")
    start_due_sends(now=SLOT)
    assert (read(issue).state, Send.objects.count()) == ("in_review", 0)


def test_an_edited_issue_waits_for_another_approver(issue: Issue) -> None:
    writer, other = make_approver("ann@example.org"), make_approver("bob@example.org")
    Publication.objects.update(another_approves=True)
    assert is_sent_automatically(read(issue))
    ContentEdit.objects.create(kind="newsletter.story", row_id=Story.objects.get().pk, person=writer, at=NOW)
    assert not is_sent_automatically(read(issue))
    start_due_sends(now=SLOT)
    assert not Send.objects.exists()
    approve_issue(issue=read(issue), by=other, now=SLOT)
    start_due_sends(now=SLOT)
    assert Send.objects.get().recipients == 20


@pytest.mark.parametrize("rule", [{"approval": "approve"}, {"second_approval_above": 5}])
def test_a_stricter_rule_voids_an_automatic_approval(issue: Issue, rule: dict[str, object]) -> None:
    approve_by_policy(issue=read(issue), now=NOW)
    Publication.objects.update(**rule)
    with pytest.raises(NotApproved):
        start_send(issue=read(issue), now=NOW)
    assert not Send.objects.exists()
