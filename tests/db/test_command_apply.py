"""`newsletter apply` and `newsletter init` as people run them."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from newsletter.models import Publication

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def organisation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The sample file that `newsletter init` writes."""
    call_command("init", str(tmp_path))
    assert "Next: change" in capsys.readouterr().out
    return tmp_path / "organisation.toml"


def test_a_table_shows_the_rows_created_and_changed(organisation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", str(organisation), "--dry-run")
    assert "Nothing is written; it would be: 9 created, 0 updated, 0 unchanged." in capsys.readouterr().out
    assert not Publication.objects.exists()
    call_command("apply", str(organisation))
    assert "Done: 9 created" in capsys.readouterr().out
    organisation.write_text(organisation.read_text().replace("lead_hours = 24 ", "lead_hours = 48 "))
    call_command("apply", str(organisation))
    shown = capsys.readouterr().out
    assert "lead_hours: 24 → 48" in shown
    assert "Done: 0 created, 1 updated, 8 unchanged." in shown


def test_a_program_may_read_the_changes(organisation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", str(organisation), "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"] is False
    source = next(change for change in told["changes"] if change["name"] == "Stories")
    assert (source["kind"], source["action"]) == ("source", "created")
    assert source["fields"]["every"] == {"old": None, "new": "30m"}


def test_long_values_and_emptied_ones_are_shown_short(organisation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", str(organisation))
    organisation.write_text(f'[brand]\nwebsite = ""\npostal_address = "{"x" * 200}"')
    call_command("apply", str(organisation))
    shown = capsys.readouterr().out
    assert "→ nothing" in shown
    assert "x" * 100 not in shown


def test_a_fault_in_the_file_is_the_commands_one_line(organisation: Path) -> None:
    organisation.write_text('[brand]\nnam = "x"')
    with pytest.raises(CommandError, match=r"^\[brand\]: unknown key “nam”; did you mean “name”\?$"):
        call_command("apply", str(organisation))
