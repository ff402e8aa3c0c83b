"""Links that a person asked to get by mail. Each works once, for an hour. `newsletter.jobs.link_mails` mails the due ones."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from subscribers.models.lists import MailingList, make_public_id
from subscribers.models.people import Subscriber
from subscribers.models.queued_mails import QueuedMail, make_repeat_index, make_repeat_rules


class MailedLinkQuerySet(models.QuerySet["MailedLink"]):
    def unsent(self) -> Self:
        """Return those never handed to the provider, oldest first."""
        return self.filter(sent_at__isnull=True).order_by("asked_at", "pk")


class MailedLink(QueuedMail):
    """One link by mail. `public_id` is in its token; `used_at` is written once.

    `new_email` is where the mail goes if the person changes address. All other mails go to the person's own address.
    """

    CLAIMABLE = Q(sent_at__isnull=True) | Q(used_at__isnull=True)
    MAX_SENDING_DELAY = timedelta(hours=1)

    class Kind(models.TextChoices):
        """The purpose of the link. Each value is also a `Purpose` of signed links."""

        PREFERENCES = "preferences", gettext_lazy("a fresh link to the preferences")
        DOWNLOAD = "download", gettext_lazy("download of one’s data")
        ERASE = "erase", gettext_lazy("erasure")
        CHANGE_ADDRESS = "move", gettext_lazy("a change of address")
        CONFIRM_ADDRESS = "arrive", gettext_lazy("confirmation of a new address")

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="mailed_links")
    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    public_id = models.CharField(max_length=16, unique=True, default=make_public_id, editable=False)
    new_email = models.CharField(max_length=254, blank=True, default="")
    asked_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = MailedLinkQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["preferences", "download", "erase", "move", "arrive"]), name="mailed_link_kind"
            ),
            models.CheckConstraint(
                condition=(Q(kind="arrive") & ~Q(new_email="")) | (~Q(kind="arrive") & Q(new_email="")),
                name="mailed_link_new_address",
            ),
            models.UniqueConstraint(
                fields=["subscriber", "kind"], condition=Q(sent_at__isnull=True), name="mailed_link_one_due"
            ),
            *make_repeat_rules("mailed_link"),
        ]
        indexes = [make_repeat_index("mailed_link")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.subscriber}"

    @property
    def useful_until(self) -> datetime:
        return self.asked_at + self.MAX_SENDING_DELAY
