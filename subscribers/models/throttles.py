"""Counters of attempts, kept in the database so that all processes share them. Rows hold keyed hashes only."""

from django.db import models
from django.db.models import Q

MAX_CONFIRMATION_REQUESTS = 3


class ConfirmationQuota(models.Model):
    """The number of confirmation mails to one mailbox since it last confirmed. All its spellings share one row."""

    mailbox = models.BinaryField(max_length=32, unique=True)
    request_count = models.PositiveSmallIntegerField(default=0)
    last_requested_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(request_count__lte=MAX_CONFIRMATION_REQUESTS), name="confirmation_quota_at_most_three"
            )
        ]

    def __str__(self) -> str:
        return f"{self.request_count} confirmation requests"


class RateCounter(models.Model):
    """The number of events in one time window. `subject` is a keyed hash of the counted address or network."""

    subject = models.BinaryField(max_length=32)
    starts_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "starts_at"], name="rate_counter_one_a_window")]

    def __str__(self) -> str:
        return f"{self.count} since {self.starts_at:%Y-%m-%d %H:%M}"


class SpentProof(models.Model):
    """A solved challenge that has been used. The unique digest makes each solution count once."""

    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return f"spent until {self.expires_at:%Y-%m-%d %H:%M}"
