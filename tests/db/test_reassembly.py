"""Assembling an issue again adds new content and keeps manual edits; the pickers give each reason."""

from datetime import timedelta

import pytest

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.issues.approval.approve import approve_issue, find_current_approval
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.reassemble import preview_reassembly, reassemble_issue
from newsletter.issues.assembly.selection_reasons import explain_candidates
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.models import EventNotice, Issue, Source, Story
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_appeal,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=2)


def make_draft(*, stories: int = 4, **publication) -> Issue:
    made = make_publication(stories=3, **publication)
    for number in range(stories):
        make_story(f"Story {number}", days_old=number + 1)
    make_event("A call", online=True)
    make_appeal()
    add_subscribers(made, 1)
    return make_issue(made)


def bring(title: str = "Told just now", **changes) -> Story:
    moment = NOW + timedelta(hours=1)
    return make_story(title, published_at=moment, seen_at=moment, **changes)


def again(issue: Issue):
    done = reassemble_issue(issue=issue, by=make_approver(), now=LATER)
    issue.refresh_from_db()
    return done


def titles_of(issue: Issue) -> list[str]:
    found = []
    for child in issue.body:
        if child.block_type == "lead_story":
            found.append(child.value["story"].title)
        if child.block_type == "stories":
            found += [value["story"].title for value in child.value["stories"]]
    return found


def edit(issue: Issue) -> Issue:
    """Return the issue as the editor loads it."""
    issue.save()
    issue.save_revision(log_action=False)
    return Issue.objects.get(pk=issue.pk)


def test_an_unedited_issue_is_replaced():
    issue = make_draft()
    bring()
    done = again(issue)
    assert titles_of(issue) == ["Told just now", "Story 0", "Story 1"]
    assert issue.subject == "Told just now"
    assert (done.added, done.removed, done.kept, done.changed) == (["Told just now"], ["Story 2"], [], True)
    assert set(issue.placements.values_list("story__title", flat=True)) == set(titles_of(issue))
    assert issue.get_latest_revision_as_object().subject == "Told just now"


def test_without_new_content_an_approval_stays():
    issue = make_draft()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    ids = [child.id for child in issue.body]
    done = again(issue)
    assert (done.added, done.removed, done.kept, done.changed) == ([], [], [], False)
    assert [child.id for child in issue.body] == ids
    assert issue.state == Issue.State.APPROVED
    assert find_current_approval(issue) is not None
    bring()
    again(issue)
    assert issue.state == Issue.State.DRAFT
    assert find_current_approval(issue) is None


def test_an_edited_headline_and_subject_stay():
    issue = make_draft()
    issue.subject = "Our own subject"
    issue.body[0].value["headline"] = "Our own headline"
    issue = edit(issue)
    bring()
    done = again(issue)
    assert issue.subject == "Our own subject"
    assert issue.body[0].value["headline"] == "Our own headline"
    assert titles_of(issue) == ["Story 0", "Told just now", "Story 1"]
    assert done.kept == ["the subject", "your choice of stories and your texts for them"]


def test_an_edited_link_stays_with_its_story():
    issue = make_draft()
    issue.body[0].value["link"] = "https://example.org/donate/"
    issue = edit(issue)
    bring()
    again(issue)
    assert issue.body[0].value["link"] == "https://example.org/donate/"


def test_added_stories_stay_and_removed_ones_stay_out():
    issue = make_draft()
    by_hand = make_story("Put in by hand", days_old=90)
    stories = issue.body[1].value["stories"]
    stories[0]["story"] = by_hand
    issue = edit(issue)
    bring()
    again(issue)
    assert titles_of(issue) == ["Told just now", "Put in by hand", "Story 0"]
    again(issue)
    assert titles_of(issue) == ["Told just now", "Put in by hand", "Story 0"]


def test_removed_blocks_stay_out_and_written_ones_stay():
    issue = make_draft()
    kinds = [child.block_type for child in issue.body]
    assert "appeal" in kinds
    del issue.body[kinds.index("appeal")]
    issue.body.insert(0, ("note", {"heading": "A word first", "text": "<p>By hand.</p>"}))
    issue = edit(issue)
    bring()
    again(issue)
    after = [child.block_type for child in issue.body]
    assert after[0] == "note"
    assert "appeal" not in after
    assert issue.body[0].value["heading"] == "A word first"


def test_the_order_of_moved_blocks_stays():
    issue = make_draft()
    issue.body.append(issue.body.pop(0))
    issue = edit(issue)
    bring()
    again(issue)
    assert issue.body[-1].block_type == "lead_story"
    assert issue.body[-1].value["story"].title == "Told just now"


