"""Update the rows that record which story is in which issue."""

from django.db import transaction

from newsletter.common.errors import NotReady
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Issue, StoryPlacement


@transaction.atomic
def update_story_placements(*, issue: Issue, content: IssueContent) -> None:
    """Record every story that the issue shows, and forget those that staff took out.

    Raises NotReady, with nothing changed, if another issue of the publication has one: nobody gets a story twice.
    """
    if issue.kind == Issue.Kind.CORRECTION:
        return
    titles = {story.id: story.title for story in content.stories}
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
            "“%(title)s” is already in %(issue)s, and nobody gets a story twice. Take it out of one of the two.",
            title=titles[elsewhere.story_id],
            issue=elsewhere.issue,
        )
