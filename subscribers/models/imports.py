"""Imports, the stored parts of their files, and their refused lines."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy

from newsletter.common.message_fields import MessageField, MessagesJSONField
from subscribers.addresses.normalise import to_ascii
from subscribers.models.lists import MailingList
from subscribers.models.subscriptions import Basis


class ImportState(models.TextChoices):
    DRAFT = "draft", gettext_lazy("waiting for you")
    CHECKING = "checking", gettext_lazy("being checked")
    CHECKED = "checked", gettext_lazy("checked")
    RUNNING = "running", gettext_lazy("running")
    FINISHED = "finished", gettext_lazy("finished")
    UNDOING = "undoing", gettext_lazy("being undone")
    UNDONE = "undone", gettext_lazy("undone")
    FAILED = "failed", gettext_lazy("stopped")


class ImportKind(models.TextChoices):
    """The kind of people in a file. All except `join` are suppressed and never become subscribers."""

    JOIN = "join", gettext_lazy("People who join the list")
    LEFT_LIST = "left_list", gettext_lazy("People who unsubscribed from this list")
    LEFT_ALL = "left_all", gettext_lazy("People who want no mail from us at all")
    BOUNCED = "bounced", gettext_lazy("Addresses that do not exist any more")
    COMPLAINED = "complained", gettext_lazy("People who reported us as spam")


class ImportBatchQuerySet(models.QuerySet["ImportBatch"]):
    def at_work(self) -> Self:
        """Return imports that have started and not ended, and whose file any process can read."""
        return self.filter(
            Q(state__in=[ImportState.CHECKING, ImportState.RUNNING], stored=True) | Q(state=ImportState.UNDOING)
        )


class ImportBatch(models.Model):
    """One imported file. `rows_done` is the last row whose outcome is committed."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.PROTECT, related_name="import_batches")
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.DRAFT)
    kind = models.CharField(max_length=10, choices=ImportKind.choices, default=ImportKind.JOIN)
    file_name = models.CharField(max_length=200, blank=True, default="")
    file_key = models.CharField(
        max_length=64, blank=True, default="", help_text=gettext_lazy("SHA-256 of the file, hexadecimal")
    )
    file_bytes = models.BigIntegerField(default=0)
    typed = models.BooleanField(
        default=False,
        db_default=False,
        help_text=gettext_lazy("People were typed, and we added the first line, which names the columns."),
    )
    stored = models.BooleanField(
        default=False, help_text=gettext_lazy("The file is kept in pieces until the import has ended.")
    )
    encoding = models.CharField(max_length=16, blank=True, default="")
    delimiter = models.CharField(max_length=1, blank=True, default=",")
    layout = models.CharField(
        max_length=24, blank=True, default="", help_text=gettext_lazy("The program that exported the file, if known")
    )
    header = models.JSONField(blank=True, default=list)
    header_key = models.CharField(max_length=64, blank=True, default="", db_index=True)
    mapping = models.JSONField(
        blank=True, default=list, help_text=gettext_lazy("The meaning of each column, in the order of the header")
    )
    basis = models.CharField(max_length=24, choices=Basis.choices, default=Basis.CONSENT)
    evidence = models.TextField(blank=True, default="")
    collected_on = models.DateField(null=True, blank=True, help_text=gettext_lazy("For lines without their own date"))
    expires_on = models.DateField(
        null=True, blank=True, help_text=gettext_lazy("The last day of implied consent, for lines without one")
    )
    country = models.CharField(
        max_length=2,
        blank=True,
        default="",
        db_default="",
        help_text=gettext_lazy("The code of the country for lines without one"),
    )
    confirm = models.BooleanField(default=False)
    by = models.CharField(max_length=254)
    by_key = models.PositiveBigIntegerField(
        null=True, blank=True, help_text=gettext_lazy("The id of the API key that uploaded the file, if no person did")
    )
    origin = models.CharField(
        max_length=160,
        blank=True,
        default="",
        db_default="",
        help_text=gettext_lazy("The origin of its changes in webhooks, if it is not “import”"),
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    lines = models.PositiveIntegerField(default=0, help_text=gettext_lazy("The approximate number of lines"))
    rows_done = models.PositiveIntegerField(default=0)
    claimed_by = models.CharField(max_length=32, blank=True, default="")
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=gettext_lazy("How often the work was begun since its last progress")
    )
    checked = MessagesJSONField(blank=True, default=dict, help_text=gettext_lazy("The result of the dry run"))
    counts = MessagesJSONField(blank=True, default=dict)
    row_notes_dropped = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text=gettext_lazy("How often row notes were dropped while the import was running"),
    )
    problem = MessageField(blank=True, default="")

    objects = ImportBatchQuerySet.as_manager()
    counted_as = ngettext_lazy("%(number)s import", "%(number)s imports", "count")
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="import_batch_basis"),
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="import_batch_state"),
            models.CheckConstraint(condition=Q(kind__in=ImportKind.values), name="import_batch_kind"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "checking", "checked", "failed"]) | ~Q(kind="join") | ~Q(evidence=""),
                name="import_batch_evidence",
            ),
        ]

    def __str__(self) -> str:
        return gettext("Import %(number)s into %(list)s") % {"number": self.pk, "list": self.mailing_list}


class ImportPiece(models.Model):
    """A compressed part of the file, in the database so that a worker on any machine can read it."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="pieces")
    seq = models.PositiveIntegerField()
    data = models.BinaryField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["batch", "seq"], name="import_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.seq} of import {self.batch_id}"


class ImportRefusalQuerySet(models.QuerySet["ImportRefusal"]):
    def naming(self, email: str) -> Self:
        """Return the lines that contain a person's address, as it is stored or as it is sent."""
        return self.filter(Q(raw__icontains=email) | Q(raw__icontains=to_ascii(email)))


class ImportRefusal(models.Model):
    """A refused line, kept as one CSV line for staff to repair. `line` is the row that a spreadsheet shows."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="refusals")
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, blank=True, default="")
    raw = models.TextField()
    reason = MessageField()

    objects = ImportRefusalQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="import_refusal_once")]

    def __str__(self) -> str:
        return f"row {self.line}: {self.reason}"
