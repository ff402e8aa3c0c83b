"""Keeps the rows that say which story stands in which issue in step with what staff made of the issue."""

from django.db import transaction

from newsletter.common.errors import NotReady
from newsletter.issues.snapshot.redact import Content, iter_stories
from newsletter.models import Issue, StoryPlacement


@transaction.atomic
def update_story_placements(*, issue: Issue, content: Content) -> None:
    """Take the place of every story that the issue shows, and free those of stories that staff took out.

    Raises NotReady, with nothing changed, where another issue of the publication has one of them: nobody is told a story twice.
    """
    if issue.kind == Issue.Kind.CORRECTION:
        return
    titles = {story["id"]: story["title"] for story in iter_stories(content)}
    issue.placements.exclude(story__in=titles).delete()
    StoryPlacement.objects.bulk_create(
        (
            StoryPlacement(publication_id=issue.publication_id, kind=issue.kind, story_id=story, issue=issue)
            for story in titles
        ),
        ignore_conflicts=True,
    )
    taken = StoryPlacement.objects.filter(publication=issue.publication_id, kind=issue.kind, story__in=titles)
    elsewhere = taken.exclude(issue=issue).select_related("issue__publication").first()
    if elsewhere is not None:
        raise NotReady(
            "“%(titles)s” is already in %(issue)s, and nobody is told a story twice. Take it out of one of the two.",
            titles=titles[elsewhere.story_id],
            issue=elsewhere.issue,
        )
