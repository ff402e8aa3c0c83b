"""Act on many rows, or run many steps, so that an error in one of them does not stop the others."""

import logging
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from django.db import Error
from django.db.models import Model

from newsletter.common.errors import DomainError

log = logging.getLogger(__name__)
Row = TypeVar("Row", bound=Model)
Result = TypeVar("Result")
_EXPLAINED_ERRORS = (DomainError, Error)
_CONTENT_ERRORS = (ValueError, LookupError, TypeError, AttributeError)
"""The errors of stored content that cannot be read. Their texts may contain personal data."""
_ISOLATED_ERRORS = (*_EXPLAINED_ERRORS, *_CONTENT_ERRORS, OSError)


def act_on_each(rows: Iterable[Row], act: Callable[[Row], Result], *, failure: str) -> list[tuple[Row, Result]]:
    """Return each row with its result. An error is logged after ``failure``, in which %s is the row's id.

    The rows are read before the first act, because an act may change which of them are found.
    """
    results = []
    for row in list(rows):
        try:
            results.append((row, act(row)))
        except _ISOLATED_ERRORS as error:
            log.error("%s: %s", failure % row.pk, _describe(error))
    return results


def run_each(steps: Iterable[Callable[[], object]]) -> None:
    """Run every step, also after an error in one of them. Then raise the first error; each is logged."""
    first: Exception | None = None
    for step in steps:
        try:
            step()
        except _ISOLATED_ERRORS as error:
            log.error("One step failed, the others run: %s", _describe(error))
            first = first or error
    if first is not None:
        raise first


def _describe(error: Exception) -> str:
    """Return an error's text if it is one of ours or of the database, else its type and the places of its traceback."""
    if isinstance(error, _EXPLAINED_ERRORS):
        return " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {' > '.join(f'{Path(each.filename).name}:{each.lineno}' for each in frames)}"
