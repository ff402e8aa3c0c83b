"""Tokens of links appear in no log line and no traceback."""

import io
import logging
import logging.config
import uuid
from datetime import UTC, datetime

import pytest
from django.conf import settings
from gunicorn.config import Config

from newsletter.management.server import Log
from subscribers.links.signed_links import Purpose, make_link
from subscribers.links.token_masking import TokenMaskingFormatter

LINK, OLDER = (
    make_link(
        purpose=Purpose.UNSUBSCRIBE,
        subscriber_uuid=uuid.UUID(int=7),
        list_public_id="ab" * 8,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        mailing=mailing,
    )
    for mailing in (7, 0)
)
TOKEN = LINK.rpartition("/")[2]


@pytest.mark.parametrize("link", [LINK, OLDER])
@pytest.mark.requirement("K6")
def test_a_line_of_the_log_and_its_traceback_name_no_token(link):
    record = logging.LogRecord("django.request", logging.ERROR, "", 1, "Internal Server Error: %s", (link,), None)
    try:
        raise RuntimeError(f"no page for {link}")
    except RuntimeError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    line = TokenMaskingFormatter("{message}", style="{").format(record)
    assert link.rpartition("/")[2] not in line
    assert "/u/…" in line
    assert "RuntimeError: no page for" in line


@pytest.mark.requirement("K6")
def test_the_settings_write_every_line_so():
    assert settings.LOGGING["formatters"]["plain"]["()"] == "subscribers.links.token_masking.TokenMaskingFormatter"
    assert [handler["formatter"] for handler in settings.LOGGING["handlers"].values()] == ["plain"]


@pytest.mark.requirement("K6")
def test_the_web_server_writes_of_a_request_that_failed_without_its_token():
    log, written = Log(Config()), io.StringIO()
    log.error_log.handlers[0].setStream(written)
    log.error("Error handling request %s", LINK)
    assert TOKEN not in written.getvalue()
    assert "/u/…" in written.getvalue()
