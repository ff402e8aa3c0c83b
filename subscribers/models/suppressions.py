"""The suppression list, and unsubscribes counted by mailing. Rows contain no address, so they survive an erasure."""

from typing import Self

from django.db import models
from django.db.models import OuterRef, Q
from django.utils.translation import gettext_lazy, ngettext_lazy

from newsletter.common.message_fields import MessageField
from subscribers.models.lists import MailingList


class Scope(models.TextChoices):
    ALL = "all", gettext_lazy("all mail")
    LIST = "list", gettext_lazy("one list")


class Reason(models.TextChoices):
    UNSUBSCRIBE = "unsubscribe", gettext_lazy("unsubscribed")
    COMPLAINT = "complaint", gettext_lazy("reported as spam")
    HARD = "hard", gettext_lazy("the address does not exist")
    SOFT_LIMIT = "soft_limit", gettext_lazy("mail kept failing")
    ERASURE = "erasure", gettext_lazy("asked to be erased")
    STAFF = "staff", gettext_lazy("blocked by staff")
    LEGAL = "legal", gettext_lazy("legal reasons")


LIVE = Q(removed_at__isnull=True)


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def live(self) -> Self:
        """Return those not removed."""
        return self.filter(LIVE)

    def covering(self, mailing_list: MailingList | OuterRef) -> Self:
        """Return live ones that forbid mail of this list: of scope `all`, or of this list."""
        return self.live().filter(Q(scope=Scope.ALL) | Q(mailing_list=mailing_list))


class Suppression(models.Model):
    """An address that must not be mailed, with scope and reason. It is removed by a date, never deleted."""

    address_hash = models.BinaryField(max_length=32)
    scope = models.CharField(max_length=4, choices=Scope.choices)
    mailing_list = models.ForeignKey(MailingList, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=12, choices=Reason.choices)
    at = models.DateTimeField()
    note = MessageField(blank=True, default="")
    import_batch = models.ForeignKey(
        "subscribers.ImportBatch", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.CharField(max_length=254, blank=True, default="")
    removal_reason = MessageField(blank=True, default="")

    objects = SuppressionQuerySet.as_manager()
    counted_as = ngettext_lazy("%(number)s suppression", "%(number)s suppressions", "count")
    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=Reason.values), name="suppression_reason"),
            models.CheckConstraint(
                condition=Q(scope="all", mailing_list__isnull=True) | Q(scope="list", mailing_list__isnull=False),
                name="suppression_scope",
            ),
            models.UniqueConstraint(
                fields=["address_hash", "reason"], condition=LIVE & Q(scope="all"), name="suppression_one_live_all"
            ),
            models.UniqueConstraint(
                fields=["address_hash", "mailing_list", "reason"],
                condition=LIVE & Q(scope="list"),
                name="suppression_one_live_list",
            ),
        ]
        indexes = [models.Index(fields=["address_hash"], name="suppression_address")]

    def __str__(self) -> str:
        return f"{self.reason} ({self.scope})"


class CountedUnsubscribe(models.Model):
    """One person who unsubscribed by a link of one mailing, counted once.

    Both columns are plain numbers, so the row outlives the person and says nothing more about them.
    """

    mailing = models.BigIntegerField()
    subscriber_id = models.BigIntegerField()
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailing", "subscriber_id"], name="unsubscribe_counted_once")]
