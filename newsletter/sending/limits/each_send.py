"""Act on many rows, or run many steps, so that an error in one of them does not stop the others."""

import logging
import time
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
LOGGED_AGAIN_AFTER = 60.0
"""The sweep repeats every few seconds. The same error of the same row or step is logged again after this many seconds."""
_EXPLAINED_ERRORS = (DomainError, Error)
_CONTENT_ERRORS = (ValueError, LookupError, TypeError, AttributeError, OSError)
"""The errors of stored content that cannot be read, or of a file. Their texts may contain personal data."""
_ISOLATED_ERRORS = (*_EXPLAINED_ERRORS, *_CONTENT_ERRORS)
_NEXT_STEP = "Everything else continues. The program tries this again. Look for this line in “Fix what an alarm says”."
_logged_at: dict[str, float] = {}


class LoggedError(DomainError):
    """A row or a step failed because of its content. The error is logged, and the others were done."""


class RowsFailed(LoggedError):
    """A row could not be acted on because of its content. The error is logged, and the other rows were acted on."""


def act_on_each(
    rows: Iterable[Row],
    act: Callable[[Row], Result],
    *,
    failure: str,
    results: list[tuple[Row, Result]] | None = None,
) -> list[tuple[Row, Result]]:
    """Return each row with its result. An error is logged after ``failure``, in which %s is the row's id.

    The rows are read before the first act, because an act may change which of them are found. After all of them, raise
    RowsFailed if the content of one was wrong, so that its job counts as failed. ``results`` gets the results even then.
    """
    results = [] if results is None else results
    failed = ""
    for row in list(rows):
        try:
            results.append((row, act(row)))
        except _ISOLATED_ERRORS as error:
            text = f"{failure % row.pk}: {_describe(error)}. {_NEXT_STEP}"
            _log_once_a_minute(text)
            if isinstance(error, _CONTENT_ERRORS):
                failed = failed or text
    if failed:
        raise RowsFailed(failed)
    return results


def run_each(steps: Iterable[Callable[[], object]]) -> None:
    """Run every step, also after an error in one of them. Then raise the first error; each is logged.

    An error whose text may contain personal data is raised as a LoggedError that names its type and places.
    """
    first: Exception | None = None
    for step in steps:
        try:
            step()
        except _ISOLATED_ERRORS as error:
            text = f"One step failed, the others run: {_describe(error)}. {_NEXT_STEP}"
            if not isinstance(error, LoggedError):
                _log_once_a_minute(text)
            first = first or (error if isinstance(error, _EXPLAINED_ERRORS) else LoggedError(text))
    if first is not None:
        raise first from None


def _log_once_a_minute(text: str) -> None:
    """Log an error, unless this process logged the same text less than a minute ago."""
    now = time.monotonic()
    for logged, at in list(_logged_at.items()):
        if now - at >= LOGGED_AGAIN_AFTER:
            _logged_at.pop(logged, None)
    if text not in _logged_at:
        _logged_at[text] = now
        log.error("%s", text)


def _describe(error: Exception) -> str:
    """Return an error's text if it is one of ours or of the database, else its type and the places of its traceback."""
    if isinstance(error, _EXPLAINED_ERRORS):
        return " ".join(str(error).split()).rstrip(".")
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {' > '.join(f'{Path(frame.filename).name}:{frame.lineno}' for frame in frames)}"
