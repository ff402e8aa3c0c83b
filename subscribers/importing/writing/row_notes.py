"""What an import keeps about single lines beside its numbers. It may hold words of the file, so it does not stay.

An import at work holds remarks in its memory too. `remarks_dropped` tells it that they are not to be written any more.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from subscribers.models import ImportBatch, ImportState

_KEYS = ("notes", "refusals")
_AT_WORK = Q(state__in=[ImportState.CHECKING, ImportState.RUNNING])
_WITH_REMARKS = Q(counts__has_any_keys=_KEYS) | Q(checked__has_any_keys=_KEYS)


def forget_remarks(*, before: datetime) -> None:
    """Of imports begun before then, only the numbers stay."""
    _tell_those_at_work(Q(started_at__lt=before))
    for pk in ImportBatch.objects.filter(_WITH_REMARKS, started_at__lt=before).values_list("pk", flat=True):
        _rewrite(pk, holding="")


def forget_remarks_about(email: str) -> None:
    """Remarks that hold the address go, however it is written there. Call it last: it waits for an import's step."""
    _tell_those_at_work(Q())
    for batch in ImportBatch.objects.filter(_WITH_REMARKS).only("pk", "counts", "checked"):
        if (batch.counts, batch.checked) != (_without(batch.counts, email), _without(batch.checked, email)):
            _rewrite(batch.pk, holding=email)


def remarks_dropped_by_now(pk: int) -> int:
    """How often remarks were dropped; within a transaction, none are dropped from here to its end."""
    batch = ImportBatch.objects.select_for_update().only("remarks_dropped").filter(pk=pk).first()
    return batch.remarks_dropped if batch is not None else 0


def _tell_those_at_work(which: Q) -> None:
    ImportBatch.objects.filter(_AT_WORK, which).update(remarks_dropped=F("remarks_dropped") + 1)


@transaction.atomic
def _rewrite(pk: int, *, holding: str) -> None:
    batch = ImportBatch.objects.select_for_update().filter(pk=pk).first()
    if batch is not None:
        batch.counts, batch.checked = _without(batch.counts, holding), _without(batch.checked, holding)
        batch.save(update_fields=["counts", "checked"])


def _without(found: dict[str, Any], holding: str) -> dict[str, Any]:
    """Without the remarks that hold the address; without any for an empty one."""
    numbers = {name: value for name, value in found.items() if name not in _KEYS}
    if not holding:
        return numbers
    kept = {
        name: [[line, text] for line, text in found[name] if holding.casefold() not in text.casefold()]
        for name in _KEYS
        if name in found
    }
    return numbers | kept
