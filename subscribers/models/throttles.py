"""What has been tried, counted in the database, so that all processes share one count. Rows hold keyed hashes only."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

MAX_CONFIRMATION_REQUESTS = 3


class Asking(models.Model):
    """How often a mailbox was asked to confirm since it last did. One row for all spellings of one mailbox."""

    mailbox = models.BinaryField(max_length=32, unique=True)
    times = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(times__lte=MAX_CONFIRMATION_REQUESTS), name="asking_at_most_three")
        ]

    def __str__(self) -> str:
        return f"asked {self.times} times"


class Tally(models.Model):
    """How often something happened within one stretch of time. `subject` is a keyed hash of what is counted."""

    subject = models.BinaryField(max_length=32)
    starts_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name_plural = gettext_lazy("tallies")
        constraints = [models.UniqueConstraint(fields=["subject", "starts_at"], name="tally_one_a_stretch")]

    def __str__(self) -> str:
        return f"{self.count} since {self.starts_at:%Y-%m-%d %H:%M}"


class SpentProof(models.Model):
    """A solved challenge that has been used. The unique row is what makes it single-use."""

    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"spent until {self.expires_at:%Y-%m-%d %H:%M}"
