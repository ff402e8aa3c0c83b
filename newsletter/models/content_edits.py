"""Who edited what an issue may show: one row for each edit, so that editors are not the only approvers of their own work."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

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
"""The actions of the staff log that change what a row says."""
TRACKED_MODELS = frozenset(
    {
        "newsletter.story",
        "newsletter.eventnotice",
        "newsletter.appeal",
        "newsletter.brand",
        "newsletter.publication",
        "newsletter.source",
        "newsletter.picture",
        "subscribers.mailinglist",
        "subscribers.segment",
        "subscribers.topic",
        "wagtailimages.image",
    }
)
"""Models whose rows decide what an issue says or who gets it, as ``app.model``. An issue's own edits are its revisions."""


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


def record_edit(instance: models.Model, *, action: str, person: Any, at: Any) -> None:
    """Record who edited the row, if the action changed something that issues show."""
    if action in EDIT_ACTIONS and instance._meta.label_lower in TRACKED_MODELS and isinstance(instance.pk, int):
        record_edits([instance], person=person, at=at)


def record_edits(rows: Iterable[models.Model], *, person: Any, at: datetime) -> None:
    """Record who edited these rows, for a step that changes rows other than the one that the staff log names."""
    if person is None or not person.pk:
        return
    ContentEdit.objects.bulk_create(
        ContentEdit(kind=row._meta.label_lower, row_id=row.pk, person_id=person.pk, at=at) for row in rows
    )
