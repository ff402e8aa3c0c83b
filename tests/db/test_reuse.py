"""Saved blocks and templates: what they keep, what they leave out, and what an issue made with them has."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from newsletter.common.errors import NotAllowed, NotFound, NotReady, WrongState
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.issues.reuse.saved_blocks import insert_block, save_block
from newsletter.issues.reuse.templates import delete_saved, rename_saved, save_template
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, IssueTemplate, Publication, SavedBlock, StoryPlacement
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_event, make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def by() -> User:
    return make_approver("ann@example.org")


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The first verdict")
    make_story("The second verdict")
    make_event("An evening of letters", online=True)
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    raw = issue.body.get_prep_value()
    note = {"type": "note", "value": {"heading": "Dear friends", "text": "<p>Welcome.</p>"}}
    issue.body = issue.body.stream_block.to_python([note, *raw])
    issue.layout, issue.headline = "announcement", "Our news"
    issue.save()
    issue.save_revision(log_action=False)
    return Issue.objects.get()


def kinds(issue: Issue) -> list[str]:
    return [block.block_type for block in issue.body]


def save_note(issue: Issue, by: User, *, name: str = "Greeting") -> SavedBlock:
    return save_block(issue=issue, block=issue.body[0].id, name=name, by=by, now=NOW)


@pytest.mark.parametrize("position", ["start", "end", "after"])
def test_a_saved_block_is_inserted_at_the_chosen_position(issue: Issue, by: User, position: str) -> None:
    saved = save_note(issue, by)
    before, revisions = kinds(issue), issue.revisions.count()
    index = {"start": 0, "end": len(before), "after": 2}[position]
    place = issue.body[1].id if position == "after" else position
    insert_block(issue=issue, saved=saved, position=place, by=by, now=NOW)
    issue = Issue.objects.get()
    assert kinds(issue) == [*before[:index], "note", *before[index:]]
    assert issue.body[index].value["heading"] == "Dear friends"
    assert len({block.id for block in issue.body}) == len(before) + 1
    assert issue.revisions.count() == revisions + 1
    assert issue.revisions.latest("pk").user == by


def test_a_saved_block_is_a_copy(issue: Issue, by: User) -> None:
    saved = save_note(issue, by)
    issue.body[0].value["heading"] = "Dear all"
    issue.save()
    saved.refresh_from_db()
    assert saved.body[0].value["heading"] == "Dear friends"
    delete_saved(row=saved, by=by)
    assert Issue.objects.get().body[0].value["heading"] == "Dear all"


def test_nothing_is_inserted_into_an_approved_issue(issue: Issue, by: User) -> None:
    saved = save_note(issue, by)
    approve_issue(issue=issue, by=by, now=NOW)
    with pytest.raises(WrongState, match="Withdraw the approval in its editor first"):
        insert_block(issue=issue, saved=saved, position="end", by=by, now=NOW)
    Issue.objects.update(state="sent")
    with pytest.raises(WrongState, match="too late"):
        insert_block(issue=issue, saved=saved, position="end", by=by, now=NOW)


def test_a_block_that_is_gone_is_neither_saved_nor_a_position(issue: Issue, by: User) -> None:
    with pytest.raises(NotFound, match="was deleted"):
        save_block(issue=issue, block="gone", name="Greeting", by=by, now=NOW)
    saved = save_note(issue, by)
    with pytest.raises(NotFound, match="Choose another position"):
        insert_block(issue=issue, saved=saved, position="gone", by=by, now=NOW)


def test_names_are_not_empty_and_not_given_twice(issue: Issue, by: User) -> None:
    saved = save_note(issue, by)
    with pytest.raises(NotReady, match="Give it a name"):
        save_note(issue, by, name=" ")
    with pytest.raises(WrongState, match="“Greeting” is there already"):
        save_note(issue, by)
    rename_saved(row=saved, name="Greeting", by=by)
    rename_saved(row=saved, name="Hello", by=by)
    assert SavedBlock.objects.get().name == "Hello"
    for model in (SavedBlock, IssueTemplate):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.create(
                name="", made_at=NOW, **({} if model is SavedBlock else {"publication": issue.publication})
            )


def test_a_template_keeps_texts_and_leaves_out_the_week(issue: Issue, by: User) -> None:
    template = save_template(issue=issue, name="Announcement", by=by, now=NOW)
    assert (template.layout, template.headline) == ("announcement", "Our news")
    kept = {block["type"]: block["value"] for block in template.body.get_prep_value()}
    assert kept["note"]["heading"] == "Dear friends"
    assert kept["lead_story"]["story"] is None
    assert (kept["stories"]["stories"], kept["events"]["events"]) == ([], [])


def test_a_new_issue_from_a_template_has_the_content_of_now(issue: Issue, by: User, publication: Publication) -> None:
    template = save_template(issue=issue, name="Announcement", by=by, now=NOW)
    make_story("The third verdict", seen_at=NOW)
    made = create_issue(
        publication=publication, beginning=Beginning.TEMPLATE, original=template, by=by, now=NOW, public_id="a" * 24
    )
    assert (made.layout, made.headline, made.state) == ("announcement", "Our news", "draft")
    assert "The third verdict" in made.subject
    assert [story.title for story in resolve_content(Issue.objects.get(pk=made.pk)).stories] == ["The third verdict"]
    assert kinds(made)[:2] == ["note", "lead_story"]
    assert "stories" not in kinds(made)
    assert StoryPlacement.objects.filter(issue=made).count() == 1


def test_a_template_without_new_content_begins_with_its_texts(issue: Issue, by: User, publication: Publication) -> None:
    template = save_template(issue=issue, name="Announcement", by=by, now=NOW)
    made = create_issue(publication=publication, beginning=Beginning.TEMPLATE, original=template, by=by, now=NOW)
    assert "note" in kinds(made)
    assert "lead_story" not in kinds(made)
    with pytest.raises(NotReady, match="Choose the template"):
        create_issue(publication=publication, beginning=Beginning.TEMPLATE, by=by, now=NOW)


def test_only_staff_who_edit_issues_save_and_insert(issue: Issue, by: User) -> None:
    saved, other = save_note(issue, by), User.objects.create(username="zoe@example.org")
    for call in (
        lambda: save_note(issue, other, name="Mine"),
        lambda: insert_block(issue=issue, saved=saved, position="end", by=other, now=NOW),
        lambda: save_template(issue=issue, name="Mine", by=other, now=NOW),
        lambda: rename_saved(row=saved, name="Mine", by=other),
        lambda: delete_saved(row=saved, by=other),
    ):
        with pytest.raises(NotAllowed, match="may not edit issues"):
            call()
