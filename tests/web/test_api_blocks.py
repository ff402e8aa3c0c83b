"""The API's calls about the blocks and the rehearsal of a draft: own words are written, approvals and stories never."""

from typing import Any

import pytest
import time_machine
from wagtail.models import ModelLogEntry

from newsletter.models import Approval, Issue, Publication
from subscribers.models import Topic
from tests.support.api import call, create_key, problem
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story
from tests.support.people import make_list, make_member

pytestmark = pytest.mark.django_db
BOTH = "issues:read issues:write"
NOTE = {"type": "note", "value": {"heading": "Thank you", "text": "<p>For <b>everything</b>.</p>"}}


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    return make_issue(publication)


def list_types(answer: Any) -> list[str]:
    return [block["type"] for block in answer.json()["blocks"]]


def test_a_block_of_own_words_is_added_changed_moved_and_deleted(issue: Issue) -> None:
    key, path = create_key(BOTH), f"issues/{issue.pk}"
    made = call("post", f"{path}/blocks", NOTE, key=key)
    assert made.status_code == 201, made.content
    assert list_types(made) == ["lead_story", "note"]
    block = made.json()["blocks"][1]
    assert block["value"]["heading"] == "Thank you"
    changed = call("patch", f"{path}/blocks/{block['id']}", {"value": {"heading": "Thanks"}, "after": "start"}, key=key)
    assert list_types(changed) == ["note", "lead_story"]
    value = changed.json()["blocks"][0]["value"]
    assert (value["heading"], "everything" in value["text"]) == ("Thanks", True)
    assert call("delete", f"{path}/blocks/{block['id']}", key=key).status_code == 204
    assert list_types(call("get", path, key=key)) == ["lead_story"]


def test_a_change_of_blocks_is_a_revision_and_is_logged(issue: Issue) -> None:
    before = issue.revisions.count()
    call("post", f"issues/{issue.pk}/blocks", NOTE, key=create_key(BOTH, name="Assistant"))
    issue.refresh_from_db()
    assert issue.revisions.count() == before + 1
    assert "Thank you" in issue.latest_revision.content["body"]
    logged = ModelLogEntry.objects.get(action="wagtail.edit")
    assert (logged.data["key"], logged.data["fields"]) == ("Assistant", ["body"])


def test_a_changed_draft_is_not_overwritten(issue: Issue) -> None:
    key, path = create_key(BOTH), f"issues/{issue.pk}"
    etag = call("get", path, key=key).headers["ETag"]
    call("post", f"{path}/blocks", NOTE, key=key, if_match=etag)
    block = call("get", path, key=key).json()["blocks"][1]["id"]
    problem(call("post", f"{path}/blocks", NOTE, key=key, if_match=etag), 412)
    problem(call("patch", f"{path}/blocks/{block}", {"after": "start"}, key=key, if_match=etag), 412)
    problem(call("delete", f"{path}/blocks/{block}", key=key, if_match=etag), 412)
    assert list_types(call("get", path, key=key)) == ["lead_story", "note"]


@pytest.mark.requirement("G5")
def test_the_blocks_of_an_approved_issue_do_not_change(publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    issue, key = make_issue(publication, approved=True), create_key(BOTH)
    path = f"issues/{issue.pk}/blocks"
    problem(call("post", path, NOTE, key=key), 409)
    problem(call("delete", f"{path}/{issue.body[0].id}", key=key), 409)
    problem(call("patch", f"{path}/{issue.body[0].id}", {"after": "start"}, key=key), 409)
    issue.refresh_from_db()
    assert (issue.state, len(issue.body)) == ("approved", 1)
    assert Approval.objects.get().withdrawn_at is None


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ({"type": "lead_story", "value": {"story": 1}}, "no block of own words"),
        ({"type": "best_story", "value": {}}, "no block of own words"),
        ({"type": "poem", "value": {}}, "no block of own words"),
        ({"type": "quote", "value": {}}, "“Text” is empty"),
        ({"type": "quote", "value": {"text": "x" * 601}}, "at most 600"),
        ({"type": "quote", "value": {"text": "x", "colour": "red"}}, "“colour” is no field"),
        ({"type": "quote", "value": {"text": 5}}, "“text” is no text"),
        ({"type": "quote", "value": {"text": ["x"]}}, "another form"),
        ({"type": "button", "value": {"label": "Go", "url": "javascript:alert(1)"}}, "web address"),
        ({"type": "button", "value": {"label": "Go", "url": "example"}}, "web address"),
        ({"type": "related", "value": {"links": [{"title": "x"}]}}, "“Address” is empty"),
        (
            {"type": "note", "value": {"text": "x", "show_to": {"language": "x" * 500}}},
            "“show_to.language” is one of: en",
        ),
        ({"type": "note", "value": {"text": "x", "show_to": {"language": "xx"}}}, "“show_to.language” is one of: en"),
        ({"type": "note", "value": {"text": "x", "show_to": {"giving": "often"}}}, "“show_to.giving” is one of: none"),
        ({"type": "note", "value": {"text": "x", "show_to": {"segment": "gone"}}}, "was deleted"),
        ({"type": "note", "value": {"heading": "Two\nlines", "text": "x"}}, "“heading” holds line breaks"),
        (
            {"type": "related", "value": {"links": [{"title": "A\rB", "url": "https://example.org/"}]}},
            "“title” holds line",
        ),
        ({"type": "quote", "value": {"text": "  "}}, "“Text” is empty"),
    ],
)
def test_a_block_that_cannot_be_sent_is_refused(issue: Issue, block: dict[str, object], why: str) -> None:
    answer = call("post", f"issues/{issue.pk}/blocks", block, key=create_key(BOTH))
    assert why in problem(answer, 422)
    issue.refresh_from_db()
    assert len(issue.body) == 1


