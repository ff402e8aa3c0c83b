"""The API's calls for other systems that write pages: a part of a draft, a segment, and review. Nothing is approved."""

from typing import Any

import pytest
import time_machine
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter.issues.approval.void_changed import void_changed_approvals
from newsletter.models import Approval, Issue, Publication, StaffNotice
from subscribers.models import OutboundEvent, Segment
from tests.support.api import call, create_key, problem
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.webhooks import make_endpoint

pytestmark = pytest.mark.django_db
BOTH = "issues:read issues:write"


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    return make_issue(publication)


def note(heading: str) -> dict[str, object]:
    return {"type": "note", "value": {"heading": heading, "text": "<p>Text</p>"}}


def list_headings(answer: Any) -> list[str]:
    return [str(block["value"].get("heading", block["type"])) for block in answer.json()["blocks"]]


def test_a_part_is_added_at_the_end_and_replaced_in_place(issue: Issue) -> None:
    key, path = create_key(BOTH), f"issues/{issue.pk}"
    added = call("put", f"{path}/parts/page-1", {"blocks": [note("One"), note("Two")]}, key=key)
    assert list_headings(added) == ["lead_story", "One", "Two"]
    call("post", f"{path}/blocks", note("Of staff"), key=key)
    first = added.json()["blocks"][1]["id"]
    call("patch", f"{path}/blocks/{first}", {"after": "start"}, key=key)
    replaced = call("put", f"{path}/parts/page-1", {"blocks": [note("Three")]}, key=key)
    assert list_headings(replaced) == ["Three", "lead_story", "Of staff"]
    removed = call("put", f"{path}/parts/page-1", {"blocks": []}, key=key)
    assert list_headings(removed) == ["lead_story", "Of staff"]


def test_the_same_part_again_changes_nothing_and_parts_are_apart(issue: Issue) -> None:
    key, path = create_key(BOTH), f"issues/{issue.pk}"
    quote = {"blocks": [{"type": "quote", "value": {"text": "One"}}]}
    call("put", f"{path}/parts/page-1", quote, key=key)
    call("put", f"{path}/parts/page-2", {"blocks": [note("Two")]}, key=key)
    before = call("get", path, key=key).json()
    call("put", f"{path}/parts/page-1", quote, key=key)
    assert call("get", path, key=key).json() == before


def test_a_part_is_one_revision_and_a_bad_block_writes_none_of_it(issue: Issue) -> None:
    key, path, before = create_key(BOTH), f"issues/{issue.pk}/parts/page", issue.revisions.count()
    bad = {"blocks": [note("One"), {"type": "quote", "value": {}}]}
    assert "“Text” is empty" in problem(call("put", path, bad, key=key), 422)
    problem(call("put", path, {"blocks": [note("One")] * 101}, key=key), 422)
    assert issue.revisions.count() == before
    call("put", path, {"blocks": [note("One"), note("Two")]}, key=key)
    assert issue.revisions.count() == before + 1


def test_a_part_that_staff_changed_is_kept_for_a_caller_who_asks(issue: Issue) -> None:
    key, path = create_key(BOTH), f"issues/{issue.pk}"
    call("put", f"{path}/parts/page", {"blocks": [note("One")]}, key=key)
    etag = call("get", path, key=key).headers["ETag"]
    call("patch", path, {"subject": "Changed by staff"}, key=key)
    problem(call("put", f"{path}/parts/page", {"blocks": []}, key=key, if_match=etag), 412)


def test_an_issue_for_a_segment_says_so(issue: Issue) -> None:
    Segment.objects.create(slug="donors", name="Donors", rule={"giving": "donor"})
    key = create_key(BOTH)
    made = call("post", "issues", {"publication": "weekly", "beginning": "empty", "segment": "donors"}, key=key)
    assert made.json()["segment"] == "donors"
    assert Issue.objects.get(pk=made.json()["id"]).segment == Segment.objects.get()
    assert call("get", f"issues/{issue.pk}", key=key).json()["segment"] is None
    wrong = {"publication": "weekly", "beginning": "empty", "segment": "nobody"}
    assert "no segment “nobody”" in problem(call("post", "issues", wrong, key=key), 404)