def test_an_edited_list_of_events_loses_old_and_gains_new_ones():
    issue = make_draft()
    taken_out = make_event("Taken out", online=True, days_ahead=9)
    again(issue)
    events = next(child for child in issue.body if child.block_type == "events").value["events"]
    assert [event.title for event in events] == ["A call", "Taken out"]
    events.pop(1)
    issue = edit(issue)
    make_event("A vigil", online=True, days_ahead=11)
    EventNotice.objects.filter(title="A call").update(cancelled=True)
    done = again(issue)
    events = next(child for child in issue.body if child.block_type == "events").value["events"]
    assert [event.title for event in events] == ["A vigil"]
    assert done.kept == ["your choice of events"]
    assert taken_out not in list(events)


def test_a_new_kind_of_block_is_inserted_in_order():
    made = make_publication(stories=3)
    make_story("Story 0")
    issue = make_issue(made)
    make_event("A call", online=True)
    make_story("Story 1", days_old=2)
    make_appeal()
    again(issue)
    assert [child.block_type for child in issue.body] == ["lead_story", "stories", "events", "appeal"]


def test_an_issue_keeps_its_stories_while_a_later_slot_is_open():
    issue = make_draft()
    before = titles_of(issue)
    later = NOW + timedelta(hours=1)
    assemble_slot(slot=get_or_create_slot(publication=issue.publication, due="2026-03-12T09:00", now=later), now=later)
    done = again(issue)
    assert titles_of(issue) == before
    assert (done.added, done.removed) == ([], [])


def test_assembling_again_never_empties_an_issue():
    issue = make_draft()
    before = titles_of(issue)
    Source.objects.update(last_success_at=LATER - timedelta(days=30))
    with pytest.raises(WrongState, match="would have no story now, so it stays as it is"):
        again(issue)
    issue.refresh_from_db()
    assert titles_of(issue) == before


def test_a_preview_changes_nothing_and_names_what_it_saw():
    issue = make_draft()
    bring()
    seen = preview_reassembly(issue=issue, now=LATER)
    assert (seen.added, seen.removed) == (["Told just now"], ["Story 2"])
    issue.refresh_from_db()
    assert titles_of(issue) == ["Story 0", "Story 1", "Story 2"]
    bring("Told even later")
    with pytest.raises(WrongState, match="changed after you opened the page"):
        reassemble_issue(issue=issue, by=make_approver(), now=LATER, seen_sha256=seen.sha256)
    seen = preview_reassembly(issue=issue, now=LATER)
    reassemble_issue(issue=issue, by=make_approver(), now=LATER, seen_sha256=seen.sha256)
    issue.refresh_from_db()
    assert "Told even later" in titles_of(issue)


def test_the_next_story_replaces_a_withdrawn_lead():
    issue = make_draft()
    Story.objects.filter(title="Story 0").update(withdrawn_at=NOW)
    again(issue)
    assert titles_of(issue) == ["Story 1", "Story 2", "Story 3"]


def test_sent_issues_and_people_without_the_right_are_refused():
    issue = make_draft()
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENDING)
    with pytest.raises(WrongState, match="too late"):
        again(issue)
    Issue.objects.filter(pk=issue.pk).update(reasons=[])
    with pytest.raises(WrongState, match="not assembled from the sources"):
        again(issue)
    nobody = make_approver("nobody@example.org")
    nobody.user_permissions.clear()
    with pytest.raises(NotAllowed, match="may not edit issues"):
        reassemble_issue(issue=issue, by=type(nobody).objects.get(pk=nobody.pk), now=LATER)


def test_the_pickers_give_the_reason_of_each_candidate():
    issue = make_draft()
    make_story("Very old", days_old=90)
    stories = issue.body[1].value["stories"]
    stories[0]["story"] = Story.objects.get(title="Very old")
    issue = edit(issue)
    bring()
    why = {reason.title: (reason.chosen, reason.why) for reason in explain_candidates(issue, now=LATER)}
    assert why["Story 0"] == (True, "newest")
    assert why["Story 1"] == (False, "removed by hand")
    assert why["Story 3"] == (False, "left out: waits for the next issue: the limit of stories in this one is 3")
    assert why["Very old"] == (
        True,
        "added by hand; by the rules left out: too old: it was more than 30 days old when it was new here",
    )
    assert why["Told just now"] == (False, "arrived after the issue was assembled")
    assert why["Story 2"][0]
