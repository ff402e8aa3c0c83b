"""Describe what changed in an issue since it was approved: texts, stories, events, brand, rules, audience."""

from collections.abc import Iterator
from typing import Any

from newsletter.common.messages import Message
from newsletter.issues.approval.approved_audience import Audience, describe_audience, hash_audience
from newsletter.issues.snapshot.consent_rules import WHY_GONE
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Approval, Issue, Story

_PART_LABELS = {
    "subject": Message("the subject"),
    "preheader": Message("the preheader"),
    "brand": Message("the brand"),
    "publication": Message("the publication's rules"),
}


def find_changes(issue: Issue) -> list[str]:
    """Describe each change since the newest valid approval. Return an empty list if nothing changed or nobody approved."""
    approval = issue.approvals.filter(withdrawn_at__isnull=True).select_related("revision").order_by("-at").first()
    if approval is None:
        return []
    changes = _compare(approval.revision.content, resolve_content(issue))
    return list(dict.fromkeys([*changes, *_compare_audience(approval, describe_audience(issue))]))


def _compare_audience(approval: Approval, now: Audience) -> Iterator[str]:
    if not approval.audience_sha256:
        yield Message("it was approved before approvals said who gets it")
    elif approval.audience_sha256 != hash_audience(now):
        before = approval.audience
        yield Message("the list") if before.get("list") != now.get("list") else Message("the segment that gets it")


def _compare(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for part, name in _PART_LABELS.items():
        if before[part] != after[part]:
            yield name
    old, new = _index_items(before), _index_items(after)
    for key, thing in old.items():
        if key not in new:
            yield _describe_missing(key) or Message(
                "%(kind)s “%(title)s” is gone", kind=thing["kind"], title=thing["title"]
            )
        elif new[key] != thing:
            yield Message("%(kind)s “%(title)s”", kind=thing["kind"], title=thing["title"])
    yield from (
        Message("%(kind)s “%(title)s” is new", kind=thing["kind"], title=thing["title"])
        for key, thing in new.items()
        if key not in old
    )
    if [_list_block_structure(block) for block in before["blocks"]] != [
        _list_block_structure(block) for block in after["blocks"]
    ]:
        yield Message("the order or the words of its blocks")


def describe_gone_story(story: Story) -> str:
    """Describe that a story is gone, and why."""
    return Message("the story “%(title)s” is gone: %(why_gone)s", title=story.title, why_gone=WHY_GONE[story.gone_code])


def _describe_missing(key: tuple[str, int]) -> str:
    """Describe a story that its source no longer shows; "" for anything else."""
    kind, pk = key
    story = Story.objects.filter(pk=pk, gone_at__isnull=False).first() if kind == "the story" else None
    return describe_gone_story(story) if story else ""


def _index_items(content: dict[str, Any]) -> dict[tuple[str, int], dict[str, Any]]:
    """Return every story, event and appeal by kind and id."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for block in content["blocks"]:
        stories = [block["story"]] if "story" in block else block.get("stories", [])
        for kind, things in (
            (Message("the story"), stories),
            (Message("the event"), block.get("events", [])),
            (Message("the appeal"), block.get("appeals", [])),
        ):
            for thing in things:
                title = thing.get("title") or thing.get("headline", "")
                found[kind, thing["id"]] = {**thing, "kind": kind, "title": title}
    if announced := content["issue"].get("announces"):
        event = announced["event"]
        found[Message("the event"), event["id"]] = {**event, "kind": Message("the event")}
    return found


def _list_block_structure(block: dict[str, Any]) -> dict[str, Any]:
    """Return a block with the ids of its items instead of the items."""
    things = ("story", "stories", "events", "appeals")
    ids = [thing["id"] for name in things if isinstance(block.get(name), list) for thing in block[name]]
    return {name: value for name, value in block.items() if name not in things} | {"ids": ids}
