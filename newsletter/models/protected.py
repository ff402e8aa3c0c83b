"""Words that must never leave the organisation: real names, case numbers, places of shelter. Kept encrypted."""

from django.db import models
from django.utils.translation import gettext_lazy


class ProtectedTerm(models.Model):
    """``sealed`` is the encrypted term; ``digest`` its keyed hash, so that one term stands once. `issues.protected` opens it."""

    sealed = models.TextField(editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    note = models.CharField(
        max_length=200,
        blank=True,
        help_text=gettext_lazy("Why it is here, in words that give nothing away: “real name, story of May”."),
    )
    made_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["made_at"]

    def __str__(self) -> str:
        return self.note or f"Protected term {self.pk}"
