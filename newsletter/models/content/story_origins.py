"""Stories on the web: the sources that list them, their URLs, and if their site still shows them."""

from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.content.sources import Source
from newsletter.models.states import one_of


class GoneCode(models.TextChoices):
    """Why a story may no longer be shown, by the last check of its own site."""

    REMOVED = "removed", gettext_lazy("Removed at its source")
    PRIVATE = "private", gettext_lazy("Not public at its source")
    PROTECTED = "protected", gettext_lazy("Protected by a password at its source")


class SourceVisibilityMixin(models.Model):
    """The result of the last check of a story's own page or post.

    ``check_failed`` is why the last check gave no answer; it is only for information.
    """

    gone_at = models.DateTimeField(null=True, editable=False)
    gone_code = models.CharField(max_length=9, choices=GoneCode.choices, blank=True, default="", editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    check_failed = MessageField(blank=True, default="", editable=False)
    page_etag = models.CharField(max_length=500, blank=True, default="", editable=False)
    page_modified = models.CharField(max_length=100, blank=True, default="", editable=False)
    same_as = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="twins",
        help_text=gettext_lazy("The story to use, if two rows are the same story."),
    )

    class Meta:
        abstract = True
        constraints = [
            one_of("story_gone_code", "gone_code", ["", *GoneCode.values]),
            models.CheckConstraint(
                condition=models.Q(gone_at__isnull=True, gone_code="")
                | (models.Q(gone_at__isnull=False) & ~models.Q(gone_code="")),
                name="story_gone_has_code",
            ),
        ]


class StoryOrigin(models.Model):
    """One source's entry for a story. Several sources may list the same story."""

    story = models.ForeignKey("newsletter.Story", on_delete=models.CASCADE, related_name="origins")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="origins")
    external_id = models.CharField(max_length=500)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="story_origin_once")]

    def __str__(self) -> str:
        return f"{self.source}: {self.external_id}"


class StoryAddress(models.Model):
    """One URL of a story. ``sha256`` is the hash of its normalised form, so that no two stories share a URL."""

    story = models.ForeignKey("newsletter.Story", on_delete=models.CASCADE, related_name="addresses")
    sha256 = models.CharField(max_length=64, unique=True)
    address = models.CharField(max_length=2000)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name_plural = gettext_lazy("story addresses")

    def __str__(self) -> str:
        return self.address
