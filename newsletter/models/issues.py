"""Issues, the frozen revisions of their content, their variants, and approvals."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy
from wagtail.models import LockableMixin, PreviewableMixin, RevisionMixin

from newsletter.common.errors import InvariantViolated
from newsletter.common.message_fields import MessageField, MessagesJSONField
from newsletter.models.body_blocks import BodyField, make_body_block
from newsletter.models.content import Story
from newsletter.models.publications import Layout, Publication, Slot
from newsletter.models.states import one_of
from newsletter.rendering.merge import fill_sample


class Issue(LockableMixin, RevisionMixin, PreviewableMixin, models.Model):
    """One numbered issue of a publication. Staff edit its texts, layout and body; services change everything else."""

    class Kind(models.TextChoices):
        """A scheduled issue, a monthly digest for those who chose it, or a correction for those with old event details."""

        ISSUE = "issue", gettext_lazy("issue")
        DIGEST = "digest", gettext_lazy("monthly digest")
        CORRECTION = "correction", gettext_lazy("correction")

    class State(models.TextChoices):
        DRAFT = "draft", gettext_lazy("Draft")
        IN_REVIEW = "in_review", gettext_lazy("In Review")
        APPROVED = "approved", gettext_lazy("Approved")
        SENDING = "sending", gettext_lazy("Sending")
        SENT = "sent", gettext_lazy("Sent")
        CANCELLED = "cancelled", gettext_lazy("Cancelled")

    SERVICE_MANAGED_FIELDS = (
        "publication_id",
        "slot_id",
        "kind",
        "number",
        "state",
        "held",
        "held_reason",
        "released_at",
        "reasons",
        "made_at",
        "public_id",
        "assembled",
        "in_archive",
        "announced_people",
        "announced_audience",
    )

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="issues", editable=False)
    slot = models.OneToOneField(Slot, on_delete=models.PROTECT, null=True, related_name="issue", editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ISSUE, editable=False)
    number = models.PositiveIntegerField(editable=False)
    public_id = models.CharField(max_length=32, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT, editable=False)
    held = models.BooleanField(default=False, editable=False)
    held_reason = MessageField(blank=True, editable=False)
    released_at = models.DateTimeField(null=True, editable=False)
    reasons = MessagesJSONField(
        default=list, editable=False, help_text=gettext_lazy("[{kind, title, in, why}, …] as assembly decided.")
    )
    made_at = models.DateTimeField(editable=False)
    assembled = models.JSONField(
        default=dict,
        editable=False,
        help_text=gettext_lazy("{subject, preheader, body} as assembly left it, before any edit."),
    )
    in_archive = models.BooleanField(default=True, editable=False)
    announced_people = models.PositiveIntegerField(
        null=True, editable=False, help_text=gettext_lazy("How many people staff were told would get it.")
    )
    announced_audience = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text=gettext_lazy("The hash of the audience staff were told of."),
    )
    subject = models.CharField(gettext_lazy("subject"), max_length=300, blank=True)
    preheader = models.CharField(gettext_lazy("preheader"), max_length=300, blank=True)
    layout = models.CharField(
        gettext_lazy("layout"),
        max_length=12,
        choices=Layout.choices,
        blank=True,
        help_text=gettext_lazy("Empty: that of the publication."),
    )
    headline = models.CharField(
        gettext_lazy("headline"),
        max_length=200,
        blank=True,
        help_text=gettext_lazy("Above an announcement, an event notice or an appeal. Empty: the subject."),
    )
    body = BodyField(make_body_block(), verbose_name=gettext_lazy("body"), blank=True)

    class Meta:
        verbose_name = gettext_lazy("issue")
        verbose_name_plural = gettext_lazy("issues")
        ordering = ["-made_at", "-id"]
        permissions = [
            ("approve_issue", gettext_lazy("Can approve an issue")),
            ("send_issue", gettext_lazy("Can start, pause and stop a send")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["publication", "kind", "number"], name="issue_number_once"),
            one_of("issue_layout", "layout", ["", *Layout.values]),
            one_of("issue_kind", "kind", ["issue", "digest", "correction"]),
            one_of("issue_state", "state", ["draft", "in_review", "approved", "sending", "sent", "cancelled"]),
        ]

    def __str__(self) -> str:
        name = self.publication.name
        return (
            f"{name} No. {self.number}"
            if self.kind == self.Kind.ISSUE
            else f"{name}, {self.get_kind_display()} {self.number}"
        )

    @property
    def reference(self) -> str:
        number = str(self.number) if self.kind == self.Kind.ISSUE else f"{self.kind}-{self.number}"
        return f"{self.publication.slug}/{number}"

    @property
    def sample_subject(self) -> str:
        """Return the subject as a sample person reads it."""
        return fill_sample(self.subject)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save without the columns that services manage, unless the row is new or ``update_fields`` is given."""
        if self.pk and not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                field.attname
                for field in self._meta.concrete_fields
                if not field.primary_key and field.attname not in self.SERVICE_MANAGED_FIELDS
            ]
        super().save(*args, **kwargs)

    def with_content_json(self, content: dict[str, Any]) -> "Issue":
        """Restore the content of an older revision and keep the columns that services manage."""
        issue: Issue = super().with_content_json(content)
        for name in self.SERVICE_MANAGED_FIELDS:
            setattr(issue, name, getattr(self, name))
        return issue


