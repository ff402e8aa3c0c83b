"""`newsletter staff` as people run it."""

import io
import json
import sys

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from newsletter.organisation.management.commands import staff

pytestmark = pytest.mark.django_db
PASSWORD = "a-calm-harbour-morning"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def add(*arguments: str, typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    call_command("staff", "add", *arguments)


def test_a_person_is_added_with_a_password_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add("Ann@example.org", "--role=approver", "--password-stdin", typed=f"{PASSWORD}\n", monkeypatch=monkeypatch)
    assert capsys.readouterr().out.startswith("Added ann@example.org with the role approver: ")
    assert User.objects.get().check_password(PASSWORD)


def test_a_changed_role_is_shown_with_the_former_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add("ann@example.org", "--role=writer", typed=PASSWORD, monkeypatch=monkeypatch)
    add("ann@example.org", "--role=writer", typed="", monkeypatch=monkeypatch)
    assert "ann@example.org already has the role writer." in capsys.readouterr().out
    add("ann@example.org", "--role=editor", typed="another-calm-morning", monkeypatch=monkeypatch)
    said = capsys.readouterr().out
    assert "ann@example.org is now editor" in said
    assert "(was: writer). The password was changed." in said


def test_a_program_may_read_what_was_done_and_who_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add("ann@example.org", "--role=data", "--json", typed=PASSWORD, monkeypatch=monkeypatch)
    assert json.loads(capsys.readouterr().out)["created"] is True
    call_command("staff", "list", "--json")
    told = json.loads(capsys.readouterr().out)
    ann = {"email": "ann@example.org", "role": "data", "active": True, "last_login": None, "second_factor": False}
    assert told == {"staff": [ann]}


def test_the_list_is_readable_and_says_what_to_do_when_it_is_empty(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("staff", "list")
    assert "newsletter staff add EMAIL --role admin" in capsys.readouterr().out
    add("ann@example.org", "--role=data", typed=PASSWORD, monkeypatch=monkeypatch)
    User.objects.update(is_active=False)
    call_command("staff", "list")
    assert "never; inactive" in capsys.readouterr().out


def test_on_a_terminal_a_new_password_is_asked_for_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([PASSWORD, "something else", PASSWORD, PASSWORD])
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(staff, "getpass", lambda question: next(answers))
    with pytest.raises(CommandError, match="The two passwords are not the same"):
        call_command("staff", "add", "ann@example.org", "--role=writer")
    call_command("staff", "add", "ann@example.org", "--role=writer")
    call_command("staff", "add", "ann@example.org", "--role=editor")
    assert "is now editor" in capsys.readouterr().out


def test_a_short_password_is_refused_before_it_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["short"])
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(staff, "getpass", lambda question: next(answers))
    with pytest.raises(CommandError, match="too short"):
        call_command("staff", "add", "ann@example.org", "--role=writer")
    assert not User.objects.exists()


def test_no_password_at_all_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"ann@example\.org needs a password"):
        add("ann@example.org", "--role=writer", typed="", monkeypatch=monkeypatch)


def test_a_lost_second_factor_is_removed_and_an_unknown_address_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add("ann@example.org", "--role=data", typed=PASSWORD, monkeypatch=monkeypatch)
    call_command("staff", "forget-factor", "Ann@example.org")
    assert "was not set up" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"Nobody has an account under bob@example\.org"):
        call_command("staff", "forget-factor", "bob@example.org")
