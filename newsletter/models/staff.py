"""Staff: the tamper-evident log of their actions, the edits that make them authors, and the notices mailed to them."""

import hashlib
import json
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy
from wagtail.models import ModelLogEntry
from wagtail.models.audit_log import ModelLogEntryManager

from newsletter.common.errors import InvariantViolated
from newsletter.common.message_fields import MessageField, MessagesJSONField
from newsletter.models.states import one_of
from subscribers.models.queued_mails import QueuedMail, make_repeat_index, make_repeat_rules

done_from: ContextVar[str] = ContextVar("done_from", default="")
START = "0" * 64
MAX_APPEND_ATTEMPTS = 20


class AuditEntryManager(ModelLogEntryManager):
    def log_action(self, instance: models.Model, action: str, **kwargs: Any) -> "AuditEntry":
        """Append an entry to the chain, retrying if another entry was appended at the same time."""
        kwargs.setdefault("address", done_from.get()[:45])
        for _ in range(MAX_APPEND_ATTEMPTS):
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
            "The staff log could not be written, because too many people did something at once. Nothing was done. Try again."
        )

    def find_break(self, *, limit: int) -> "AuditEntry | None":
        """Return one of the newest ``limit`` entries that was changed or whose predecessor is gone; None if all are intact."""
        newest: list[AuditEntry] = list(self.order_by("-pk")[: limit + 1])
        if not newest:
            return None
        for entry, before in zip(newest, [*newest[1:], None], strict=True):
            last = entry is newest[-1] and len(newest) > limit
            follows = last or entry.previous == (before.sha256 if before else START)
            if not last and (not follows or entry.sha256 != entry.digest()):
                return entry
        return None


class AuditEntry(ModelLogEntry):
    """One entry of the staff log. ``sha256`` covers the entry and ``previous``, which is unique: the chain never forks."""

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

    def save(self, *args: object, **kwargs: object) -> None:
        if not self._state.adding:
            raise InvariantViolated("The staff log is only added to.")
        self.sha256 = self.digest()
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise InvariantViolated("The staff log is only added to.")

    def digest(self) -> str:
        """Return the sha256, hexadecimal, of this entry and the hash of the one before."""
        facts = [
            self.previous,
            self.timestamp.isoformat(),
            self.user_id,
            self.action,
            self.object_id,
            self.label,
            self.data,
            self.address,
        ]
        return hashlib.sha256(json.dumps(facts, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()


EDIT_ACTIONS = frozenset(
    {
        "wagtail.create",
        "wagtail.edit",
        "wagtail.delete",
        "wagtail.revert",
        "wagtail.publish",
        "wagtail.unpublish",
        "newsletter.withdraw_story",
        "newsletter.reinstate_story",
    }
)
"""The actions of the staff log that change a row's content."""
TRACKED_MODELS = frozenset(
    {
        "newsletter.story",
        "newsletter.eventnotice",
        "newsletter.appeal",
        "newsletter.brand",
        "newsletter.publication",
        "newsletter.source",
        "newsletter.picture",
        "subscribers.case",
        "subscribers.mailinglist",
        "subscribers.segment",
        "subscribers.topic",
        "wagtailimages.image",
    }
)
"""The models, as ``app.model``, that decide what an issue says or who gets it. Edits of issues are their revisions."""


class ContentEdit(models.Model):
    """One edit by one member of staff. ``kind`` is ``app.model`` and ``row_id`` the row's id."""

    kind = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        indexes = [models.Index(fields=["kind", "row_id", "at"], name="content_edit_by_row")]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_id}"


def record_edit(
    instance: models.Model, *, action: str, person: AbstractBaseUser | AnonymousUser | None, at: datetime
) -> None:
    """Record who edited the row, if the action changed content that issues show."""
    if action in EDIT_ACTIONS and instance._meta.label_lower in TRACKED_MODELS and isinstance(instance.pk, int):
        record_edits([instance], person=person, at=at)


def record_edits(
    rows: Iterable[models.Model], *, person: AbstractBaseUser | AnonymousUser | None, at: datetime
) -> None:
    """Record who edited these rows, for an action that changes more rows than the staff log names."""
    if person is None or not person.pk:
        return
    ContentEdit.objects.bulk_create(
        ContentEdit(kind=row._meta.label_lower, row_id=row.pk, person_id=person.pk, at=at) for row in rows
    )


class StaffNotice(QueuedMail):
    """One notice to one person about one thing: a mail, and a line in the desk. The constraint prevents a second one."""

    CLAIMABLE = models.Q(sent_at__isnull=True) | models.Q(read_at__isnull=True)

    key = models.CharField(max_length=120)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    subject = MessageField()
    paragraphs = MessagesJSONField(default=list)
    link = models.CharField(max_length=300)
    publication = models.ForeignKey("newsletter.Publication", on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, help_text=gettext_lazy("When the person opened it in the desk."))

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["made_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["key", "person"], name="staff_notice_once"),
            *make_repeat_rules("staff_notice"),
        ]
        indexes = [make_repeat_index("staff_notice")]

    def __str__(self) -> str:
        return str(self.subject)


class StaffLink(QueuedMail):
    """A link with which one person can choose their password once. The token is not kept: it is made when it is needed.

    A person has at most one open link. A new one withdraws the one before.
    """

    CLAIMABLE = models.Q(used_at__isnull=True, withdrawn_at__isnull=True)

    class Kind(models.TextChoices):
        INVITATION = "invitation", gettext_lazy("Invitation")
        PASSWORD = "password", gettext_lazy("New password")

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff_links")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text=gettext_lazy("The administrator who made it. Nobody: the person asked for it."),
    )
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(used_at__isnull=True, withdrawn_at__isnull=True),
                name="one_open_staff_link",
            ),
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True) | models.Q(withdrawn_at__isnull=True),
                name="staff_link_used_or_withdrawn",
            ),
            one_of("staff_link_kind", "kind", ["invitation", "password"]),
            *make_repeat_rules("staff_link"),
        ]
        indexes = [make_repeat_index("staff_link")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.person}"

    @property
    def useful_until(self) -> datetime:
        return self.expires_at


class PasswordLinkRequest(models.Model):
    """A stranger's request to mail an account a link. A job looks the account up later, so that no answer reveals it.

    The row is deleted when it was handled.
    """

    email = models.CharField(max_length=254)
    address = models.CharField(max_length=45, blank=True)
    asked_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.email


class SkippedStep(models.Model):
    """A step of “Set up” that somebody left out for now. Home does not ask for it; it can be taken up again."""

    step = models.CharField(max_length=20, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.step
