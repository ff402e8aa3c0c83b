"""Describe what changed in an issue since it was approved: texts, stories, events, brand, rules, audience."""

from collections.abc import Iterator

from django.db.models import QuerySet
from pydantic import JsonValue

from newsletter.common.messages import Message
from newsletter.issues.approval.approved_audience import Audience, describe_audience, hash_audience
from newsletter.issues.snapshot.consent_rules import WHY_GONE, make_consent_record
from newsletter.issues.snapshot.records.blocks import Block, StoriesBlock, list_appeals, list_events, list_stories
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import AppealRecord, EventRecord
from newsletter.issues.snapshot.records.fields import to_json
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.issues.snapshot.resolve import ICONS_PATH, remove_filled_blocks, resolve_content
from newsletter.models import Approval, Issue, Story

_PART_LABELS = {
    "subject": Message("the subject"),
    "preheader": Message("the preheader"),
    "brand": Message("the brand"),
    "publication": Message("the publication’s rules"),
}

_KIND_LABELS = {"story": Message("the story"), "event": Message("the event"), "appeal": Message("the appeal")}
_ITEM_FIELDS = ("story", "stories", "events", "appeals")
Item = StoryRecord | EventRecord | AppealRecord


def find_changes(issue: Issue) -> list[str]:
    """Describe each change since the newest valid approval. Return an empty list if nothing changed or nobody approved."""
    return _find_changes(issue, issue.approvals.filter(withdrawn_at__isnull=True))


def find_changes_since_any_approval(issue: Issue) -> list[str]:
    """Describe each change since the newest approval, even if it was withdrawn."""
    return _find_changes(issue, issue.approvals.all())


def _find_changes(issue: Issue, approvals: QuerySet[Approval]) -> list[str]:
    approval = approvals.select_related("revision").order_by("-at").first()
    if approval is None:
        return []
    before = IssueContent.from_json(approval.revision.content)
    now = resolve_content(issue)
    changes = [
        *_compare_site(before, now),
        *_compare(remove_filled_blocks(_move_site(before, now)), remove_filled_blocks(now)),
    ]
    return list(dict.fromkeys([*changes, *_compare_audience(approval, describe_audience(issue))]))


def _compare_site(before: IssueContent, now: IssueContent) -> Iterator[str]:
    if _find_site(before) != _find_site(now):
        yield Message(
            "the address of this installation, from %(before)s to %(now)s",
            before=_find_site(before),
            now=_find_site(now),
        )


def _move_site(before: IssueContent, now: IssueContent) -> IssueContent:
    """Return the content with its own addresses as they would be at the installation's address of today.

    Staff may link to other pages of the same host. Such a link is in the content of today as it was, so it stays.
    """
    old, new = f"{_find_site(before)}/", f"{_find_site(now)}/"
    today = set(_list_texts(now.to_json()))

    def move(value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return {name: move(part) for name, part in value.items()}
        if isinstance(value, list):
            return [move(part) for part in value]
        if not isinstance(value, str) or value in today:
            return value
        moved = value.replace(old, new)
        return moved if moved in today else value

    return before if old == new else IssueContent.from_json(move(before.to_json()))


def _list_texts(value: JsonValue) -> Iterator[str]:
    """Return every text in a JSON value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _list_texts(part)


def _find_site(content: IssueContent) -> str:
    """Return the address of the installation when the content was made."""
    return content.brand.icons_url.removesuffix(ICONS_PATH)


def _compare_audience(approval: Approval, now: Audience) -> Iterator[str]:
    if not approval.audience_sha256:
        yield Message("it was approved before approvals said who gets it")
    elif approval.audience_sha256 != hash_audience(now):
        before = approval.audience
        if before.get("charitable", True) != now.get("charitable", True):
            yield Message("whether it is only for your charitable purposes")
        elif before.get("list") != now.get("list"):
            yield Message("the list")
        else:
            yield Message("the segment that gets it")


def _compare(before: IssueContent, after: IssueContent) -> Iterator[str]:
    for part, name in _PART_LABELS.items():
        if getattr(before, part) != getattr(after, part):
            yield name
    old, new = _index_items(before), _index_items(after)
    for key, item in old.items():
        kind, title = _KIND_LABELS[key[0]], _find_title(item)
        if key not in new:
            yield _describe_missing(key) or Message("%(kind)s “%(title)s” is gone", kind=kind, title=title)
        elif new[key] != item:
            yield Message("%(kind)s “%(title)s”", kind=kind, title=title)
    yield from (
        Message("%(kind)s “%(title)s” is new", kind=_KIND_LABELS[key[0]], title=_find_title(item))
        for key, item in new.items()
        if key not in old
    )
    if list(map(_list_block_structure, before.blocks)) != list(map(_list_block_structure, after.blocks)):
        yield Message("the order or the words of its blocks")
    if before.versions != after.versions:
        yield Message("its text in other languages")
    if before.subject_test != after.subject_test:
        yield Message("the subject test")


def describe_gone_story(story: Story) -> str:
    """Describe that a story or its original is gone, and why."""
    code = make_consent_record(story).gone or ""
    return Message("the story “%(title)s” is gone: %(why_gone)s", title=story.title, why_gone=WHY_GONE[code])


def _describe_missing(key: tuple[str, int]) -> str:
    """Describe a story that its source no longer shows; "" for anything else."""
    kind, pk = key
    story = Story.objects.gone().filter(pk=pk).first() if kind == "story" else None
    return describe_gone_story(story) if story else ""


def _index_items(content: IssueContent) -> dict[tuple[str, int], Item]:
    """Return every story, event and appeal by kind and id."""
    items: dict[tuple[str, int], Item] = {}
    for block in content.blocks:
        items.update({("story", story.id): story for story in list_stories(block)})
        items.update({("event", event.id): event for event in list_events(block)})
        items.update({("appeal", appeal.id): appeal for appeal in list_appeals(block)})
    if announced := content.issue.announces:
        items["event", announced.event.id] = announced.event
    return items


def _find_title(item: Item) -> str:
    return item.headline if isinstance(item, AppealRecord) else item.title


def _list_block_structure(block: Block) -> dict[str, JsonValue]:
    """Return a block as JSON, with ids instead of its stories, events and appeals."""
    items: list[Item] = [
        *(list_stories(block) if isinstance(block, StoriesBlock) else ()),
        *list_events(block),
        *list_appeals(block),
    ]
    structure = {name: value for name, value in to_json(block).items() if name not in _ITEM_FIELDS}
    return {**structure, "ids": [item.id for item in items]}
