"""Keep stories that their source no longer shows out of issues: before assembly, at approval, and just before a send.

The services that check a site fetch, so none of them may run inside a transaction.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from newsletter.common.errors import NotApproved
from newsletter.common.messages import Message
from newsletter.common.text import escape_merge_fields, shorten
from newsletter.content.ingesting.link_translations import link_translations
from newsletter.content.ingesting.source_visibility import VisibilityReport, update_source_visibility
from newsletter.issues.approval.approval_rules import is_sent_automatically
from newsletter.issues.approval.approve import withdraw_approvals
from newsletter.issues.approval.changes_since_approval import describe_gone_story
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.assembly.first_draft import make_draft
from newsletter.issues.assembly.merge_edits import list_stories
from newsletter.issues.snapshot.content_links import find_linked_stories
from newsletter.issues.snapshot.drafted_subjects import draft_preheader
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.redact import mentions_title
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, Story

RECENT_CHECK_AGE = timedelta(seconds=60)
_MAX_ROUNDS = 3


def check_stories_at_source(*, issue: Issue, now: datetime, fresh: timedelta = RECENT_CHECK_AGE) -> VisibilityReport:
    """Check every story that the issue shows or links to at its site, and remove the stories that are gone.

    Stories that were checked less than ``fresh`` ago are not checked again.
    """
    checked = update_source_visibility(_stories_in(issue), now=now, fresh=fresh)
    if checked.gone or checked.back:
        # The body caches the stories that it read before.
        issue.refresh_from_db()
        _remove_gone_stories(issue, now=now)
    return checked


def require_stories_at_source(*, issue: Issue, now: datetime, fresh: timedelta = RECENT_CHECK_AGE) -> VisibilityReport:
    """Check the issue for a person who approves or sends it. Raises NotApproved if it lost a story just now.

    Its approvals are withdrawn then, because the content that they name has changed.
    """
    checked = check_stories_at_source(issue=issue, now=now, fresh=fresh)
    if checked.gone:
        withdraw_approvals(issue=issue, now=now)
        raise NotApproved(
            "Stories were removed from %(issue)s because their source no longer shows them: "
            "%(stories)s. Nothing was sent. Read the issue, then approve it again.",
            issue=issue,
            stories=Message.joined(describe_gone_story(story) for story in checked.gone),
        )
    return checked


def check_before_assembly(*, issue: Issue, now: datetime) -> list[Story]:
    """Check the stories that would be chosen; if some are gone, check those that replace them. Return the gone ones.

    Stories whose pages name each other as translations are linked. Later checks add no links: that would change content that
    staff saw.
    """
    gone_stories: list[Story] = []
    for _round in range(_MAX_ROUNDS):
        draft = make_draft(issue=issue, now=now)
        chosen = Story.objects.with_originals(story.pk for story in draft.choice.stories).select_related("source")
        checked = update_source_visibility(chosen, now=now, fresh=RECENT_CHECK_AGE)
        link_translations(checked.translations.items())
        if not checked.gone:
            break
        gone_stories += checked.gone
    return gone_stories


def check_before_copy(*, original: Issue, now: datetime) -> list[Story]:
    """Check the stories of an issue that is to be copied. Return those that are gone."""
    update_source_visibility(_stories_in(original), now=now, fresh=RECENT_CHECK_AGE)
    original.refresh_from_db()
    return _find_lost_stories(original)


def describe_left_out(stories: Iterable[Story]) -> str:
    """Return a sentence that names the gone stories and why each is gone."""
    return Message("Left out: %(stories)s.", stories=Message.joined(describe_gone_story(story) for story in stories))


def list_lost_stories(issue: Issue) -> list[str]:
    """Describe each story of the issue that its source no longer shows."""
    return [describe_gone_story(story) for story in _find_lost_stories(issue)]


def find_texts_without_gone_stories(issue: Issue) -> tuple[str, str]:
    """Return the issue's subject and preheader. If one names a gone story, it names the stories that are left instead."""
    in_body = _list_body_stories(issue)
    lost = _find_lost_stories(issue)
    titles = [title for story in lost for title in (in_body[story.pk].get("headline") or "", story.title)]
    teasers = [teaser for story in lost for teaser in (in_body[story.pk].get("teaser") or "", story.teaser)]
    stories = resolve_content(issue).stories
    subject, preheader = issue.subject, issue.preheader
    if mentions_title(subject, titles=titles):
        subject = shorten(escape_merge_fields(stories[0].title), 150) if stories else issue.publication.name
    if mentions_title(preheader, titles=[*titles, *teasers]):
        preheader = draft_preheader(stories)
    return subject, preheader


def has_recently_removed_story(*, now: datetime) -> bool:
    """Return True if a story was removed at its source within the last day."""
    return Story.objects.filter(gone_at__gt=now - timedelta(days=1)).exists()


def remove_gone_stories(*, now: datetime) -> list[Issue]:
    """Remove gone stories from every unsent issue. Return the issues that are held because of it.

    The subject and preheader name the stories that are left. An automatic issue is held if it was approved already, or if
    nothing is left in it. Safe to repeat.
    """
    ids = set(Story.objects.gone().values_list("pk", flat=True))
    if not ids:
        return []
    waiting = Issue.objects.filter(state__in=Issue.UNSENT_STATES).select_related("publication__brand", "slot")
    return [
        issue
        for issue in waiting
        if not ids.isdisjoint(_list_body_stories(issue)) and _remove_gone_stories(issue, now=now)
    ]


def _remove_gone_stories(issue: Issue, *, now: datetime) -> bool:
    """Return True if the issue is held now because of it."""
    lost = _find_lost_stories(issue)
    with transaction.atomic():
        content = resolve_content(issue)
        reworded = _reword(issue)
        approvals = issue.approvals.filter(withdrawn_at__isnull=True).select_related("revision")
        ids = {story.pk for story in lost}
        approved = any(
            story.id in ids
            for approval in approvals
            for story in IssueContent.from_json(approval.revision.content).stories
        )
        empty = not (content.stories or content.events)
        if issue.held or not (approved or (reworded and empty)) or not is_sent_automatically(issue):
            return False
        withdraw_approvals(issue=issue, now=now)
        gone = Message.joined(describe_gone_story(story) for story in lost)
        hold_issue(
            issue=issue,
            reason=Message("It lost content after it was assembled: %(gone)s. Read it, then release it.", gone=gone),
        )
    return True


def _list_body_stories(issue: Issue) -> dict[int, Any]:
    """Return the body's value for each of its stories, by the story's id."""
    return {value["story"]: value for value in list_stories(issue.body.get_prep_value())}


def _find_lost_stories(issue: Issue) -> list[Story]:
    return list(Story.objects.gone().filter(pk__in=_list_body_stories(issue)).select_related("translation_of"))


def _reword(issue: Issue) -> bool:
    """Rewrite the subject and the preheader without the gone stories. Return True if either changed."""
    texts = find_texts_without_gone_stories(issue)
    if texts == (issue.subject, issue.preheader):
        return False
    issue.subject, issue.preheader = texts
    issue.save()
    issue.store_revision()
    return True


def _stories_in(issue: Issue) -> list[Story]:
    """Return the stories that the issue shows, is meant to show, or links to, and the originals of translations.

    A withdrawn story is shown nowhere, so its page says nothing about the issue.
    """
    content = resolve_content(issue)
    ids = content.story_rows | set(_list_body_stories(issue)) | find_linked_stories(content)
    stories = Story.objects.with_originals(ids).exclude(pk__in=Story.objects.withdrawn().values("pk"))
    return list(stories.select_related("source"))