def test_a_block_keeps_a_language_that_is_not_offered_any_more(issue: Issue) -> None:
    raw = issue.body.get_prep_value()
    show_to = {"segment": "", "topic": "", "language": "xx", "giving": "", "attribute": "", "attribute_value": ""}
    raw.append({"type": "note", "id": "a-note", "value": {"heading": "", "text": "<p>Hi</p>", "show_to": show_to}})
    issue.body = issue.body.stream_block.to_python(raw)
    issue.save()
    change = {"value": {"heading": "Hello", "show_to": show_to}}
    answer = call("patch", f"issues/{issue.pk}/blocks/a-note", change, key=create_key(BOTH))
    assert answer.status_code == 200, answer.content
    assert answer.json()["blocks"][1]["value"]["show_to"]["language"] == "xx"


def test_a_stored_line_with_a_break_does_not_stop_other_changes(issue: Issue) -> None:
    key, path = create_key(BOTH), f"issues/{issue.pk}"
    call("post", f"{path}/blocks", NOTE, key=key)
    issue.refresh_from_db()
    raw = issue.body.get_prep_value()
    raw[1]["value"]["heading"] = "Two\nlines"
    issue.body = issue.body.stream_block.to_python(raw)
    issue.save()
    change = {"value": {"heading": "Two\nlines", "text": "<p>New words.</p>"}}
    assert call("patch", f"{path}/blocks/{raw[1]['id']}", change, key=key).status_code == 200
    change["value"]["heading"] = "Three\nmore\nlines"
    assert "line breaks" in problem(call("patch", f"{path}/blocks/{raw[1]['id']}", change, key=key), 422)


def test_fields_left_out_are_empty_and_every_block_becomes_a_mail(issue: Issue) -> None:
    key, path = create_key(BOTH), f"issues/{issue.pk}"
    words = {"text": "Some words", "heading": "Some words", "label": "Go", "url": "https://example.org/", "links": []}
    for row in call("get", "block-types", key=key).json()["types"]:
        needed = {name: words[name] for name in row["fields"] if name in words}
        made = call("post", f"{path}/blocks", {"type": row["type"], "value": needed}, key=key)
        if made.status_code == 422:
            assert "is empty" in made.json()["detail"], (row["type"], made.content)
    assert len(call("get", path, key=key).json()["blocks"]) > 5
    assert call("post", f"{path}/check", key=key).status_code == 200


def test_a_text_keeps_only_the_markup_that_the_editor_offers(issue: Issue) -> None:
    html = '<p>Safe <script>alert(1)</script><a href="javascript:x()">a</a> <a href="https://example.org/">b</a></p><h1>c</h1>'
    answer = call("post", f"issues/{issue.pk}/blocks", {"type": "note", "value": {"text": html}}, key=create_key(BOTH))
    text = answer.json()["blocks"][1]["value"]["text"]
    assert 'href="https://example.org/"' in text
    assert not any(bad in text for bad in ("<script", "javascript:", "<h1"))


def test_a_block_that_is_gone_is_404(issue: Issue) -> None:
    key, path = create_key(BOTH), f"issues/{issue.pk}/blocks"
    problem(call("delete", f"{path}/gone", key=key), 404)
    problem(call("patch", f"{path}/gone", {"after": "end"}, key=key), 404)
    problem(call("post", path, {**NOTE, "after": "gone"}, key=key), 404)


def test_a_story_is_moved_and_never_changed(issue: Issue) -> None:
    key, path = create_key(BOTH), f"issues/{issue.pk}"
    call("post", f"{path}/blocks", NOTE, key=key)
    story = call("get", path, key=key).json()["blocks"][0]["id"]
    assert "no block of own words" in problem(
        call("patch", f"{path}/blocks/{story}", {"value": {"headline": "Other"}}, key=key), 422
    )
    moved = call("patch", f"{path}/blocks/{story}", {"after": "end"}, key=key)
    assert list_types(moved) == ["note", "lead_story"]


def test_the_block_types_name_their_fields() -> None:
    types = {row["type"]: row["fields"] for row in call("get", "block-types", key=create_key(BOTH)).json()["types"]}
    assert types["quote"] == ["text", "who", "note", "show_to"]
    assert not {"lead_story", "stories", "events", "appeal", "picture", "best_story"} & types.keys()


def test_a_key_of_other_lists_changes_no_block(issue: Issue) -> None:
    key = create_key(BOTH, lists=[make_list("board")])
    problem(call("post", f"issues/{issue.pk}/blocks", NOTE, key=key), 404)
    problem(call("get", f"issues/{issue.pk}/rehearsal", key=key), 404)


@time_machine.travel(NOW, tick=False)
def test_a_rehearsal_counts_recipients_and_stores_nothing(issue: Issue) -> None:
    events = Topic.objects.create(slug="events", name="Events")
    person = make_member(issue.publication.mailing_list, "ada@example.org")
    person.topics.add(events)
    answer = call("get", f"issues/{issue.pk}/rehearsal", key=create_key(BOTH))
    numbers = answer.json()
    assert answer.status_code == 200, numbers
    assert numbers["recipients"] == 3
    assert numbers["candidates"] == numbers["recipients"] + sum(numbers["excluded"].values())
    for part in ("languages", "zones"):
        assert sum(numbers[part].values()) == 3, part
    assert sum(version["people"] for version in numbers["versions"]) == 3
    assert numbers["topics"] == {"events": 1, "": 2}
    assert not issue.variants.exists()


def test_a_cancelled_issue_is_not_rehearsed(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.CANCELLED)
    problem(call("get", f"issues/{issue.pk}/rehearsal", key=create_key(BOTH)), 409)
