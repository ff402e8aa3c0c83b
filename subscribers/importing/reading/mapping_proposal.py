"""Propose one column for each field by the values of the first lines, and list the other candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

from subscribers.importing.reading.column_mapping import ATTRIBUTE, NOT_IMPORTED, REPEATABLE_TARGETS
from subscribers.importing.reading.people_file import FileSample

_NEVER_CHOSEN = {"status", "expires_on"}


@dataclass(frozen=True)
class ColumnChoice:
    """A field that several columns could be: the chosen one and those that are left out, by their names."""

    target: str
    chosen: str
    left_out: list[str]


def propose_mapping(guess: Sequence[str], *, sample: FileSample) -> list[str]:
    """Return a mapping with each field at most once, except those that may repeat.

    The address is the column with the most addresses, even under an unknown name if no column of that name has any. Other
    fields are the column with the most values. If several columns say who unsubscribed or until when, a person must choose:
    the check of the mapping names them.
    """
    mapping = list(guess)
    _propose_addresses(mapping, sample=sample)
    for target in {target for target in mapping if target} - REPEATABLE_TARGETS:
        if target.startswith(ATTRIBUTE) or target in _NEVER_CHOSEN:
            continue
        _keep_best(mapping, target=target, numbers=sample.addresses if target == "email" else sample.filled)
    return mapping


def list_choices(header: Sequence[str], *, guess: Sequence[str], mapping: Sequence[str]) -> list[ColumnChoice]:
    """Return the fields that several columns could be, if the mapping has one of them and leaves the others out.

    An address found only by its values is such a field, too.
    """
    choices = []
    for at, target in enumerate(mapping):
        if target in REPEATABLE_TARGETS or target.startswith(ATTRIBUTE) or target == NOT_IMPORTED:
            continue
        other_columns = [
            header[column]
            for column, guessed in enumerate(guess)
            if guessed == target and column != at and mapping[column] == NOT_IMPORTED
        ]
        is_found_by_values = target == "email" and guess[at] != target
        if other_columns or is_found_by_values:
            choices.append(ColumnChoice(target, header[at], other_columns))
    return choices


def _propose_addresses(mapping: list[str], *, sample: FileSample) -> None:
    """Make the only column that is mostly addresses the address, if no column with such a name has any."""
    if any(sample.addresses[at] for at, target in enumerate(mapping) if target == "email"):
        return
    mostly = [at for at, number in enumerate(sample.addresses) if number * 2 > sample.filled[at]]
    if len(mostly) == 1:
        mapping[:] = [NOT_IMPORTED if target == "email" else target for target in mapping]
        mapping[mostly[0]] = "email"


def _keep_best(mapping: list[str], *, target: str, numbers: Sequence[int]) -> None:
    candidates = [at for at, guessed in enumerate(mapping) if guessed == target]
    best = max(candidates, key=lambda at: numbers[at])
    for at in candidates:
        if at != best:
            mapping[at] = NOT_IMPORTED
