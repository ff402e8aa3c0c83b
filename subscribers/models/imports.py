"""One row an import and one a refused line, so that an import can be explained and undone."""

from django.db import models

from subscribers.models.lists import MailingList
from subscribers.models.subscriptions import Basis


class ImportBatch(models.Model):
    """One file of people brought in at once. Counts are null until the import finished."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.PROTECT, related_name="import_batches")
    file_name = models.CharField(max_length=200, blank=True, default="")
    basis = models.CharField(max_length=24, choices=Basis.choices)
    evidence = models.TextField()
    by = models.CharField(max_length=254)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    encoding = models.CharField(max_length=16, blank=True, default="")
    counts = models.JSONField(blank=True, default=dict)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(basis__in=Basis.values), name="import_batch_basis")]

    def __str__(self) -> str:
        return f"Import {self.pk} into {self.mailing_list}"


class ImportRefusal(models.Model):
    """A line that was not imported, kept for staff to repair. `line` counts from 1, the header included."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="refusals")
    line = models.PositiveIntegerField()
    raw = models.TextField()
    reason = models.TextField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["line"]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
