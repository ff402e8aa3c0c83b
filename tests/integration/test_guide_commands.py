"""The commands of the tutorial, and of the guides for moving a list, backups and settings, run as they are written."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.guides import to_run
from tests.integration.organisation import Organisation
from tests.integration.readers import succeed
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
TUTORIAL, MOVE, BACK_UP = "tutorial/first-issue.md", "how-to/move-a-list.md", "how-to/back-up-and-restore.md"
WEB_SERVER, COPY = "how-to/put-a-web-server-in-front.md", "how-to/test-with-a-copy.md"
COLUMNS = "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,TIMEZONE,CC,REGION,LAST_CHANGED"
ROW = "Ann,Lee,3,2021-03-04 05:06:07,2021-03-04 05:16:07,Europe/London,GB,ENG,2024-01-02 03:04:05"
FILES = {
    "unsubscribed_1a2b.csv": (",UNSUB_TIME,UNSUB_REASON", "gone@example.net", ",2024-02-03 04:05:06,NORMAL"),
    "cleaned_1a2b.csv": (",CLEAN_TIME", "dead@example.net", ",2024-02-03 04:05:06"),
    "subscribed_1a2b.csv": ("", "new@example.net", ""),
}
"""The files of Mailchimp that the guide names: further columns, an address, and what its row has in them."""
OURS = ("NEWSLETTER_", "DJANGO_", "DATABASE_URL")
"""The settings of the tests, which a reader does not have."""
NAME_OF_AN_ARCHIVE = r"newsletter-\d{4}-\d\d-\d\d-\d{6}\.zip"


def test_the_command_of_the_tutorial_runs_in_a_checkout(tmp_path: Path) -> None:
    """The demo has fewer people and another port, so that it is quick and in nobody's way."""
    for entry in ROOT.iterdir():
        if entry.name not in {"var", ".venv"}:
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (start,) = to_run(TUTORIAL, "sh")
    given = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
    given["ARGS"] = f"--subscribers 60 --port {free_port()}"
    log = tmp_path / "demo.log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            ["bash", "-c", start.text], cwd=tmp_path, env=given, stdout=output, stderr=output, start_new_session=True
        )
    try:
        end = time.monotonic() + 500
        while "The desk:" not in log.read_text():
            assert demo.poll() is None, log.read_text()[-1500:]
            assert time.monotonic() < end, log.read_text()[-1500:]
            time.sleep(0.5)
        assert "password:" in log.read_text()
    finally:
        os.killpg(demo.pid, signal.SIGTERM)
        demo.wait(60)


def test_the_files_of_mailchimp_are_imported_by_the_commands(
    organisation: Organisation, reader: dict[str, str]
) -> None:
    for name, (columns, address, cells) in FILES.items():
        text = f"{COLUMNS}{columns},LEID,EUID,NOTES,TAGS\n{address},{ROW}{cells},1,2,,\n"
        (Path(reader["HOME"]) / name).write_text(text)
    (commands,) = to_run(MOVE, "sh")
    succeed(commands.text, reader)
    rows = organisation.install.query("SELECT reason FROM subscribers_suppression ORDER BY reason")
    assert len(rows) == 2
    added = organisation.install.query("SELECT 1 FROM subscribers_subscriber WHERE email = 'new@example.net'")
    assert not added, "the guide tries the last file first"
    succeed(commands.text.replace(" --dry-run", ""), reader)
    assert organisation.install.query("SELECT 1 FROM subscribers_subscriber WHERE email = 'new@example.net'")


def test_a_backup_is_verified_and_restored_by_the_commands(
    organisation: Organisation, reader: dict[str, str], tmp_path: Path
) -> None:
    home = Path(reader["HOME"])
    (home / "backups").mkdir()
    (home / "passphrase").write_text("a passphrase of the test\n")
    back_up, restore = (block.fill_in(folder=home) for block in to_run(BACK_UP, "sh"))
    make, verify = back_up.splitlines()
    succeed(make, reader)
    (archive,) = (home / "backups").iterdir()
    succeed(re.sub(NAME_OF_AN_ARCHIVE, archive.name, verify), reader)
    empty = {name: text for name, text in reader.items() if not name.startswith("DATABASE") and "_KEY" not in name}
    empty["NEWSLETTER_DATA_DIR"] = str(tmp_path / "restored")
    succeed(re.sub(NAME_OF_AN_ARCHIVE, archive.name, restore), empty, folder=home / "backups")
    assert (tmp_path / "restored" / "address.key").exists()


@pytest.mark.parametrize("guide", [WEB_SERVER, COPY])
def test_the_settings_of_a_guide_are_accepted(guide: str, reader: dict[str, str]) -> None:
    (settings,) = to_run(guide, "ini")
    (Path(reader["HOME"]) / ".env").write_text(settings.fill_in(secret="outbox://"))
    succeed("newsletter api-key list", reader)
