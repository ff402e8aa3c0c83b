"""Write log records as text for people or as one line of JSON for programs, both without addresses and tokens."""

import logging
import re
from datetime import UTC, datetime

import orjson

from newsletter.monitoring.logs.context import current_job, current_request
from subscribers.links.signed_links import mask_tokens

STYLES = ("text", "json")
_TEXT = "{asctime} {levelname} {name}: {message}"
REDACTED_ADDRESS = "[address]"
_HIDDEN = "…"
_SECRET_PATH = re.compile(r"""(/(?:accounts/(?:first|password)|(?:hooks|inbound)/[\w-]+|proof)/)[^\s/?#"'<>]+""")
_AUTHORIZATION = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_AT = re.compile("@|%40|＠", re.IGNORECASE)
_QUOTED_LOCAL_PART = re.compile(r'"[^"\n]{1,64}"(?=@)')
# A slash ends a word, so that the rest of a URL stays. Its user and password look like an address, and go.
_WORD = re.compile(r'[^\s<>()\[\]",;/\\]+(?:(?<=@)\[[\da-fA-F:.]+\])?')
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*|\[.*\]|")


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


def redact(text: str) -> str:
    """Return the text without email addresses and tokens of links, in time that grows with its length.

    Names of people have no form that could be found, so no log call may write one.
    """
    text = mask_tokens(text)
    text = _SECRET_PATH.sub(rf"\1{_HIDDEN}", text)
    text = _AUTHORIZATION.sub(rf"\1 {_HIDDEN}", text)
    return _WORD.sub(_redact_word, _QUOTED_LOCAL_PART.sub("_", text)) if _AT.search(text) else text


def _redact_word(word: re.Match[str]) -> str:
    """Replace everything up to the end of the last domain. An @ with nothing before it begins a decorator or a name."""
    ends = [match.end() for match in _AT.finditer(word[0]) if match.start()]
    if not ends:
        return word[0]
    domain = _DOMAIN.match(word[0], ends[-1])
    return REDACTED_ADDRESS + word[0][domain.end() if domain else ends[-1] :]
