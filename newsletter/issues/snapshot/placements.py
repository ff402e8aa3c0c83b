"""Update the rows that record which story is in which issue.

A row counts while its issue can still show the story to somebody. Then the story is a candidate again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.common.errors import NotReady
from newsletter.issues.snapshot.exposure import list_sends_to_files
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Attempt, Issue, Send, StoryPlacement

_WITHOUT_PLACEMENTS = (Issue.Kind.CORRECTION, Issue.Kind.WELCOME)
"""They may show stories that another issue has. What a person had in a welcome mail is remembered for that person."""


def find_released_placements(*, now: datetime) -> QuerySet[StoryPlacement]:
    """Return the placements that no longer count.

    Their issue was cancelled before anybody can have got it, was not approved in time, or was only written to files.
    """
    attempts = Attempt.objects.filter(batch__send__issue=OuterRef("issue")).order_by()
    cancelled = Q(issue__state=Issue.State.CANCELLED) & ~Exists(attempts)
    unapproved = Q(issue__state__in=Issue.UNAPPROVED_STATES, issue__due_at__lt=now - Issue.GRACE_PERIOD)
    to_files = Exists(list_sends_to_files().exclude(state=Send.State.CANCELLED).filter(issue=OuterRef("issue")))
    return StoryPlacement.objects.filter(cancelled | unapproved | to_files)


@transaction.atomic
def place_stories(*, issue: Issue, stories: Iterable[int], now: datetime) -> None:
    """Record that the issue has these stories, unless another issue of its kind has them."""
    ids = list(stories)
    if not ids:
        return
    placed = StoryPlacement.objects.filter(publication=issue.publication_id, kind=issue.kind, story__in=ids)
    if placed.exclude(issue=issue).exists():
        _release_placements(issue=issue, stories=ids, now=now)
    StoryPlacement.objects.bulk_create(
        (
            StoryPlacement(publication_id=issue.publication_id, kind=issue.kind, story_id=story, issue=issue)
            for story in ids
        ),
        ignore_conflicts=True,
    )


def _release_placements(*, issue: Issue, stories: Sequence[int], now: datetime) -> None:
    """Forget that other issues have these stories, where that no longer counts."""
    released = find_released_placements(now=now).filter(
        publication=issue.publication_id, kind=issue.kind, story__in=stories
    )
    # An approval takes this lock too, so no issue is approved while it loses a story here.
    owners = Issue.objects.select_for_update(of=("self",)).filter(
        pk__in=released.exclude(issue=issue).values("issue").distinct()
    )
    released.filter(issue__in=[owner.pk for owner in owners]).delete()


@transaction.atomic
def update_story_placements(*, issue: Issue, content: IssueContent, now: datetime) -> None:
    """Record every story that the issue shows, and forget those that staff took out.

    Raises NotReady, with nothing changed, if another issue of the publication has one: nobody gets a story twice.
    """
    if issue.kind in _WITHOUT_PLACEMENTS:
        return
    completed = find_completed_stories(issue)
    if completed:
        released = find_released_placements(now=now).filter(issue=issue.completes_id)
        completed -= set(released.values_list("story_id", flat=True))
    ids = [story.id for story in content.stories if story.id not in completed]
    issue.placements.exclude(story__in=ids).delete()
    place_stories(issue=issue, stories=ids, now=now)
    require_stories_placed(issue=issue, content=content)


def find_completed_stories(issue: Issue) -> frozenset[int]:
    """Return the stories of the issues whose cancelled sends this one completes: its recipients did not get them."""
    stories: set[int] = set()
    completed = issue.completes
    while completed is not None:
        stories |= set(completed.placements.values_list("story_id", flat=True))
        completed = completed.completes
    return frozenset(stories)


def require_stories_placed(*, issue: Issue, content: IssueContent) -> None:
    """Raise NotReady if another issue of the publication has a story that this one shows."""
    if issue.kind in _WITHOUT_PLACEMENTS:
        return
    completed = find_completed_stories(issue)
    titles = {story.id: story.title for story in content.stories if story.id not in completed}
    placements = StoryPlacement.objects.filter(publication=issue.publication_id, kind=issue.kind, story__in=titles)
    elsewhere = placements.exclude(issue=issue).select_related("issue__publication").first()
    if elsewhere is not None:
        raise NotReady(
            "“%(title)s” is already in %(issue)s, and nobody gets a story twice. Take it out of one of the two.",
            title=titles[elsewhere.story_id],
            issue=elsewhere.issue,
        )