def test_a_key_of_some_lists_makes_no_issue_for_a_segment(publication: Publication) -> None:
    Segment.objects.create(slug="donors", name="Donors", rule={"giving": "donor"})
    key = create_key(BOTH, lists=[publication.mailing_list])
    wanted = {"publication": "weekly", "beginning": "empty", "segment": "donors"}
    assert "all lists" in problem(call("post", "issues", wanted, key=key), 403)
    assert not Issue.objects.exists()


@pytest.mark.requirement("G5")
@time_machine.travel(NOW, tick=False)
def test_review_notifies_approvers_once_a_version(issue: Issue) -> None:
    approver = make_approver()
    key, path = create_key(BOTH, name="Web site"), f"issues/{issue.pk}"
    for _ in range(2):
        assert call("post", f"{path}/review", {}, key=key).json()["state"] == "in_review"
    notice = StaffNotice.objects.get()
    assert (notice.person, "waiting for approval" in notice.subject) == (approver, True)
    assert "API: Web site asks for your approval." in notice.paragraphs[0]
    call("patch", path, {"subject": "Another subject"}, key=key)
    call("post", f"{path}/review", {}, key=key)
    assert StaffNotice.objects.count() == 2
    assert not Approval.objects.exists()
    assert ModelLogEntry.objects.filter(action="newsletter.ask").count() == 3


@time_machine.travel(NOW, tick=False)
def test_review_proposes_a_time_that_has_not_passed(publication: Publication) -> None:
    key = create_key(BOTH)
    made = call("post", "issues", {"publication": "weekly", "beginning": "empty"}, key=key).json()
    path = f"issues/{made['id']}/review"
    assert "has passed" in problem(call("post", path, {"due": "2020-01-01T09:00"}, key=key), 409)
    assert "is not a date" in problem(call("post", path, {"due": "tomorrow"}, key=key), 422)
    proposed = call("post", path, {"due": "2099-01-01T09:00:00+00:00"}, key=key).json()
    assert (proposed["due_at"], proposed["state"]) == ("2099-01-01T09:00:00Z", "in_review")


def test_an_issue_in_review_without_an_approval_stays_there(issue: Issue) -> None:
    call("post", f"issues/{issue.pk}/review", {}, key=create_key(BOTH))
    assert void_changed_approvals(now=timezone.now()) == []
    issue.refresh_from_db()
    assert issue.state == "in_review"


def test_an_issue_of_the_schedule_keeps_its_time(issue: Issue) -> None:
    before = issue.due_at
    answer = call("post", f"issues/{issue.pk}/review", {"due": "2099-01-01T09:00"}, key=create_key(BOTH))
    assert "by the schedule" in problem(answer, 409)
    issue.refresh_from_db()
    assert (issue.due_at, issue.state) == (before, "draft")


def test_an_automatic_issue_is_not_stopped_by_a_review(issue: Issue) -> None:
    Publication.objects.update(approval=Publication.ApprovalPolicy.AUTO)
    assert "automatically" in problem(call("post", f"issues/{issue.pk}/review", {}, key=create_key(BOTH)), 409)
    issue.refresh_from_db()
    assert issue.state == "draft"


@pytest.mark.requirement("G5")
def test_an_approved_issue_is_not_handed_to_review_again(publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    answer = call("post", f"issues/{issue.pk}/review", {}, key=create_key(BOTH))
    assert "too late" in problem(answer, 409)
    assert Approval.objects.get().withdrawn_at is None


def test_a_webhook_hears_that_an_issue_waits(issue: Issue) -> None:
    make_endpoint()
    call("post", f"issues/{issue.pk}/review", {}, key=create_key(BOTH, name="Web site"))
    assert OutboundEvent.objects.filter(kind="issue.waiting").count() == 1
