"""What goes wrong inside parsers and their libraries, and the time that one entry may take: each becomes one defined outcome."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lxml.etree import LxmlError

# What feedparser, trafilatura, lxml, dateutil, nh3 and the codecs raise over a document that they cannot read.
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
_AGAIN = 0.2
_limited = threading.Event()


class Overrun(BaseException):
    """An entry took more processor time than it may. No library catches it: it is no Exception."""


ENTRY_ERRORS: tuple[type[BaseException], ...] = (*PARSER_ERRORS, MemoryError, Overrun)


def limit_entries() -> None:
    """Hold every entry that this process parses to its time. For a process of its own: it takes a signal."""
    signal.signal(signal.SIGVTALRM, _stop)
    _limited.set()


def is_limited() -> bool:
    """Return True if entries are held to their time here: in a limited process, in its main thread."""
    return _limited.is_set() and threading.current_thread() is threading.main_thread()


@contextmanager
def time_for_entry(seconds: float = ENTRY_SECONDS) -> Iterator[None]:
    """Raise Overrun inside the block after so many seconds of processor time, if entries are limited here."""
    if not is_limited():
        yield
        return
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)


def is_document_overdue(started: float) -> bool:
    """Return True if the document has taken what all its entries may take, since ``time.process_time()`` said so much."""
    return is_limited() and time.process_time() - started > DOCUMENT_SECONDS


def _stop(number: int, frame: FrameType | None) -> None:
    raise Overrun
