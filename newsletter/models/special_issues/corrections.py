"""Corrections: the changed event or the mistake that each is about, and the mails that it corrects."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.models.content.events import EventNotice
from newsletter.models.issues import Issue
from newsletter.models.publications import Publication
from newsletter.models.sending.batches import Delivery
from newsletter.models.states import one_of


class Correction(models.Model):
    """An issue for exactly the people who got wrong details: of ``event``, or by a mistake in the issue that it ``corrects``.

    ``fingerprint`` is that of the event as announced. ``sequence`` counts a publication's corrections of one event, or those
    of one issue, so that two people who press the button at once make one correction. The same details may be announced
    again later, as when an event moves back.
    """

    class ChangeType(models.TextChoices):
        CANCELLED = "cancelled", gettext_lazy("It is cancelled")
        MOVED = "moved", gettext_lazy("It moved")
        RESTORED = "restored", gettext_lazy("It takes place after all")
        MISTAKE = "mistake", gettext_lazy("An issue had a mistake")

    issue = models.OneToOneField(Issue, on_delete=models.CASCADE, related_name="correction")
    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(EventNotice, on_delete=models.PROTECT, null=True, related_name="corrections")
    corrects = models.ForeignKey(Issue, on_delete=models.PROTECT, null=True, related_name="corrections")
    change_type = models.CharField(max_length=10, choices=ChangeType.choices)
    fingerprint = models.CharField(max_length=64, blank=True)
    sequence = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()

    wagtail_reference_index_ignore = True
    part_of = "issue"  # what uses the event, for `find_uses`

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "event", "sequence"], name="correction_sequence_once"),
            models.UniqueConstraint(fields=["corrects", "sequence"], name="correction_of_mistake_once"),
            one_of("correction_change_type", "change_type", ["cancelled", "moved", "restored", "mistake"]),
            models.CheckConstraint(
                condition=Q(change_type="mistake", event__isnull=True, corrects__isnull=False, fingerprint="")
                | ~Q(change_type="mistake") & ~Q(fingerprint="") & Q(event__isnull=False, corrects__isnull=True),
                name="correction_of_event_or_issue",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event or self.corrects}: {self.get_change_type_display().lower()}"


class CorrectedDelivery(models.Model):
    """A mail with old details and the correction that corrects it. Each mail is corrected once for the same details.

    The row is written when the correction's audience is frozen. ``correction_delivery`` is the delivery of the
    correction: if it certainly reached nobody, the mail is not corrected.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="+", db_index=False)
    correction_delivery = models.BigIntegerField()
    correction = models.ForeignKey(Correction, on_delete=models.CASCADE, related_name="corrected_deliveries")
    event = models.ForeignKey(EventNotice, on_delete=models.PROTECT, related_name="+", db_index=False)
    fingerprint = models.CharField(max_length=64)

    wagtail_reference_index_ignore = True
    part_of = "correction"  # what uses the event, for `find_uses`

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "event", "fingerprint"], name="mail_corrected_once"),
        ]
