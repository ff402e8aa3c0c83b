"""Explain why each story, event and appeal is in the issue or not, for the desk. It only reads."""

from dataclasses import replace
from datetime import datetime

from newsletter.common.messages import Message
from newsletter.issues.assembly.first_draft import list_reasons
from newsletter.issues.assembly.selection import Reason
from newsletter.models import Appeal, EventNotice, Issue, Story

ADDED_BY_HAND = Message("added by hand")
REMOVED_BY_HAND = Message("removed by hand")
ARRIVED_LATER = Message("arrived after the issue was assembled")
_MODELS: dict[str, type[Story] | type[EventNotice] | type[Appeal]] = {
    "story": Story,
    "event": EventNotice,
    "appeal": Appeal,
}


def explain_candidates(issue: Issue, *, now: datetime) -> list[Reason]:
    """Return the reasons of all current candidates and of the issue's items. Items of the issue come first."""
    if issue.kind == Issue.Kind.CORRECTION:
        return []
    in_body = list_body_items(issue)
    chosen = {(reason["kind"], reason["id"]) for reason in issue.reasons if reason.get("chosen")}
    rules = list_reasons(issue=issue, now=now)
    reasons = [_apply_manual_choice(reason, in_body=in_body, chosen=chosen) for reason in rules]
    listed = {(reason.kind, reason.id) for reason in reasons}
    by_hand = [
        Reason(kind, row.pk, str(row), True, ADDED_BY_HAND)
        for kind, model in _MODELS.items()
        for row in model.objects.filter(pk__in=[pk for its, pk in in_body - listed if its == kind])
    ]
    return sorted([*by_hand, *reasons], key=lambda reason: not reason.chosen)


def list_body_items(issue: Issue) -> set[tuple[str, int]]:
    """Return (kind, id) of everything in the issue's body."""
    items: set[tuple[str, int]] = set()
    for child in issue.body:
        value = child.value
        match child.block_type:
            case "lead_story":
                items |= {("story", value["story"].pk)} if value["story"] else set()
            case "stories":
                items |= {("story", item["story"].pk) for item in value["stories"] if item["story"]}
            case "events":
                items |= {("event", event.pk) for event in value["events"] if event}
            case "appeal":
                items |= {("appeal", appeal.pk) for appeal in value["appeals"] if appeal}
    return items


def _apply_manual_choice(reason: Reason, *, in_body: set[tuple[str, int]], chosen: set[tuple[str, int]]) -> Reason:
    key = (reason.kind, reason.id)
    if reason.chosen == (key in in_body):
        return reason
    if key in in_body:
        return replace(reason, chosen=True, why=Message("added by hand; by the rules %(reason)s", reason=reason.why))
    return replace(reason, chosen=False, why=REMOVED_BY_HAND if key in chosen else ARRIVED_LATER)
