"""Sign-ups held for staff, and confirmation mails. A sender elsewhere mails the due ones."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy, ngettext_lazy

from newsletter.common.message_fields import MessageField
from subscribers.addresses.normalise import mask
from subscribers.models.lists import MailingList, Topic
from subscribers.models.locations import SubscriberLocation
from subscribers.models.people import Subscriber
from subscribers.models.queued_mails import QueuedMail, make_repeat_index, make_repeat_rules


class HeldSignup(models.Model):
    """One held sign-up. It is deleted when staff decide, or after a week."""

    email = models.CharField(max_length=254)
    address_hash = models.BinaryField(max_length=32, editable=False)
    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="held_signups")
    name = models.CharField(max_length=200, blank=True, default="")
    language = models.CharField(max_length=16, blank=True, default="")
    place = models.ForeignKey(SubscriberLocation, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    topics = models.ManyToManyField(Topic, blank=True, related_name="+")
    wording = models.TextField()
    source = MessageField()
    reason = MessageField()
    at = models.DateTimeField()

    counted_as = ngettext_lazy("%(number)s sign-up to review", "%(number)s sign-ups to review", "count")
    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = gettext_lazy("held sign-up")
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["address_hash", "mailing_list"], name="held_signup_once")]

    def __str__(self) -> str:
        return mask(self.email)


class ConfirmationQuerySet(models.QuerySet["Confirmation"]):
    def unsent(self) -> Self:
        """Return those never handed to the provider, oldest first."""
        return self.filter(sent_at__isnull=True).order_by("requested_at", "pk")


class Confirmation(QueuedMail):
    """One confirmation mail."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="confirmations")
    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+")
    requested_at = models.DateTimeField()

    objects = ConfirmationQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "mailing_list"], condition=Q(sent_at__isnull=True), name="confirmation_one_due"
            ),
            *make_repeat_rules("confirmation"),
        ]
        indexes = [make_repeat_index("confirmation")]

    def __str__(self) -> str:
        return f"confirmation to {self.subscriber}"
