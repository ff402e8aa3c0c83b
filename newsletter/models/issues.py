"""Issues. Slots are in `slots`, content is in `issue_content`, approvals in `approvals`, used stories in `story_use`."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy
from wagtail.models import LockableMixin, PreviewableMixin, RevisionMixin

from newsletter.common.message_fields import MessageField, MessagesJSONField
from newsletter.models.body_blocks import BodyField
from newsletter.models.brands import Layout
from newsletter.models.publications import Publication
from newsletter.models.schema_blocks import make_body_block
from newsletter.models.slots import Slot
from newsletter.models.states import one_of
from newsletter.rendering.merge import show_defaults
from subscribers.models import Segment

MAX_SHOWN_LENGTH = 300
"""The most characters that a page of the desk shows of a subject."""


class IssueManager(models.Manager["Issue"]):
    """Leave out the reasons of the assembly: a hundred kilobytes each, which only few pages show. They are read when used."""

    def get_queryset(self) -> models.QuerySet["Issue"]:
        return super().get_queryset().defer("reasons")


class Issue(LockableMixin, RevisionMixin, PreviewableMixin, models.Model):
    """One numbered issue of a publication. Staff edit its texts, layout and body; services change everything else.

    An issue of the schedule and a digest belong to a slot; a correction and an issue on demand do not.
    ``due_at`` is when it is sent; None means when a person sends it. ``segment`` narrows the audience of the publication.
    A welcome mail goes to each new subscriber: its ``number`` is its step, ``delay_days`` how long after they confirmed, and
    ``on_since`` when it was turned on: nobody who confirmed before gets it. It is never sent to the end, so it stays approved.
    ``closed_at``, ``closed_by`` and ``closed_reason`` are set if a person decided not to send it.
    """

    class Kind(models.TextChoices):
        """A scheduled issue, a monthly digest for those who chose it, a correction of event details, or a welcome mail."""

        ISSUE = "issue", gettext_lazy("issue")
        DIGEST = "digest", gettext_lazy("monthly digest")
        CORRECTION = "correction", gettext_lazy("correction")
        WELCOME = "welcome", gettext_lazy("welcome mail")

    class State(models.TextChoices):
        DRAFT = "draft", gettext_lazy("Draft")
        IN_REVIEW = "in_review", gettext_lazy("In review")
        APPROVED = "approved", gettext_lazy("Approved")
        SENDING = "sending", gettext_lazy("Sending")
        SENT = "sent", gettext_lazy("Sent")
        CANCELLED = "cancelled", gettext_lazy("Cancelled")

    UNAPPROVED_STATES = (State.DRAFT, State.IN_REVIEW)
    UNSENT_STATES = (*UNAPPROVED_STATES, State.APPROVED)

    GRACE_PERIOD = timedelta(hours=6)
    """How late an issue may still be sent without a person's decision."""

    MAX_DELAY_DAYS = 60

    TEXT_LIMITS = {"subject": 300, "preheader": 300, "headline": 200}
    """The most characters of texts that staff write. A draft may hold more: `find_incomplete_parts` names them."""

    SERVICE_MANAGED_FIELDS = (
        "publication_id",
        "slot_id",
        "segment_id",
        "completes_id",
        "due_at",
        "delay_days",
        "on_since",
        "closed_at",
        "closed_by_id",
        "closed_reason",
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
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, null=True, related_name="+", editable=False)
    completes = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="completions",
        editable=False,
        help_text=gettext_lazy("The issue whose cancelled send this one completes: it goes to those not reached."),
    )
    due_at = models.DateTimeField(null=True, db_index=True, editable=False)
    delay_days = models.PositiveSmallIntegerField(null=True, editable=False)
    on_since = models.DateTimeField(null=True, editable=False)
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
        help_text=gettext_lazy("{subject, preheader, body} as assembled, before any edit."),
    )
    in_archive = models.BooleanField(default=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )
    closed_reason = models.CharField(max_length=500, blank=True, editable=False)
    announced_people = models.PositiveIntegerField(
        null=True, editable=False, help_text=gettext_lazy("The number of recipients in the notice to staff.")
    )
    announced_audience = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text=gettext_lazy("The hash of the audience in the notice to staff."),
    )
    subject = models.CharField(gettext_lazy("subject"), blank=True)
    preheader = models.CharField(gettext_lazy("preheader"), blank=True)
    layout = models.CharField(
        gettext_lazy("layout"),
        max_length=12,
        choices=[("", gettext_lazy("The publication’s layout")), *Layout.choices],
        blank=True,
    )
    headline = models.CharField(
        gettext_lazy("headline"),
        blank=True,
        help_text=gettext_lazy("Heading of announcements, event notices and appeals. Leave empty to use the subject."),
    )
    charitable = models.BooleanField(
        gettext_lazy("only for our charitable purposes"),
        default=True,
        help_text=gettext_lazy(
            "Turn this off if it also sells or promotes something else, such as a shop. People covered only by the UK’s "
            "charitable soft opt-in do not get it then."
        ),
    )
    body = BodyField(make_body_block(), verbose_name=gettext_lazy("body"), blank=True)

    objects = IssueManager()

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
            one_of("issue_kind", "kind", ["issue", "digest", "correction", "welcome"]),
            models.CheckConstraint(
                condition=models.Q(kind="issue")
                | models.Q(kind="digest", slot__isnull=False)
                | models.Q(kind__in=["correction", "welcome"], slot__isnull=True),
                name="issue_kind_and_slot",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(number=1, delay_days=0) | models.Q(number__in=[2, 3], delay_days__gte=1),
                    kind="welcome",
                    segment__isnull=True,
                    due_at__isnull=True,
                    state__in=["draft", "in_review", "approved"],
                )
                | ~models.Q(kind="welcome") & models.Q(delay_days__isnull=True, on_since__isnull=True),
                name="welcome_mail_has_step_and_days",
            ),
            models.CheckConstraint(
                condition=models.Q(slot__isnull=True) | models.Q(due_at__isnull=False), name="issue_of_a_slot_is_due"
            ),
            models.UniqueConstraint(
                fields=["completes"], condition=~models.Q(state="cancelled"), name="one_live_completion_per_issue"
            ),
            models.CheckConstraint(
                condition=models.Q(completes__isnull=True) | models.Q(kind="issue", slot__isnull=True),
                name="issue_that_completes_is_on_demand",
            ),
            models.CheckConstraint(
                condition=models.Q(slot__isnull=True) | models.Q(segment__isnull=True),
                name="issue_of_a_slot_has_no_segment",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True, closed_by__isnull=True, closed_reason="")
                | (
                    models.Q(closed_at__isnull=False, closed_by__isnull=False, state="cancelled")
                    & ~models.Q(closed_reason="")
                ),
                name="issue_closed_by_a_person_for_a_reason",
            ),
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
    def is_on_demand(self) -> bool:
        """Return True if a person made it: the schedule did not, and it corrects nothing."""
        return self.kind == self.Kind.ISSUE and self.slot_id is None

    @property
    def is_welcome(self) -> bool:
        """Return True for a mail that each new subscriber gets."""
        return self.kind == self.Kind.WELCOME

    @property
    def is_charitable(self) -> bool:
        """Return True if it and its publication serve only the organisation's charitable purposes."""
        return self.charitable and self.publication.charitable

    @property
    def reference(self) -> str:
        return format_reference(publication=self.publication.slug, kind=self.kind, number=self.number)

    @property
    def default_subject(self) -> str:
        """Return the subject with the default of each personal field."""
        return show_defaults(self.subject)

    @property
    def shown_subject(self) -> str:
        """Return the default subject for a page of the desk. That of a draft may be much longer than can be approved."""
        return Truncator(self.default_subject).chars(MAX_SHOWN_LENGTH)

    @property
    def shown_preheader(self) -> str:
        """Return the default preheader for a page of the desk."""
        return Truncator(self.default_preheader).chars(MAX_SHOWN_LENGTH)

    @property
    def default_preheader(self) -> str:
        """Return the preheader with the default of each personal field."""
        return show_defaults(self.preheader)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save without the columns that services manage, unless the row is new or ``update_fields`` is given."""
        if self.pk and not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                field.attname
                for field in self._meta.concrete_fields
                if not field.primary_key and field.attname not in self.SERVICE_MANAGED_FIELDS
            ]
        super().save(*args, **kwargs)

    def store_revision(self, *, by: User | AnonymousUser | None = None) -> None:
        """Store the content that was just saved as a revision. It is not validated again: the database has checked it.

        Nor is it searched again for the rows that it uses: the save has recorded them in Wagtail's reference index.
        """
        from wagtail.signal_handlers import disable_reference_index_auto_update  # it needs all models

        with disable_reference_index_auto_update():
            self.save_revision(user=by if isinstance(by, User) else None, log_action=False, clean=False)

    def with_content_json(self, content: dict[str, object]) -> "Issue":
        """Restore the content of an older revision and keep the columns that services manage."""
        issue: Issue = super().with_content_json(content)
        for name in self.SERVICE_MANAGED_FIELDS:
            setattr(issue, name, getattr(self, name))
        return issue


def format_reference(*, publication: str, kind: str, number: int | None) -> str:
    """Return how an issue is named, such as “weekly/12” or “weekly/digest-3”."""
    return f"{publication}/{number if kind == Issue.Kind.ISSUE else f'{kind}-{number}'}"
