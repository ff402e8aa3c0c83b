"""Slots: the due times of a publication's schedule, each with what became of it."""

from django.db import models
from django.utils.translation import gettext_lazy, ngettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.publications import Publication
from newsletter.models.states import one_of


class Slot(models.Model):
    """One due time. ``due_local`` is wall-clock time without offset, so an hour that comes twice in autumn is one slot.

    ``period`` is the month (``YYYY-MM``) in which a digest is due. The database allows one digest a month.
    ``checked_at`` is when staff said that they know if an uncertain one was sent.
    """

    class Kind(models.TextChoices):
        ISSUE = "issue", gettext_lazy("Issue")
        DIGEST = "digest", gettext_lazy("Digest")

    class State(models.TextChoices):
        DUE = "due", gettext_lazy("Due")
        ASSEMBLED = "assembled", gettext_lazy("Assembled")
        SKIPPED = "skipped", gettext_lazy("Skipped")
        MISSED = "missed", gettext_lazy("Missed")
        UNCERTAIN = "uncertain", gettext_lazy("May have been sent")

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="slots")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ISSUE)
    due_local = models.CharField(max_length=16)
    period = models.CharField(max_length=7, blank=True, default="")
    due_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DUE)
    reason = MessageField(blank=True)
    made_at = models.DateTimeField()
    assembled_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)

    counted_as = ngettext_lazy("%(number)s time of its schedule", "%(number)s times of its schedule", "count")
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-due_at"]
        constraints = [
            models.UniqueConstraint(fields=["publication", "kind", "due_local"], name="slot_once"),
            models.UniqueConstraint(
                fields=["publication", "period"], condition=models.Q(kind="digest"), name="one_digest_a_month"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="issue", period="") | models.Q(kind="digest") & ~models.Q(period=""),
                name="slot_kind_and_period",
            ),
            one_of("slot_state", "state", ["due", "assembled", "skipped", "missed", "uncertain"]),
            models.CheckConstraint(
                condition=models.Q(checked_at__isnull=True) | models.Q(state="uncertain"),
                name="slot_checked_if_uncertain",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.publication_id} {self.due_local}"
