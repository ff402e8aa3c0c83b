"""Terms that must never leave the organisation: real names, case numbers, addresses of shelters. Encrypted."""

from django.db import models
from django.utils.translation import gettext_lazy


class ProtectedTerm(models.Model):
    """One protected term. ``sealed`` is the encrypted term, ``digest`` its keyed hash, which keeps terms unique.

    Nothing in the row reveals the term: not in logs, searches or copies of the database.
    `issues.protected_terms.sealer` decrypts it.
    """

    sealed = models.TextField(editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    note = models.CharField(
        max_length=200,
        blank=True,
        help_text=gettext_lazy("Why it is here, without revealing it: “real name, story of May”."),
    )
    made_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = gettext_lazy("protected term")
        verbose_name_plural = gettext_lazy("protected terms")
        ordering = ["made_at"]
        default_permissions = ("change",)
        constraints = [
            models.CheckConstraint(condition=~models.Q(sealed=""), name="protected_term_sealed"),
            models.CheckConstraint(condition=~models.Q(digest=""), name="protected_term_named"),
        ]

    def __str__(self) -> str:
        return f"Protected term {self.pk}"
