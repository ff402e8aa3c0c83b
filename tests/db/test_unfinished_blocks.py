"""Blocks that staff did not finish, and texts that are too long: each is named, and nobody can approve the issue."""

from threading import Thread

import pytest

from newsletter.common.errors import NotApproved, NotReady
from newsletter.issues.approval.approve import approve_issue, require_approval
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import EventNotice, Issue, Publication, Story
from newsletter.models.schema_blocks import make_body_block
from subscribers.models import Case, Topic
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_event, make_issue, make_story
from tests.support.limited_blocks import add_limited_note, limit_block

pytestmark = pytest.mark.django_db
EMPTY_STORY = {"story": None, "headline": "", "teaser": "", "picture": None, "link": ""}
UNFINISHED = {
    "note": ({"heading": "Hello", "text": "<p> </p>"}, "Block 2, Note, is unfinished: “Text” is empty."),
    "lead_story": (EMPTY_STORY, "Block 2, Lead story, is unfinished: “Story” is empty."),
    "stories": ({"heading": "", "stories": [EMPTY_STORY]}, "Block 2, Stories, is unfinished: “Story” is empty."),
    "events": ({"events": [None]}, "Block 2, Events near the reader, is unfinished: “Events” has an empty line."),
    "picture": (
        {"image": None, "alt": "", "caption": "", "url": ""},
        "Block 2, Image, is unfinished: “Image file” is empty.",
    ),
    "button": ({"label": "Come", "url": "htp:/x"}, "Block 2, Button, is unfinished: “Address” is not a web address."),
    "quote": (
        {"text": "a" * 601, "who": "", "note": ""},
        "Block 2, Quote, is unfinished: “Text” has 601 characters; at most 600 are allowed.",
    ),
    "related": (
        {"heading": "", "links": [{"title": "", "url": "https://example.org/" + "a" * 2000}]},
        "Block 2, You might also be interested in, is unfinished: “Title” is empty, “Address” has 2020 characters;",
    ),
    "statistic": ({"number": "", "text": ""}, "Block 2, "),
    "progress": (
        {"headline": "A boat", "raised": "lots", "goal": "0", "currency": "POUND", "as_of": "2026-02-31"},
        "Block 2, Progress of an appeal, is unfinished: “Raised so far” is not an amount; write it like 12400 or 12400.50, "
        "without a currency, “Goal” must be more than 0, “Currency” is not the code of a currency, such as GBP, “Date of the "
        "amounts” is not a date; write it like 2026-11-24. Complete it, or delete the block.",
    ),
}


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    return make_issue(publication)


def add(issue: Issue, kind: str, value: object) -> Issue:
    """Add a block after the first as JSON, as autosave does."""
    issue.body = issue.body.stream_block.to_python(
        [issue.body.get_prep_value()[0], {"type": kind, "value": value, "id": "unfinished"}]
    )
    issue.save()
    return Issue.objects.get(pk=issue.pk)


@pytest.mark.parametrize("kind", UNFINISHED)
def test_an_unfinished_block_is_named_and_left_out(issue: Issue, kind: str) -> None:
    value, message = UNFINISHED[kind]
    changed = add(issue, kind, value)
    (block,) = find_incomplete_parts(changed)
    assert block.key == "unfinished"
    assert block.message.startswith(message)
    assert [block.key for block in resolve_content(changed).blocks] == [issue.body[0].id]


def test_an_issue_with_more_than_60_stories_cannot_be_approved(issue: Issue) -> None:
    story = {**EMPTY_STORY, "story": Story.objects.get().pk}
    changed = add(issue, "stories", {"heading": "", "stories": [story] * 60})
    sentence = "It has 61 stories, and an issue can have 60. Take some out."
    assert [part.message for part in find_incomplete_parts(changed)] == [sentence]
    with pytest.raises(NotReady, match="61 stories"):
        approve_issue(issue=changed, by=make_approver(), now=NOW)
    assert not find_incomplete_parts(add(issue, "stories", {"heading": "", "stories": [story] * 59}))


def test_an_issue_with_stories_of_more_than_20_cases_cannot_be_approved(issue: Issue) -> None:
    stories = [
        make_story(f"Hearing {number}", case=Case.objects.create(slug=f"case-{number}", name=f"Case {number}"))
        for number in range(21)
    ]
    chosen = [{**EMPTY_STORY, "story": story.pk} for story in stories]
    changed = add(issue, "stories", {"heading": "", "stories": chosen})
    with pytest.raises(NotReady, match="belong to 21 cases, and an issue can have 20"):
        approve_issue(issue=changed, by=make_approver(), now=NOW)
    Story.objects.filter(pk=stories[0].pk).update(case=stories[1].case)
    assert not find_incomplete_parts(Issue.objects.get(pk=issue.pk))


def test_an_issue_with_more_than_40_rules_for_blocks_cannot_be_approved(issue: Issue) -> None:
    for number in range(41):
        Topic.objects.create(slug=f"topic-{number}", name=f"Topic {number}")
        add_limited_note(issue, f"Note {number}", topic=f"topic-{number}")
    with pytest.raises(NotReady, match="have 41 different choices of “Show to”, and an issue can have 40"):
        approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    limit_block(issue, "note", topic="topic-0")
    assert not find_incomplete_parts(Issue.objects.get(pk=issue.pk))


def test_an_event_that_is_gone_does_not_make_a_block_unfinished(issue: Issue) -> None:
    event = make_event("An evening in Leeds")
    changed = add(issue, "events", {"heading": "", "events": [event.pk]})
    EventNotice.objects.filter(pk=event.pk).delete()
    assert find_incomplete_parts(Issue.objects.get(pk=changed.pk)) == []


def test_an_issue_with_an_unfinished_block_cannot_be_approved(issue: Issue) -> None:
    with pytest.raises(NotReady, match="Button, is unfinished"):
        approve_issue(issue=add(issue, "button", {"label": "", "url": ""}), by=make_approver(), now=NOW)


def test_an_unfinished_block_ends_an_approval(issue: Issue) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    with pytest.raises(NotApproved):
        require_approval(add(issue, "button", {"label": "", "url": ""}), now=NOW)


def test_drafts_checked_at_the_same_time_leave_fields_required() -> None:
    """Wagtail switches the requirement off in blocks that all threads share."""
    body = make_body_block()
    value = body.to_python([{"type": "button", "value": {"label": "", "url": ""}} for _ in range(50)])
    threads = [Thread(target=body.clean_deferred, args=(value,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert body.child_blocks["button"].child_blocks["url"].required


@pytest.mark.parametrize(("name", "limit"), [("subject", 300), ("preheader", 300), ("headline", 200)])
def test_a_text_that_is_too_long_is_kept_and_stops_approval(issue: Issue, name: str, limit: int) -> None:
    setattr(issue, name, "a" * (limit + 100))
    issue.save()
    message = f"“{name.capitalize()}” has {limit + 100} characters; at most {limit} are allowed. Shorten it."
    changed = Issue.objects.get(pk=issue.pk)
    assert [str(part.message) for part in find_incomplete_parts(changed)] == [message]
    with pytest.raises(NotReady, match="Shorten it"):
        approve_issue(issue=changed, by=make_approver(), now=NOW)
    setattr(issue, name, "a" * limit)
    assert find_incomplete_parts(issue) == []


def test_line_breaks_of_a_form_count_once(issue: Issue) -> None:
    changed = add(issue, "quote", {"text": "\r\n".join(["a"] * 300), "who": "", "note": ""})
    assert find_incomplete_parts(changed) == []
