"""Set up logging: Django calls `configure_logging` with the settings' LOGGING."""

import logging
import logging.config
import sys
import threading
from collections.abc import Mapping
from types import TracebackType

log = logging.getLogger("newsletter")


def configure_logging(settings: Mapping[str, object]) -> None:
    """Configure logging, and log what would otherwise be printed raw: errors that end a thread or the program."""
    logging.config.dictConfig(dict(settings))
    threading.excepthook = _log_thread_error
    sys.excepthook = _log_error


def _log_thread_error(error: threading.ExceptHookArgs) -> None:
    if error.exc_value is not None and not isinstance(error.exc_value, SystemExit):
        name = error.thread.name if error.thread else "unknown"
        log.error(
            "The thread %s ended by an error.", name, exc_info=(error.exc_type, error.exc_value, error.exc_traceback)
        )


def _log_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.error("The program ended by an error.", exc_info=(kind, error, trace))
