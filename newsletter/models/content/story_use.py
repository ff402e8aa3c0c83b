"""Record which story an issue shows, and which stories staff do not want in issues."""

from django.conf import settings
from django.db import models

from newsletter.models.content.stories import Story
from newsletter.models.issues import Issue
from newsletter.models.publications import Publication
from newsletter.models.states import one_of


class StoryPlacement(models.Model):
    """A story in an issue. The constraint allows a story in one issue and one digest of a publication."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE)
    story = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="placements")
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="placements")
    kind = models.CharField(max_length=10, choices=Issue.Kind.choices, default=Issue.Kind.ISSUE)

    wagtail_reference_index_ignore = True
    part_of = "issue"  # what uses the story, for `find_uses`

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "kind", "story"], name="story_once_per_publication"),
            one_of("story_placement_kind", "kind", ["issue", "digest"]),
        ]


class StoryRefusal(models.Model):
    """Staff decided that no issue of a publication gets this story by itself; without a publication, no issue at all."""

    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="refusals")
    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, null=True, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["story", "publication"], name="story_refused_once_per_publication"),
            models.UniqueConstraint(
                fields=["story"], condition=models.Q(publication__isnull=True), name="story_refused_once_for_all"
            ),
        ]
