"""No log line, in text or JSON, has an address or a token; each names its request or job."""

import io
import json
import logging
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings, settings
from gunicorn.config import Config
from hypothesis import given
from hypothesis import strategies as st

from newsletter.management.server import Log
from newsletter.monitoring.logs.context import working_on
from newsletter.monitoring.logs.formatters import STYLES, make_formatter, redact
from newsletter.monitoring.logs.setup import configure_logging
from newsletter.web.layers.request_ids import RequestIdMiddleware
from subscribers.links.signed_links import Purpose, make_link

LINK, OLDER = (
    make_link(
        purpose=Purpose.UNSUBSCRIBE,
        subscriber_uuid=uuid.UUID(int=7),
        public_id="ab" * 8,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        mailing=mailing,
    )
    for mailing in (7, 0)
)
TOKEN = LINK.rpartition("/")[2]
ADDRESS = "amina.o'brien+list@mail.example.org"


def write(style: str, message: str, *values: object, error: BaseException | None = None) -> str:
    """Return the line of a record."""
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("newsletter.test", logging.ERROR, "", 1, message, values, exc_info)
    return make_formatter(style).format(record)


@pytest.mark.parametrize("link", [LINK, OLDER])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.requirement("K6")
def test_a_line_of_the_log_and_its_traceback_name_no_token(link: str, style: str) -> None:
    try:
        raise RuntimeError(f"no page for {link}")
    except RuntimeError as error:
        line = write(style, "Internal Server Error: %s", link, error=error)
    assert link.rpartition("/")[2] not in line
    assert "/u/…" in line
    assert "RuntimeError: no page for" in line


@pytest.mark.parametrize("style", STYLES)
def test_a_line_and_its_traceback_name_no_address(style: str) -> None:
    try:
        raise ValueError(f"Key (email)=({ADDRESS}) already exists")
    except ValueError as error:
        line = write(style, "%s was not sent to %s", "A confirmation", ADDRESS, error=error)
    assert "brien" not in line
    assert "example.org" not in line
    assert line.count("[address]") == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail to a@b.example.", "mail to [address]."),
        ("<a@b.example>, (c@d.example)", "<[address]>, ([address])"),
        ("/news/?email=a%40b.example&x=1", "/news/[address]&x=1"),
        ("“jürgen@bücher.example”", "[address]”"),
        ('"two words"@b.example', "[address]"),
        ("root@localhost and a@[192.0.2.1]", "[address] and [address]"),
        ("mailgun://KEY@news.example", "mailgun://[address]"),
        ("sendgrid://KEY@?x=1", "sendgrid://[address]?x=1"),
        ("SRS0=ab=tt=example.com=amina@fwd.example", "[address]"),
        ("postgres://user:pass@db:5432/name", "postgres://[address]:5432/name"),
        ("GET /hooks/mailgun/SECRET-1 failed", "GET /hooks/mailgun/… failed"),
        ("/accounts/first/1xXS5I.n2eVD5/", "/accounts/first/…/"),
        ("/accounts/password/abc-1?x", "/accounts/password/…?x"),
        ("Authorization: Bearer abcDEF123456==", "Authorization: Bearer …"),
        ("@property\n  @transaction.atomic", "@property\n  @transaction.atomic"),
        ("Weekly #4: 1,920 people", "Weekly #4: 1,920 people"),
    ],
)
def test_addresses_and_tokens_are_replaced_and_the_rest_stays(text: str, expected: str) -> None:
    assert redact(text) == expected


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_an_address_is_found_between_any_other_characters(before: str, after: str) -> None:
    assert "amina@example" not in redact(f"{before} amina@example {after}")


def test_a_long_text_is_redacted_in_a_moment() -> None:
    began = time.thread_time()
    redact("x" * 200_000 + " a@b.example " + "@" * 2_000)
    assert time.thread_time() - began < 5  # of a processor; 0.01 s on a quiet machine