class StoryPlacement(models.Model):
    """A story in an issue. The constraint allows a story in one issue and one digest of a publication."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE)
    story = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="placements")
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="placements")
    kind = models.CharField(max_length=10, choices=Issue.Kind.choices, default=Issue.Kind.ISSUE)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "kind", "story"], name="story_once_per_publication"),
            one_of("story_placement_kind", "kind", ["issue", "digest"]),
        ]


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


class Variant(_ImmutableModel):
    """The issue as one group of recipients gets it, with tokens for personal values. ``sha256`` covers these bytes."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="variants")
    revision = models.ForeignKey(IssueRevision, on_delete=models.CASCADE, related_name="variants")
    key = models.CharField(max_length=16)
    public_id = models.CharField(max_length=32, unique=True)
    label = models.CharField(max_length=200)
    language = models.CharField(max_length=12)
    subject = models.TextField()
    preheader = models.TextField(blank=True)
    html = models.TextField()
    text = models.TextField()
    variables = models.JSONField(default=list)
    findings = MessagesJSONField(default=list)
    sha256 = models.CharField(max_length=64)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["issue", "revision", "key"], name="variant_once")]

    def __str__(self) -> str:
        return self.label


class ShownItem(models.Model):
    """A story or event that a variant shows, to find the people who saw it."""

    class Kind(models.TextChoices):
        STORY = "story", gettext_lazy("Story")
        EVENT = "event", gettext_lazy("Event")

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="shown_items")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    row_id = models.BigIntegerField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "row_id", "variant"], name="shown_item_once"),
            one_of("shown_item_kind", "kind", ["story", "event"]),
        ]


class ReaderGroup(models.Model):
    """The variant for recipients with the same place, giving status, radius and frequency; None if they get nothing.

    ``place_id`` 0 means an unknown place, ``radius_km`` 0 the publication's own radius.
    """

    revision = models.ForeignKey(IssueRevision, on_delete=models.CASCADE, related_name="groups")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="groups", null=True)
    place_id = models.BigIntegerField()
    giving = models.CharField(max_length=8)
    radius_km = models.PositiveIntegerField(default=0)
    frequency = models.CharField(max_length=8, default="every")
    people = models.PositiveIntegerField(default=0, help_text=gettext_lazy("When the variants were last made."))

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "place_id", "giving", "radius_km", "frequency"], name="reader_group_once"
            )
        ]


class Approval(models.Model):
    """A named person's approval of one content hash, or an automatic one by the publication's policy (``by_policy``).

    ``audience`` is the list and segment rule that it was for, and ``people`` the number of recipients then. Without them
    it approves nothing that is not frozen yet.
    """

    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="approvals")
    revision = models.ForeignKey(IssueRevision, on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    by_policy = models.BooleanField(default=False)
    audience = models.JSONField(default=dict)
    audience_sha256 = models.CharField(max_length=64, blank=True)
    people = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "sha256", "person"],
                condition=models.Q(withdrawn_at__isnull=True, person__isnull=False),
                name="approval_once_per_person",
            ),
            models.UniqueConstraint(
                fields=["issue", "sha256"],
                condition=models.Q(withdrawn_at__isnull=True, by_policy=True),
                name="approval_once_by_policy",
            ),
            models.CheckConstraint(
                condition=models.Q(person__isnull=False, by_policy=False)
                | models.Q(person__isnull=True, by_policy=True),
                name="approval_has_one_source",
            ),
            models.CheckConstraint(
                condition=models.Q(audience_sha256="", people__isnull=True)
                | (~models.Q(audience_sha256="") & models.Q(people__isnull=False)),
                name="approval_names_its_audience",
            ),
        ]
