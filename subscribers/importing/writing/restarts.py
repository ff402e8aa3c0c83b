"""Restart an import that stopped after a part: which terms of the first run stay, and which may be changed."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from subscribers.importing.reading.errors import CannotImport
from subscribers.models import Basis, ImportBatch

_CONSENT_TERMS = ("kind", "basis", "collected_on", "expires_on", "confirm")
_READING_TERMS = ("mapping", "encoding", "header", "country", *_CONSENT_TERMS)
_WRITTEN = ("new", "updated", "updated_before", "newly_suppressed")


def date_start(batch: ImportBatch, *, now: datetime) -> datetime:
    """Return the start of the earlier run that wrote rows, if there was one: an undo finds changes by this time."""
    return batch.started_at if batch.counts else now


def has_changed_people(counts: Mapping[str, object]) -> bool:
    """Return True if a run with these numbers added, updated or suppressed somebody."""
    return any(counts.get(outcome) for outcome in _WRITTEN)


def keep_evidence(batch: ImportBatch, chosen: Mapping[str, object]) -> str:
    """Return the evidence that people of an earlier run have. Raises `CannotImport` if other terms were chosen than theirs.

    If that run changed nobody, every term may be chosen again. The soft opt-in ends the evidence with a declaration, which may
    be in another language now.
    """
    if not has_changed_people(batch.counts):
        return str(chosen["evidence"])
    soft = batch.basis == Basis.SOFT_OPT_IN
    words = [text.rpartition("\n")[0] if soft else text for text in (batch.evidence, str(chosen["evidence"]))]
    if len({" ".join(text.split()) for text in words}) > 1 or any(
        getattr(batch, name) != chosen[name] for name in _CONSENT_TERMS
    ):
        raise CannotImport(
            _(
                "This import has already changed people or suppressions with the reason that was given first, so the reason "
                "cannot be changed. Keep it, or undo this import and upload the file again."
            )
        )
    return batch.evidence


def keep_counts(batch: ImportBatch, chosen: Mapping[str, object]) -> dict[str, object]:
    """Return the numbers of an earlier run that stopped; marked, if its rows are to be read otherwise now."""
    is_read_otherwise = any(getattr(batch, name) != chosen[name] for name in _READING_TERMS)
    return {**batch.counts, **({"read_otherwise": True} if is_read_otherwise else {})}
