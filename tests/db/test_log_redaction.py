"""The product's own log calls write no address, whatever a provider or a database says."""

import ast
import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import IntegrityError

from newsletter.common.messages import Message
from newsletter.jobs.timer import run_logged
from newsletter.monitoring.logs.formatters import make_formatter
from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.sending.notices.single_mails import settle_queued_mail
from subscribers.models import Confirmation
from subscribers.web.page import unavailable_page
from tests.support.people import NOW, make_list, make_member

ROOT = Path(__file__).parents[2]
ADDRESS = "amina@mail.example.org"
_LOG = re.compile(r"log(ger)?\s*\.", re.IGNORECASE)
_PERSONAL = re.compile(r"\b(email|address|username|first_name|last_name|token|link)s?\b")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Return the lines that our loggers write, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(make_formatter("json"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def read_only_line(lines: io.StringIO) -> dict[str, str]:
    (line,) = lines.getvalue().splitlines()
    found: dict[str, str] = json.loads(line)
    assert "amina" not in line
    assert "mail.example.org" not in line
    return found


@pytest.mark.django_db
def test_a_providers_reason_is_logged_without_the_address(lines: io.StringIO) -> None:
    weekly = make_list()
    row = Confirmation.objects.create(subscriber=make_member(weekly, ADDRESS), mailing_list=weekly, requested_at=NOW)
    outcome = Outcome(Verdict.REJECTED, Message("550 5.1.1 <%(to)s>: unknown", to=ADDRESS))
    settle_queued_mail(row, outcome, what="A confirmation")
    assert read_only_line(lines)["message"] == "A confirmation was not sent: 550 5.1.1 <[address]>: unknown"


@pytest.mark.django_db(transaction=True)
def test_a_database_error_of_a_job_is_logged_without_the_address(lines: io.StringIO) -> None:
    person = make_member(make_list(), ADDRESS)

    def add_again() -> None:
        raise IntegrityError(f"duplicate key value: Key (email)=({person.email}) already exists.")

    assert not run_logged("import_people", add_again)
    line = read_only_line(lines)
    assert line["message"].endswith("Key (email)=([address]) already exists.")
    assert line["job"] == "import_people"


def test_a_database_that_is_away_is_logged_without_its_password(lines: io.StringIO) -> None:
    error = IntegrityError("postgres://amina:secret@mail.example.org/newsletter")
    unavailable_page(error, language="", accepted="")
    assert "secret" not in read_only_line(lines)["message"]


def test_no_log_call_is_given_an_address_a_name_or_a_token() -> None:
    """The filter is the second line of defence. The first is to log numbers and kinds."""
    found = []
    for file in (*(ROOT / "newsletter").rglob("*.py"), *(ROOT / "subscribers").rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        # Reading every module as Python takes seconds. A call of a log has one of these names.
        for call in ast.walk(ast.parse(source)) if _LOG.search(source) else ():
            if _is_log_call(call):
                given = " ".join(ast.unparse(value) for value in call.args[1:])
                if _PERSONAL.search(given):
                    found.append(f"{file.relative_to(ROOT)}:{call.lineno}: {given}")
    assert found == []


def _is_log_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("debug", "info", "warning", "error", "exception", "critical")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id.lower() in ("log", "_log", "logger", "_logger")
    )
