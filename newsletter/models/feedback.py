"""What providers tell us afterwards, stored before it is believed."""

from django.db import models


class ProviderEvent(models.Model):
    """One webhook event as it came. The constraint makes counting it twice impossible."""

    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    body = models.JSONField()
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "key"], name="provider_event_once")]
