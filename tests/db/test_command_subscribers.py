"""`newsletter subscribers` as people run it."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from subscribers.models import Confirmation, ImportBatch, MailingList, Subscriber, Subscription

pytestmark = pytest.mark.django_db
HOW = ("--list=weekly", "--basis=consent", "--evidence=Sign-up sheet, spring fair")
ROWS = "email,name,country,region,shoe\nann@example.org,Ann,US,TX,9\nnobody,,,,\n"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    MailingList.objects.create(slug="weekly", name="The weekly letter")
    file = tmp_path / "people.csv"
    file.write_text(ROWS)
    return file


def test_people_come_in_and_the_report_says_which_lines_were_refused(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("subscribers", "import", str(people), *HOW)
    said = capsys.readouterr()
    assert "        1  added to the list" in said.out
    assert "row 3: This is no email address: it has no @." in said.out
    assert "Kept as extra fields: shoe." in said.out
    assert said.err == "", "no bar where nobody looks"
    person = Subscriber.objects.get()
    assert person.place is not None
    assert person.place.region == "US-TX"


def test_a_country_is_given_for_lines_without_one(people: Path) -> None:
    people.write_text("email,city\nann@example.org,York\n")
    call_command("subscribers", "import", str(people), *HOW, "--country", "GB")
    assert str(Subscriber.objects.get().place) == "York, England, United Kingdom"
    with pytest.raises(CommandError, match="Nowhereland"):
        call_command("subscribers", "import", str(people), *HOW, "--country", "Nowhereland")


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_an_archived_list_takes_no_import(people: Path, options: tuple[str, ...]) -> None:
    MailingList.objects.update(archived=True, public=False)
    with pytest.raises(CommandError, match="is archived, so nothing was imported"):
        call_command("subscribers", "import", str(people), *HOW, *options)
    assert not Subscriber.objects.exists()
    assert not ImportBatch.objects.exists()


def test_a_dry_run_reports_the_same_and_writes_nothing(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("subscribers", "import", str(people), *HOW, "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["dry_run"], told["rows"], told["new"], told["refused"]) == (True, 2, 1, 1)
    assert told["refusals"][0]["line"] == 3
    assert not Subscriber.objects.exists()
    call_command("subscribers", "import", str(people), *HOW, "--dry-run")
    assert "Nothing was written. 2 lines" in capsys.readouterr().out


def test_values_left_out_of_a_line_are_reported_with_the_line(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = [f"unknown{at}" for at in range(25)] + ["platinum"] * 3
    people.write_text("email,giving\n" + "".join(f"a{at}@example.org,{value}\n" for at, value in enumerate(values)))
    call_command("subscribers", "import", str(people), *HOW, "--dry-run")
    said = capsys.readouterr().out
    assert "28 values were left out or need checking:" in said
    assert "  row 2: “unknown0” is not one of none, donor, monthly. The line is used without it." in said
    assert "  … and 8 more; --json lists the first 1,000 different notes." in said


def test_a_value_that_many_lines_have_is_reported_once(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people.write_text("email,giving\n" + "".join(f"a{at}@example.org,platinum\n" for at in range(25)))
    call_command("subscribers", "import", str(people), *HOW, "--dry-run")
    said = capsys.readouterr().out
    assert "25 values were left out or need checking:" in said
    assert "  row 2 and 24 more: “platinum” is not one of none, donor, monthly." in said
    assert said.count("platinum") == 1
    assert "--json" not in said


def test_with_confirm_people_are_asked_first(people: Path) -> None:
    call_command("subscribers", "import", str(people), *HOW, "--confirm", "--json")
    assert not Subscription.objects.mailable().exists()
    assert Confirmation.objects.count() == 1


def test_many_refused_lines_are_cut_short(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people.write_text("email\n" + "nobody\n" * 25)
    call_command("subscribers", "import", str(people), *HOW)
    assert "… and 5 more" in capsys.readouterr().out


@pytest.mark.parametrize(("lines", "said"), [("nobody\n", "The refused lines are in"), ("", "No line was refused, so")])
def test_an_import_says_that_it_wrote_the_refused_lines(
    people: Path, capsys: pytest.CaptureFixture[str], lines: str, said: str
) -> None:
    people.write_text(f"email\nann@example.org\n{lines}")
    refused = people.with_name("refused.csv")
    call_command("subscribers", "import", str(people), *HOW, f"--refused={refused}")
    assert f"{said} {refused}" in capsys.readouterr().out
    assert len(refused.read_text().splitlines()) == 1 + bool(lines)


def test_the_bar_follows_the_lines_on_a_terminal(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    call_command("subscribers", "import", str(people), *HOW, "--json")
    assert "Importing" in terminal.getvalue()
    assert "3/3" in terminal.getvalue()


def test_an_export_can_be_imported(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("subscribers", "import", str(people), *HOW, "--json")
    capsys.readouterr()
    call_command("subscribers", "export", "--list=weekly")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["email"], row["region"]) for row in rows] == [("ann@example.org", "US-TX")]
    out = tmp_path / "out.csv"
    call_command("subscribers", "export", f"--out={out}")
    assert "1 person is written to" in capsys.readouterr().out
    assert out.stat().st_mode & 0o077 == 0
    call_command("subscribers", "import", str(out), *HOW, "--json")
    assert json.loads(capsys.readouterr().out)["unchanged"] == 1


def test_one_person_is_shown_with_everything_held(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("subscribers", "import", str(people), *HOW, "--json")
    capsys.readouterr()
    call_command("subscribers", "show", "ANN@example.org", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["email"] == "ann@example.org"
    assert told["subscriptions"][0]["evidence"] == "Sign-up sheet, spring fair"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "bob@example.org"), "No subscriber has this address"),
        (("export", "--list=wekly"), "list “wekly” is not known; did you mean “weekly”"),
        (("export", "--out=/proc/none/x.csv"), "cannot be written: No such file or directory"),
        (("import", "/proc/none.csv", *HOW), "cannot be read: No such file or directory"),
        (("import", "PEOPLE", *HOW[:2], "--evidence= "), "Enter the evidence"),
        (("import", "PEOPLE", "--list=weekly", "--evidence=x", "--basis=guess"), "invalid choice: 'guess'"),
    ],
)
def test_an_error_is_one_line(people: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("subscribers", *(str(people) if part == "PEOPLE" else part for part in arguments))
