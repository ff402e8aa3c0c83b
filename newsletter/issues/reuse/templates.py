"""Save an issue as a template, fill a template with the rules' current choices, rename and delete templates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from newsletter.common.errors import NotReady, WrongState
from newsletter.common.text import require_length
from newsletter.issues.approval.edits_of_approved_issues import require_editor
from newsletter.issues.assembly.first_draft import make_draft
from newsletter.issues.assembly.merge_edits import list_stories
from newsletter.issues.snapshot.drafted_subjects import draft_preheader
from newsletter.models import Issue, IssueTemplate, SavedRow

Block = dict[str, Any]
_LISTS = {"stories": "stories", "events": "events", "related": "links"}
"""Blocks whose list is of one week, and the list's field."""
MAX_NAME_LENGTH = 100


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
        raise WrongState("%(issue)s is about one event, so it cannot be a template.", issue=issue)
    blocks = [stripped for block in issue.body.get_prep_value() if (stripped := _without_week(block))]
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
    blocks = [filled for block in template.body.get_prep_value() if (filled := _fill(block, fresh=fresh))]
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


def require_free_name(model: type[SavedRow], name: str, *, except_for: int = 0) -> str:
    """Return the name without spaces around it. Raises NotReady if it is empty, BadValue if too long, WrongState if in use."""
    name = require_length(name.strip(), limit=MAX_NAME_LENGTH, name="name")
    if not name:
        raise NotReady("Give it a name, so that others find it. Nothing was saved.")
    if model._default_manager.filter(name=name).exclude(pk=except_for).exists():
        raise WrongState("“%(name)s” is there already. Choose another name. Nothing was saved.", name=name)
    return name


def rename_saved(*, row: SavedRow, name: str, by: User) -> None:
    """Give a saved block or template another name. Raises NotAllowed, NotReady, WrongState."""
    require_editor(by)
    row.name = require_free_name(type(row), name, except_for=row.pk)
    row.save(update_fields=["name"])


def delete_saved(*, row: SavedRow, by: User) -> None:
    """Delete a saved block or template. Issues that were made with it stay as they are. Raises NotAllowed."""
    require_editor(by)
    row.delete()
