"""Limits on every send: the rate of a provider account, the daily number of people, and whether mail may go at all."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.publications import Publication


class ProviderAccount(models.Model):
    """The shared rate limit of one provider account: the earliest moment of the next call.

    Single mails go between the calls of a bulk send and ignore ``next_at``. ``wait_until`` stops every call.
    """

    name = models.CharField(max_length=120, unique=True)
    next_at = models.FloatField(default=0, help_text=gettext_lazy("Seconds since 1970."))
    wait_until = models.FloatField(default=0, help_text=gettext_lazy("Seconds since 1970: no calls before this."))
    failures = models.PositiveIntegerField(default=0, help_text=gettext_lazy("Single mails that failed in a row."))
    pace = models.FloatField(
        default=1, help_text=gettext_lazy("Share of the rate in use since the provider answered “too many”.")
    )

    wagtail_reference_index_ignore = True


class SendingDay(models.Model):
    """The number of people that a publication was sent to on one local day. The daily limit reads it."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    people = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication", "day"], name="sending_day_once")]


class Installation(models.Model):
    """One row: which installation this database belongs to, and whether it may send at all.

    ``released_at`` is when staff last ended a hold. What a machine's journal recorded before that no longer counts.
    """

    address_key_hash = models.CharField(max_length=64)
    held = models.BooleanField(default=False)
    reason = MessageField(blank=True)
    changed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_installation")]
