"""Assemble an unsent issue again from the current content, and keep manual edits."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from newsletter.common.errors import WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.edits_of_approved_issues import require_editor, withdraw_if_changed
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.assembly.first_draft import make_draft
from newsletter.issues.assembly.merge_edits import Body, list_stories, merge_bodies, without_ids
from newsletter.issues.snapshot.drafted_subjects import draft_preheader
from newsletter.issues.snapshot.placements import update_story_placements
from newsletter.issues.snapshot.records.content import IssueContent, hash_content
from newsletter.issues.snapshot.resolve import resolve_content
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
    """Titles of added and removed stories, and labels of edits that are kept.

    ``sha256`` identifies the result, so that a person confirms the result that they saw.
    """

    added: list[str]
    removed: list[str]
    kept: list[str]
    changed: bool
    sha256: str


@dataclass(frozen=True)
class _Plan:
    """The issue as it would be, not saved. ``assembled`` and ``reasons`` are stored with it."""

    issue: Issue
    assembled: dict[str, object]
    reasons: list[dict[str, object]]
    content: IssueContent
    result: Reassembly


def preview_reassembly(*, issue: Issue, now: datetime) -> Reassembly:
    """Return what assembling the issue again would change, and change nothing. Raises as `reassemble_issue` does."""
    return _plan(_read(issue), now=now).result


@transaction.atomic
def reassemble_issue(*, issue: Issue, by: User | AnonymousUser, now: datetime, seen_sha256: str = "") -> Reassembly:
    """Assemble the issue again. ``seen_sha256`` is that of the result that the person confirmed.

    Raises NotAllowed, SwitchedOff; WrongState if the rules did not make it, its send has begun, no story would be left, or
    the result is no longer the one that was seen.
    """
    require_editor(by)
    Issue.objects.select_for_update(of=("self",)).get(pk=issue.pk)
    plan = _plan(_read(issue), now=now)
    if seen_sha256 and seen_sha256 != plan.result.sha256:
        raise WrongState("The content changed after you opened the page, so nothing was changed. Look at it again.")
    plan.issue.save()
    Issue.objects.filter(pk=issue.pk).update(assembled=plan.assembled, reasons=plan.reasons)
    plan.issue.refresh_from_db()
    update_story_placements(issue=plan.issue, content=plan.content, now=now)
    if plan.result.changed:
        plan.issue.store_revision(by=by)
        withdraw_if_changed(issue=plan.issue, by=by, now=now)
    return plan.result


def is_made_by_rules(issue: Issue) -> bool:
    """Return True if the publication's rules chose the content, so that they can choose again."""
    return bool(issue.reasons) and issue.kind != Issue.Kind.CORRECTION


def _read(issue: Issue) -> Issue:
    related = (
        "publication__brand",
        "publication__mailing_list",
        "publication__segment",
        "segment",
        "slot__publication",
    )
    return Issue.objects.select_related(*related).get(pk=issue.pk)


def _plan(issue: Issue, *, now: datetime) -> _Plan:
    if not is_made_by_rules(issue):
        raise WrongState("%(issue)s was not assembled from the sources, so it cannot be assembled again.", issue=issue)
    require_issue_enabled(issue)
    if issue.state not in Issue.UNSENT_STATES:
        raise WrongState(
            "%(issue)s is %(state)s; it is too late to assemble it again.", issue=issue, state=issue.get_state_display()
        )
    draft = make_draft(issue=issue, now=now)
    fresh = Issue(publication=issue.publication, body=draft.body, number=issue.number)
    texts = {"subject": draft.subject, "preheader": draft_preheader(draft.choice.stories)}
    before, hash_before = _normalise_body(issue, issue.body.get_prep_value()), hash_content(resolve_content(issue))
    merged = merge_bodies(
        assembled=_normalise_body(issue, issue.assembled.get("body", [])),
        mine=_normalise_body(issue, before),
        new=_normalise_body(issue, fresh.body.get_prep_value()),
        max_stories=max(issue.publication.stories, len(draft.choice.stories)),
    )
    if draft.skip_reason or (list_stories(before) and not list_stories(merged.body)):
        raise WrongState(
            "By the rules, %(issue)s would have no story now, so it stays as it is. The list below says why each is left out.",
            issue=issue,
        )
    edited: list[str] = [_FIELD_LABELS[name] for name in texts if getattr(issue, name) != issue.assembled.get(name)]
    for name, value in texts.items():
        if getattr(issue, name) == issue.assembled.get(name):
            setattr(issue, name, value)
    issue.body = issue.body.stream_block.to_python(merged.body)
    content = resolve_content(issue)
    # New blocks get other ids each time, so the hash of what the person saw leaves the ids out.
    seen_content = orjson.dumps([issue.subject, issue.preheader, without_ids(merged.body)], option=orjson.OPT_SORT_KEYS)
    return _Plan(
        issue=issue,
        assembled={**texts, "body": merged.assembled},
        reasons=[asdict(reason) for reason in draft.choice.reasons],
        content=content,
        result=Reassembly(
            added=_find_titles(merged.body, not_in=before),
            removed=_find_titles(before, not_in=merged.body),
            kept=edited + [_KEPT_LABELS[kind] for kind in _KEPT_LABELS if kind in merged.kept],
            changed=hash_content(content) != hash_before,
            sha256=hashlib.sha256(seen_content).hexdigest(),
        ),
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
