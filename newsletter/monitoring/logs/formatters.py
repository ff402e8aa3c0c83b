"""Write log records as text for people or as one line of JSON for programs, both without addresses and tokens."""

import logging
from datetime import UTC, datetime

import orjson

from newsletter.monitoring.logs.context import current_job, current_request
from newsletter.monitoring.logs.redaction import redact

STYLES = ("text", "json")
_TEXT = "{asctime} {levelname} {name}: {message}"


def make_formatter(style: str) -> logging.Formatter:
    """Return the formatter of NEWSLETTER_LOG."""
    return JsonFormatter() if style == "json" else TextFormatter(_TEXT, style="{")


class TextFormatter(logging.Formatter):
    """One line, and the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        _settle_message(record)
        text = super().format(record)
        request = current_request()
        return redact(f"{text} (request {request})" if request else text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, process; request, job and error if there are any."""

    def format(self, record: logging.LogRecord) -> str:
        _settle_message(record)
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _clean(record.getMessage()),
            "process": record.process,
        }
        if request := current_request():
            line["request"] = _clean(request)
        if job := current_job():
            line["job"] = job
        if record.exc_info:
            line["error"] = _clean(self.formatException(record.exc_info))
        elif record.exc_text:
            line["error"] = _clean(record.exc_text)
        if record.stack_info:
            line["stack"] = _clean(self.formatStack(record.stack_info))
        return orjson.dumps(line).decode()


def _settle_message(record: logging.LogRecord) -> None:
    """Keep the bare message of a record whose values do not fit: `logging` would print those to stderr as they are."""
    try:
        record.getMessage()
    except (TypeError, ValueError, KeyError):
        record.msg, record.args = f"{record.msg} (its values do not fit)", None


def _clean(text: str) -> str:
    """Redact a text and replace what is no Unicode."""
    return redact(text).encode("utf-8", "replace").decode("utf-8")
