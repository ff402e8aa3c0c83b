"""Claim an import for one worker. A claim is a lease; a worker that lost it writes nothing more."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from newsletter.common.errors import DomainError
from subscribers.models import ImportBatch, ImportState

LEASE = timedelta(seconds=60)


class ClaimLost(DomainError):
    """Another worker has the import now, or it was stopped. Uncommitted work is not written."""


def claim(batch: ImportBatch, *, states: Iterable[ImportState], now: datetime) -> str:
    """Return a token that only this process has, or "" if another worker has the import."""
    token = uuid.uuid4().hex
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    won = ImportBatch.objects.filter(free, pk=batch.pk, state__in=list(states)).update(
        claimed_by=token, claimed_until=now + LEASE
    )
    return token if won else ""


def renew_claim(
    batch: ImportBatch, *, token: str, now: datetime, where: dict[str, Any] | None = None, **fields: object
) -> None:
    """Write fields of the batch and extend the lease. Raises `ClaimLost`."""
    held = ImportBatch.objects.filter(pk=batch.pk, claimed_by=token, state=batch.state, **(where or {}))
    if not held.update(claimed_until=now + LEASE, **fields):
        raise ClaimLost(
            "%(batch)s is worked on elsewhere, or was stopped. Nothing more is written from here.", batch=batch
        )


def release(batch: ImportBatch, *, token: str, **fields: object) -> None:
    """End the claim with the last fields that are written under it. Raises `ClaimLost`."""
    held = ImportBatch.objects.filter(pk=batch.pk, claimed_by=token, state=batch.state)
    if not held.update(claimed_by="", claimed_until=None, **fields):
        raise ClaimLost("%(batch)s is worked on elsewhere, or was stopped.", batch=batch)
