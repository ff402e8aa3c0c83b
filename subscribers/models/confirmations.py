"""Confirmation mails that are due or were sent; whoever sends mail picks the due ones up."""

from typing import Self

from django.db import models
from django.db.models import Q

from subscribers.models.lists import MailingList
from subscribers.models.people import Subscriber


class ConfirmationQuerySet(models.QuerySet["Confirmation"]):
    def due(self) -> Self:
        """Asked for and not yet sent, oldest first."""
        return self.filter(sent_at__isnull=True).order_by("requested_at", "pk")


class Confirmation(models.Model):
    """One confirmation mail. `sent_at` is written by the sender, once."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="confirmations")
    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+")
    requested_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = ConfirmationQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "mailing_list"], condition=Q(sent_at__isnull=True), name="confirmation_one_due"
            )
        ]

    def __str__(self) -> str:
        return f"confirmation to {self.subscriber}"
