"""The staff log: who did what, when, to what. Rows are only ever added, and each names the one before it by its hash."""

import hashlib
import json
from contextvars import ContextVar
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy
from wagtail.models import ModelLogEntry
from wagtail.models.audit_log import ModelLogEntryManager

from newsletter.common.errors import InvariantViolated
from newsletter.models.content_edits import record_edit

done_from: ContextVar[str] = ContextVar("done_from", default="")
START = "0" * 64
TRIES = 20


class AuditEntryManager(ModelLogEntryManager):
    def log_action(self, instance: models.Model, action: str, **kwargs: Any) -> "AuditEntry":
        """Add one entry at the end of the chain; another that takes the same place at the same time makes it try again."""
        kwargs.setdefault("address", done_from.get()[:45])
        for _ in range(TRIES):
            last = self.order_by("-pk").values_list("sha256", flat=True).first() or START
            try:
                with transaction.atomic():
                    entry: AuditEntry = super().log_action(instance, action, **{**kwargs, "previous": last})
            except IntegrityError:
                continue
            except ValidationError as error:
                if "previous" not in error.error_dict:
                    raise
            else:
                if kwargs.get("content_changed", True):
                    record_edit(instance, action=action, person=kwargs.get("user"), at=entry.timestamp)
                return entry
        raise InvariantViolated(
            "The staff log could not be written: too many people did something at the same moment. Try again."
        )

    def find_break(self, *, most: int) -> "AuditEntry | None":
        """The first of the newest ``most`` entries that is not what was written, or whose predecessor is gone."""
        newest: list[AuditEntry] = list(self.order_by("-pk")[: most + 1])
        if not newest:
            return None
        for entry, before in zip(newest, [*newest[1:], None], strict=True):
            last = entry is newest[-1] and len(newest) > most
            follows = last or entry.previous == (before.sha256 if before else START)
            if not last and (not follows or entry.sha256 != entry.digest()):
                return entry
        return None


class AuditEntry(ModelLogEntry):
    """``previous`` is unique: the chain never forks. ``sha256`` is over this entry and ``previous``."""

    address = models.CharField(
        max_length=45, blank=True, help_text=gettext_lazy("The network address it was done from, if known.")
    )
    previous = models.CharField(max_length=64, unique=True)
    sha256 = models.CharField(max_length=64)

    objects = AuditEntryManager()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = gettext_lazy("staff log entry")
        verbose_name_plural = gettext_lazy("staff log entries")
        default_permissions = ("view",)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise InvariantViolated("The staff log is only added to.")
        self.sha256 = self.digest()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise InvariantViolated("The staff log is only added to.")

    def digest(self) -> str:
        """sha256, hexadecimal, over what the entry says and the hash of the one before."""
        said = [
            self.previous,
            self.timestamp.isoformat(),
            self.user_id,
            self.action,
            self.object_id,
            self.label,
            self.data,
            self.address,
        ]
        return hashlib.sha256(json.dumps(said, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()
