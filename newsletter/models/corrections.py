"""Which change of which event a correction announces. The constraint is why one change is announced once a publication."""

from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.models.content import EventNotice
from newsletter.models.issues import Issue
from newsletter.models.publications import Publication
from newsletter.models.states import one_of


class Correction(models.Model):
    """``fingerprint`` names the event as it is now: another move makes another correction."""

    class What(models.TextChoices):
        CANCELLED = "cancelled", gettext_lazy("It is cancelled")
        MOVED = "moved", gettext_lazy("It moved")

    issue = models.OneToOneField(Issue, on_delete=models.CASCADE, related_name="correction")
    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(EventNotice, on_delete=models.PROTECT, related_name="corrections")
    what = models.CharField(max_length=10, choices=What.choices)
    fingerprint = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "event", "fingerprint"], name="correction_once"),
            one_of("correction_what", "what", ["cancelled", "moved"]),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.get_what_display().lower()}"
