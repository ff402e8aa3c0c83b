"""Assemble an unsent issue again from the current content, and keep manual edits."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.approve import OPEN_STATES, withdraw_approvals
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.assembly.assemble import make_draft
from newsletter.issues.assembly.draft import draft_preheader
from newsletter.issues.assembly.merge_edits import Body, list_stories, merge_bodies
from newsletter.issues.snapshot.placements import update_story_placements
from newsletter.issues.snapshot.resolve import hash_content, resolve_content
from newsletter.models import Issue, Story

_FIELD_LABELS = {"subject": Message("the subject"), "preheader": Message("the preheader")}
_KEPT_LABELS = {
    "note": Message("your text"),
    "stories": Message("your choice of stories and your texts for them"),
    "events": Message("your choice of events"),
    "appeal": Message("your choice of appeals"),
    "related": Message("your links"),
}


@dataclass(frozen=True)
class Reassembly:
    """The titles of added and removed stories, and labels of what was kept because somebody had edited it."""

    added: list[str]
    removed: list[str]
    kept: list[str]
    changed: bool


@transaction.atomic
def reassemble_issue(*, issue: Issue, by: User | AnonymousUser, now: datetime) -> Reassembly:
    """Assemble the issue again. Raises NotAllowed, SwitchedOff, WrongState if it has no slot or its send has begun."""
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed("%(by)s may not edit issues. An administrator can give the role “writer” or “editor”.", by=by)
    issue = Issue.objects.select_for_update(of=("self",)).select_related("slot__publication__brand").get(pk=issue.pk)
    if issue.slot is None:
        raise WrongState("%(issue)s was not assembled from the sources, so it cannot be assembled again.", issue=issue)
    require_issue_enabled(issue)
    if issue.state not in (*OPEN_STATES, Issue.State.APPROVED):
        raise WrongState(
            "%(issue)s is %(state)s; it is too late to assemble it again.", issue=issue, state=issue.get_state_display()
        )
    draft = make_draft(slot=issue.slot, now=now, exclude_issue=issue)
    fresh = Issue(publication=issue.publication, body=draft.body, number=issue.number)
    texts = {"subject": draft.subject, "preheader": draft_preheader(draft.choice)}
    before, hash_before = _normalise_body(issue, issue.body.get_prep_value()), hash_content(resolve_content(issue))
    merged = merge_bodies(
        assembled=_normalise_body(issue, issue.assembled.get("body", [])),
        mine=_normalise_body(issue, before),
        new=_normalise_body(issue, fresh.body.get_prep_value()),
        max_stories=max(issue.publication.stories, len(draft.choice.stories)),
    )
    kept: list[str] = [_FIELD_LABELS[name] for name in texts if getattr(issue, name) != issue.assembled.get(name)]
    for name, value in texts.items():
        if getattr(issue, name) == issue.assembled.get(name):
            setattr(issue, name, value)
    issue.body = issue.body.stream_block.to_python(merged.body)
    issue.save()
    Issue.objects.filter(pk=issue.pk).update(
        assembled={**texts, "body": merged.assembled}, reasons=[asdict(reason) for reason in draft.choice.reasons]
    )
    issue.refresh_from_db()
    content = resolve_content(issue)
    update_story_placements(issue=issue, content=content)
    changed = hash_content(content) != hash_before
    if changed:
        issue.save_revision(user=by, log_action=False)
        withdraw_approvals(issue=issue, now=now)
    return Reassembly(
        added=_find_titles(merged.body, not_in=before),
        removed=_find_titles(before, not_in=merged.body),
        kept=kept + [_KEPT_LABELS[kind] for kind in _KEPT_LABELS if kind in merged.kept],
        changed=changed,
    )


def _normalise_body(issue: Issue, body: Body) -> Body:
    """Return the body as plain data with every current field, also those added to blocks after it was stored."""
    value = issue.body.stream_block.to_python(body)
    list(value)
    plain: Body = value.get_prep_value()
    return plain


def _find_titles(body: Body, *, not_in: Body) -> list[str]:
    there = {value["story"] for value in list_stories(not_in)}
    ids = [value["story"] for value in list_stories(body) if value["story"] not in there]
    titles = dict(Story.objects.filter(pk__in=ids).values_list("pk", "title"))
    return [titles[pk] for pk in ids if pk in titles]
