"""Say why the work on an import stopped, and when to stop beginning it again. Nothing is stored here."""

import errno
import logging
import traceback

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from subscribers.models import ImportBatch, ImportState

MAX_ATTEMPTS = 5
"""How often the work on an import is begun without any progress, such as by a worker that is killed each time."""

_FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_PROGRESS = Message(
    "The work on this import was begun %(attempts)s times and made no progress, so it is not begun again by itself. What was "
    "done before stays. Usually the server has too little memory, or its database refuses something: its log says which. "
    "Mend that, then start it again.",
    attempts=MAX_ATTEMPTS,
)
_NO_MEMORY = Message(
    "The server has too little memory for this import, so the work stopped. What was done before stays. Start it again when "
    "the server does less, or split the file into smaller ones."
)
_NO_SPACE = Message(
    "The disk of the server is full, so the work on this import stopped. What was done before stays. Make room on the disk, "
    "then start it again."
)
_UNREADABLE_TEXT = Message(
    "The file contains text that cannot be stored, so the work on this import stopped. What was done before stays. Choose "
    "another encoding, or save the file as UTF-8 and upload it again."
)
_DEFECT = Message(
    "The work on this import stopped by a defect of this program. What was done before stays. The log of the server says "
    "where: report it. You can start it again."
)
_UNDO_STOPPED = Message(
    "The undo stopped before its end. What was undone before stays undone. Usually the server has too little memory or "
    "space on its disk, or its database refuses something: its log says which. Mend that, then undo the import again."
)
log = logging.getLogger(__name__)


def describe_failure(batch: ImportBatch, error: Exception) -> Message:
    """Return the text about the error for staff. A defect is logged without its text, which may name people."""
    if isinstance(error, DomainError):
        return error.message
    kind, trace = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
    log.error("import %s stopped, %s:\n%s", batch.pk, kind, trace)
    if batch.state == ImportState.UNDOING:
        return _UNDO_STOPPED
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, UnicodeError):
        return _UNREADABLE_TEXT
    if isinstance(error, OSError):
        return _NO_SPACE if error.errno in _FULL_DISK else _describe_os_error(error)
    return _DEFECT


def describe_missing_progress(batch: ImportBatch) -> Message | None:
    """Return why the work is not begun once more, or None if it may be."""
    if batch.attempts <= MAX_ATTEMPTS:
        return None
    return _UNDO_STOPPED if batch.state == ImportState.UNDOING else _NO_PROGRESS


def _describe_os_error(error: OSError) -> Message:
    return Message(
        "The server could not use a temporary file, so the work on this import stopped: %(reason)s. What was done before "
        "stays. Mend that, then start it again.",
        reason=error.strerror or "?",
    )