def test_a_json_line_is_one_object_with_the_usual_keys() -> None:
    try:
        raise RuntimeError("two\nlines \ud800")
    except RuntimeError as error:
        with working_on(request="abc", job="read_sources"):
            line = write("json", "First\nsecond %s", "\ud800", error=error)
    assert "\n" not in line
    found = json.loads(line)
    assert set(found) == {"time", "level", "logger", "message", "process", "request", "job", "error"}
    assert (found["level"], found["logger"]) == ("error", "newsletter.test")
    assert (found["request"], found["job"]) == ("abc", "read_sources")
    assert datetime.fromisoformat(found["time"]).tzinfo is not None
    assert found["message"].startswith("First\nsecond")


@pytest.mark.parametrize("style", STYLES)
def test_a_record_whose_values_do_not_fit_is_written_without_them(style: str) -> None:
    line = write(style, "%s and %d", ADDRESS, "x")
    assert "its values do not fit" in line
    assert "example.org" not in line


def test_the_settings_write_every_line_with_our_formatter() -> None:
    formatter = settings.LOGGING["formatters"]["ours"]
    assert formatter == {"()": "newsletter.monitoring.logs.formatters.make_formatter", "style": "text"}
    assert [handler["formatter"] for handler in settings.LOGGING["handlers"].values()] == ["ours"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.requirement("K6")
def test_the_web_server_writes_of_a_failed_request_without_its_token(style: str, settings: LazySettings) -> None:
    settings.NEWSLETTER_LOG = style
    log, written = Log(Config()), io.StringIO()
    log.error_log.handlers[0].setStream(written)
    log.error("Error handling request %s", LINK)
    assert TOKEN not in written.getvalue()
    assert "/u/…" in written.getvalue()
    assert written.getvalue().startswith("{") == (style == "json")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Return the lines that the configured log writes, as JSON."""
    before = sys.excepthook, threading.excepthook
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(make_formatter("json"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    sys.excepthook, threading.excepthook = before


def test_an_error_that_ends_a_thread_or_the_program_is_a_log_line(written: io.StringIO) -> None:
    def fail() -> None:
        raise RuntimeError(f"no mail for {ADDRESS}")

    configure_logging({"version": 1, "incremental": True})
    thread = threading.Thread(target=fail, name="a-thread")
    thread.start()
    thread.join()
    error = RuntimeError(ADDRESS)
    sys.excepthook(RuntimeError, error, None)
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first["message"] == "The thread a-thread ended by an error."
    assert "no mail for [address]" in first["error"]
    assert "[address]" in second["error"]


@pytest.mark.parametrize(
    ("peer", "given", "kept"),
    [
        ("192.0.2.1", "abcdef-0123", True),
        ("198.51.100.1", "abcdef-0123", False),
        ("192.0.2.1", "short", False),
        ("192.0.2.1", "reader@example.org", False),
        ("192.0.2.1", "two\r\nlines-0123", False),
        ("", "abcdef-0123", False),
    ],
)
def test_the_id_of_a_request_is_in_its_lines_and_its_answer(
    peer: str, given: str, kept: bool, settings: LazySettings, written: io.StringIO
) -> None:
    settings.SUBSCRIBERS_TRUSTED_PROXIES = ["192.0.2.1"]
    answers: list[dict[str, str]] = []

    def pages(environ: Any, start: Any) -> list[bytes]:
        logging.getLogger("newsletter.test").error("It failed.")
        start("500 Internal Server Error", [("Content-Type", "text/plain")])
        return []

    app = RequestIdMiddleware(pages)
    app({"REMOTE_ADDR": peer, "HTTP_X_REQUEST_ID": given}, lambda status, headers: answers.append(dict(headers)))
    written_id = json.loads(written.getvalue())["request"]
    assert answers[0]["X-Request-ID"] == written_id
    assert (written_id == given) == kept
    assert len(written_id) == 32 or kept
