"""The frozen content of an issue, which people approve, and its variants, which have the bytes that are sent."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.errors import InvariantViolated
from newsletter.common.message_fields import MessagesJSONField
from newsletter.models.issues import Issue
from newsletter.models.states import one_of
from newsletter.models.variant_labels import label_facts


class _ImmutableModel(models.Model):
    """A row that is inserted once and never changed."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk and not self._state.adding:
            raise InvariantViolated(
                "A %(verbose_name)s is written once and never changed.", verbose_name=self._meta.verbose_name
            )
        super().save(*args, **kwargs)


class IssueRevision(_ImmutableModel):
    """The whole content of an issue at one moment, as plain data. Variants are made only from this."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="content_revisions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.JSONField()
    made_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issue", "number"], name="revision_number_once"),
            models.UniqueConstraint(fields=["issue", "sha256"], name="revision_content_once"),
        ]


class VariantQuerySet(models.QuerySet["Variant"]):
    def that_readers_get(self) -> Self:
        """Return the variants that a group of readers gets. Read no text of a mail to find them."""
        return self.filter(models.Exists(ReaderGroup.objects.filter(variant=models.OuterRef("pk"))))


class Variant(_ImmutableModel):
    """The issue as one group of recipients gets it, with tokens for personal values. ``sha256`` covers these bytes."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="variants")
    revision = models.ForeignKey(IssueRevision, on_delete=models.CASCADE, related_name="variants")
    key = models.CharField(max_length=16)
    public_id = models.CharField(max_length=32, unique=True)
    label_facts = models.JSONField(default=list)
    language = models.CharField(max_length=12)
    subject = models.TextField()
    preheader = models.TextField(blank=True)
    html = models.TextField()
    text = models.TextField()
    variables = models.JSONField(default=list)
    findings = MessagesJSONField(default=list)
    sha256 = models.CharField(max_length=64)

    objects = VariantQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["issue", "revision", "key"], name="variant_once")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Return the recipients of this variant in words, in the current language."""
        return label_facts(self.label_facts)


class ShownItem(models.Model):
    """A story or event that a variant shows, to find the people who saw it.

    A story that is ``only_linked`` is named by a link alone: its readers have not had it.
    """

    class Kind(models.TextChoices):
        STORY = "story", gettext_lazy("Story")
        EVENT = "event", gettext_lazy("Event")

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="shown_items")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    row_id = models.BigIntegerField()
    only_linked = models.BooleanField(default=False)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "row_id", "variant"], name="shown_item_once"),
            one_of("shown_item_kind", "kind", ["story", "event"]),
        ]


class ReaderGroup(models.Model):
    """The variant for recipients of whom we know the same; None if they get nothing, and then ``empty_reason`` is its code.

    ``place_id`` 0 means an unknown place, ``radius_km`` 0 the publication's own radius, ``language`` "" its own language.
    ``interests``, ``seen`` and ``rules`` are the numbers of `newsletter.issues.variants.group_keys`; ``fallback`` says what
    readers lose who are too few for their own version (`newsletter.issues.visible.visible_content`). ``arm`` is the subject
    of a test, from 1; 0 without a test, −1 for those who wait.
    """

    revision = models.ForeignKey(IssueRevision, on_delete=models.CASCADE, related_name="groups")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="groups", null=True)
    place_id = models.BigIntegerField()
    giving = models.CharField(max_length=8)
    radius_km = models.PositiveIntegerField(default=0)
    frequency = models.CharField(max_length=8, default="every")
    interests = models.BigIntegerField(default=-1)
    seen = models.BigIntegerField(default=0)
    rules = models.BigIntegerField(default=0)
    language = models.CharField(max_length=12, default="")
    arm = models.SmallIntegerField(default=0)
    fallback = models.PositiveSmallIntegerField(default=0)
    empty_reason = models.CharField(max_length=24, blank=True, default="")
    people = models.PositiveIntegerField(default=0, help_text=gettext_lazy("When the variants were last made."))

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(variant__isnull=False, empty_reason="") | Q(variant__isnull=True) & ~Q(empty_reason=""),
                name="reader_group_without_a_mail_has_a_reason",
            ),
            # The most different fields come first: each person of an audience is looked up by them.
            models.UniqueConstraint(
                fields=[
                    "revision",
                    "interests",
                    "seen",
                    "place_id",
                    "rules",
                    "arm",
                    "radius_km",
                    "language",
                    "giving",
                    "frequency",
                ],
                name="reader_group_once",
            ),
        ]
