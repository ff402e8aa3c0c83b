"""Whose turn it is to work on an import. A claim is a lease; a worker that lost it writes nothing more."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from newsletter.common.errors import DomainError
from subscribers.models import ImportBatch, ImportState

LEASE = timedelta(seconds=60)


class ClaimLost(DomainError):
    """Somebody else works on the import now, or it was stopped. What this process had not committed is not written."""


def claim(batch: ImportBatch, *, states: Iterable[ImportState], now: datetime) -> str:
    """A token that only one process has, or an empty text when it is somebody else's turn."""
    token = uuid.uuid4().hex
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    won = ImportBatch.objects.filter(free, pk=batch.pk, state__in=list(states)).update(
        claimed_by=token, claimed_until=now + LEASE
    )
    return token if won else ""


def renew_claim(
    batch: ImportBatch, *, token: str, now: datetime, where: dict[str, Any] | None = None, **fields: Any
) -> None:
    """Writes fields of the batch and lengthens the lease, if it is still this process's turn. Raises `ClaimLost`."""
    held = ImportBatch.objects.filter(pk=batch.pk, claimed_by=token, state=batch.state, **(where or {}))
    if not held.update(claimed_until=now + LEASE, **fields):
        raise ClaimLost(
            "%(batch)s is worked on elsewhere, or was stopped. Nothing more is written from here.", batch=batch
        )


def release(batch: ImportBatch, *, token: str, **fields: Any) -> None:
    """Ends the claim, with the last fields that are written under it. Raises `ClaimLost`."""
    held = ImportBatch.objects.filter(pk=batch.pk, claimed_by=token, state=batch.state)
    if not held.update(claimed_by="", claimed_until=None, **fields):
        raise ClaimLost("%(batch)s is worked on elsewhere, or was stopped.", batch=batch)
