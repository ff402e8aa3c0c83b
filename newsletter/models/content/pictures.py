"""Pictures copied from other sites, re-encoded, and hosted under names that nobody can guess."""

import secrets

from django.conf import settings
from django.db import models


def make_picture_name() -> str:
    return secrets.token_urlsafe(16)


class Picture(models.Model):
    """One re-encoded picture. ``file`` is relative to the media folder, ``source_url`` is where it was copied from.

    ``original`` is set for a rendition made for one position in a mail. ``byte_size`` is the size of the file.
    ``colour`` is the dominant one as ``#rrggbb``, "" for a picture with transparency.
    """

    name = models.CharField(max_length=40, unique=True, default=make_picture_name, editable=False)
    source_url = models.URLField(max_length=2000, blank=True, db_index=True)
    file = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    alt = models.CharField(max_length=300, blank=True)
    original = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="renditions", editable=False)
    byte_size = models.PositiveIntegerField(default=0, editable=False)
    colour = models.CharField(max_length=7, blank=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    wagtail_reference_index_ignore = True

    def __str__(self) -> str:
        return self.alt or f"Picture {self.pk}"

    @property
    def url(self) -> str:
        extension = self.file.rsplit(".", 1)[-1]
        return f"{settings.NEWSLETTER_SITE_URL}/m/{self.name}.{extension}"
