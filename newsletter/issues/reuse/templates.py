"""Save an issue as a template, and fill a template with what the publication's rules choose now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from newsletter.common.errors import WrongState
from newsletter.issues.assembly.first_draft import make_draft
from newsletter.issues.assembly.merge_edits import list_stories
from newsletter.issues.reuse.names import require_editor, require_free_name
from newsletter.issues.snapshot.drafted_subjects import draft_preheader
from newsletter.models import Issue, IssueTemplate

Block = dict[str, Any]
_LISTS = {"stories": "stories", "events": "events", "related": "links"}
"""Blocks whose list is of one week, and the list's field."""


@dataclass(frozen=True)
class FilledTemplate:
    """The beginning of an issue. ``stories`` are the ids of the stories in ``body``."""

    subject: str
    preheader: str
    body: Any
    stories: list[int]


def save_template(*, issue: Issue, name: str, by: User, now: datetime) -> IssueTemplate:
    """Save layout, purpose, headline and blocks, without the stories, events and links of the week.

    Raises NotAllowed, NotReady (no name); WrongState for a correction or a name in use.
    """
    require_editor(by)
    if issue.kind == Issue.Kind.CORRECTION:
        raise WrongState("%(issue)s is about one event, so it makes no template.", issue=issue)
    blocks = [kept for block in issue.body.get_prep_value() if (kept := _without_week(block))]
    return IssueTemplate.objects.create(
        name=require_free_name(IssueTemplate, name),
        publication=issue.publication,
        layout=issue.layout,
        headline=issue.headline,
        charitable=issue.charitable,
        body=issue.body.stream_block.to_python(blocks),
        made_by=by,
        made_at=now,
    )


def fill_template(template: IssueTemplate, *, issue: Issue, now: datetime) -> FilledTemplate:
    """Fill the template's blocks for an unsaved issue. Blocks for which the rules choose nothing now are left out."""
    draft = make_draft(issue=issue, now=now)
    drafted = Issue(body=draft.body).body.get_prep_value()
    fresh = {block["type"]: block["value"] for block in drafted}
    blocks = [kept for block in template.body.get_prep_value() if (kept := _fill(block, fresh=fresh))]
    return FilledTemplate(
        subject=draft.subject,
        preheader=draft_preheader(draft.choice.stories),
        body=issue.body.stream_block.to_python(blocks),
        stories=[story["story"] for story in list_stories(blocks)],
    )


def _without_week(block: Block) -> Block | None:
    kind, value = block["type"], block["value"]
    if kind == "event_card":
        return None
    if kind == "lead_story":
        value = {**value, "story": None, "headline": "", "teaser": "", "picture": None, "link": ""}
    elif kind in _LISTS:
        value = {**value, _LISTS[kind]: []}
    return {"type": kind, "value": value}


def _fill(block: Block, *, fresh: dict[str, Block]) -> Block | None:
    kind, value = block["type"], block["value"]
    if kind == "lead_story":
        value = {**fresh[kind], "show_to": value.get("show_to", {})} if kind in fresh else None
    elif kind in _LISTS:
        field = _LISTS[kind]
        value = {**value, field: fresh[kind][field]} if kind in fresh else None
    return {"type": kind, "value": value} if value is not None else None
