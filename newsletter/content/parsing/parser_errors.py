"""The errors of parsers and their libraries, and the time limit of one entry."""

import threading
import time
from contextlib import AbstractContextManager, nullcontext

from lxml.etree import LxmlError

from newsletter.content.parsing.sandbox.cpu_budget import CpuBudgetExceeded, cpu_budget

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
_limited = threading.Event()


ENTRY_ERRORS: tuple[type[BaseException], ...] = (*PARSER_ERRORS, MemoryError, CpuBudgetExceeded)


def limit_entries() -> None:
    """Hold every entry that this process parses to its time limit. For the parser's child process."""
    _limited.set()


def is_limited() -> bool:
    """Return True if entries have a time limit here: in the parser's child process, in its main thread."""
    return _limited.is_set() and threading.current_thread() is threading.main_thread()


def limit_entry_time(seconds: float = ENTRY_SECONDS) -> AbstractContextManager[None]:
    """Raise CpuBudgetExceeded in the block after ``seconds`` of processor time, if entries are limited here."""
    return cpu_budget(seconds) if is_limited() else nullcontext()


def is_document_over_budget(started: float) -> bool:
    """Return True if the document has used its processor time since ``started`` (``time.process_time()``)."""
    return is_limited() and time.process_time() - started > DOCUMENT_SECONDS
