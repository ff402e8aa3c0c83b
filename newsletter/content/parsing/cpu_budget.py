"""Limit the processor time of an entry and of a document, and name the errors that spoil one entry only."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType

from lxml.etree import LxmlError

# Errors of feedparser, trafilatura, lxml, dateutil, nh3 and the codecs for a document that they cannot read.
PARSER_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    LxmlError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
ENTRY_SECONDS = 1.0
DOCUMENT_SECONDS = 6.0
_REPEAT_SECONDS = 0.05
_limited = threading.Event()


class CpuBudgetExceeded(BaseException):
    """The block used too much processor time. This is no Exception, so that no library catches it."""


ENTRY_ERRORS: tuple[type[BaseException], ...] = (*PARSER_ERRORS, MemoryError, CpuBudgetExceeded)


@contextmanager
def cpu_budget(seconds: float) -> Iterator[None]:
    """Raise CpuBudgetExceeded in the block after so many seconds of processor time.

    It works in the main thread only, where the parsing child does all its work. Elsewhere the block has no limit.
    Budgets do not nest.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    # The signal repeats, because a library may swallow the first one with a bare “except”.
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _REPEAT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise CpuBudgetExceeded


def limit_entries() -> None:
    """Hold every entry that this process parses to its time limit. For the parser's child process."""
    _limited.set()


def is_limited() -> bool:
    """Return True if entries have a time limit here: in the parser's child process, in its main thread."""
    return _limited.is_set() and threading.current_thread() is threading.main_thread()


def limit_entry_time() -> AbstractContextManager[None]:
    """Raise CpuBudgetExceeded in the block after ``ENTRY_SECONDS`` of processor time, if entries are limited here."""
    return cpu_budget(ENTRY_SECONDS) if is_limited() else nullcontext()


def is_document_over_budget(started: float) -> bool:
    """Return True if the document has used its processor time since ``started`` (``time.process_time()``)."""
    return is_limited() and time.process_time() - started > DOCUMENT_SECONDS
