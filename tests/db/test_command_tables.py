"""The tables that commands print: nothing is cut, and nothing in them is taken for a style."""

import io
from datetime import datetime

import pytest
from django.core.management import call_command
from rich.console import Console

from newsletter.common.commands.base import make_table
from tests.support.fixtures import make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db
MOMENT, ADDRESS = "2026-12-08T09:00:00+00:00", "somebody-with-a-long-name@letters.example.org"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(*words: str, out: io.StringIO) -> str:
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.fixture
def subject() -> str:
    publication = make_publication()
    make_story("A night at the clinic")
    issue = make_issue(publication)
    issue.subject = "A long evening at the harbour [/] and the [draft] of what comes after it, with everybody there"
    issue.save(update_fields=["subject"])
    return str(issue.subject)


def test_a_subject_with_square_brackets_is_shown_as_it_is(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert subject in show("status", out=io.StringIO())


def test_a_narrow_terminal_cuts_no_date(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    due_at = show("status", "--json", out=io.StringIO()).partition('"next": "')[2].partition('"')[0]
    shown = show("status", out=Terminal())
    assert "…" not in shown
    assert datetime.fromisoformat(due_at)
    assert due_at in shown.split()


def test_a_narrow_table_breaks_long_words_and_keeps_whole_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table("at", "who", whole=("at",))
    table.add_row(MOMENT, ADDRESS)
    out = io.StringIO()
    Console(file=out, width=40).print(table)
    rows = out.getvalue().splitlines()[1:]
    assert MOMENT in rows[0]
    assert "".join(row.replace(MOMENT, "").strip() for row in rows) == ADDRESS
