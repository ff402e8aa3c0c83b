"""Notes about single lines of an import. They may contain text of the file, so they are deleted early.

A running import has notes in memory too. `row_notes_dropped` makes it stop writing them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from subscribers.models import ImportBatch, ImportState

_KEYS = ("notes", "refusals")
_RUNNING = Q(state__in=[ImportState.CHECKING, ImportState.RUNNING])
_WITH_NOTES = Q(counts__has_any_keys=_KEYS) | Q(checked__has_any_keys=_KEYS)


def delete_old_row_notes(*, before: datetime) -> None:
    """Keep only the numbers of imports that began before then."""
    _signal_running_imports(Q(started_at__lt=before))
    for pk in ImportBatch.objects.filter(_WITH_NOTES, started_at__lt=before).values_list("pk", flat=True):
        _rewrite(pk, is_about=_any_text)


def delete_row_notes_about(is_about: Callable[[str], bool]) -> None:
    """Delete the notes whose text `is_about` accepts. Call it last: it waits for an import's step."""
    _signal_running_imports(Q())
    for batch in ImportBatch.objects.filter(_WITH_NOTES).only("pk", "counts", "checked"):
        if (batch.counts, batch.checked) != (_without(batch.counts, is_about), _without(batch.checked, is_about)):
            _rewrite(batch.pk, is_about=is_about)


def _signal_running_imports(which: Q) -> None:
    ImportBatch.objects.filter(_RUNNING, which).update(row_notes_dropped=F("row_notes_dropped") + 1)


@transaction.atomic
def _rewrite(pk: int, *, is_about: Callable[[str], bool]) -> None:
    batch = ImportBatch.objects.select_for_update().filter(pk=pk).first()
    if batch is not None:
        batch.counts, batch.checked = _without(batch.counts, is_about), _without(batch.checked, is_about)
        batch.save(update_fields=["counts", "checked"])


def _any_text(text: str) -> bool:
    return True


def _without(notes: Mapping[str, Any], is_about: Callable[[str], bool]) -> dict[str, object]:
    """Return the report without notes that `is_about` accepts, or without all notes for `_any_text`."""
    numbers = {name: value for name, value in notes.items() if name not in _KEYS}
    if is_about is _any_text:
        return numbers
    lists = {
        name: [[line, text, *lines] for line, text, *lines in notes[name] if not is_about(text)]
        for name in _KEYS
        if name in notes
    }
    return numbers | lists
