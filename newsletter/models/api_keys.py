"""Keys that the organisation's other systems use for the API. Only the hash of a key is stored."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def valid(self, *, now: datetime) -> Self:
        """Keep the keys that are neither revoked nor expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), revoked_at__isnull=True)


class ApiKey(models.Model):
    """A key of the API. `digest` is its SHA-256 in hexadecimal; `hint` is its first characters, to tell keys apart."""

    class Scope(models.TextChoices):
        PEOPLE = "people", gettext_lazy("sign up, change and read people")
        READ = "read", gettext_lazy("read publications, issues and receipts")
        BOTH = "people read", gettext_lazy("both")

    name = models.CharField(
        max_length=120, help_text=gettext_lazy("What uses the key, such as “Web site” or “Donor database”.")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False)
    scope = models.CharField(max_length=12, choices=Scope.choices)
    made_by = models.CharField(max_length=254)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=254, blank=True, default="")

    objects = ApiKeyQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]
        verbose_name = "API key"
        default_permissions = ("change",)
        constraints = [
            models.CheckConstraint(condition=Q(scope__in=["people", "read", "people read"]), name="api_key_scope")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"
