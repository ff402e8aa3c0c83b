"""Keep a story out of issues by a person's decision, for one publication or for all, and take that back."""

from datetime import datetime

from django.contrib.auth.models import User

from newsletter.common.errors import NotAllowed
from newsletter.models import Publication, Story, StoryRefusal


def refuse_story(*, story: Story, publication: Publication | None, by: User, now: datetime) -> None:
    """Never choose the story automatically for issues of the publication. Without a publication: for no issue.

    People can still add it to an issue by hand. Safe to repeat. Raises NotAllowed.
    """
    _require_permission(by)
    StoryRefusal.objects.get_or_create(story=story, publication=publication, defaults={"person": by, "at": now})


def allow_story(*, story: Story, by: User) -> None:
    """Take back every decision against the story. Raises NotAllowed."""
    _require_permission(by)
    story.refusals.all().delete()


def _require_permission(by: User) -> None:
    if not by.has_perm("newsletter.change_story"):
        raise NotAllowed(
            "%(by)s may not decide which stories are used. An administrator can give the role “writer” or “editor”.",
            by=by,
        )
