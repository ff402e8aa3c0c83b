"""Sign-ups that came in too fast to be taken unseen: staff let them in or drop them; nothing is lost."""

from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from subscribers.addresses.normalise import mask
from subscribers.models.lists import MailingList, Topic
from subscribers.models.locations import SubscriberLocation


class HeldSignup(models.Model):
    """One request that waits for a person to look at it. It is deleted when decided, or by itself after a week."""

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

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = gettext_lazy("held sign-up")
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["address_hash", "mailing_list"], name="held_signup_once")]

    def __str__(self) -> str:
        return mask(self.email)
