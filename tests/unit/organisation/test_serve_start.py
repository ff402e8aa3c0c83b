"""`newsletter serve` prints its address and the first link once it runs, not before."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.disk import fill_up, small_disk
from tests.support.ports import free_port
from tests.support.unconfigured import run_unconfigured, start_unconfigured

pytestmark = pytest.mark.long
FIRST_LINK = "Nobody has an account yet. Open this link"


def make_folder(folder: Path, *, database: Path) -> Path:
    """Make the folder of an installation, whose `.env` names the database."""
    folder.mkdir()
    (folder / ".env").write_text(f"NEWSLETTER_DATA_DIR=kept\nDATABASE_URL=sqlite:///{database}\n")
    return folder


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk", megabytes=20) as disk:
        yield disk


def test_a_start_that_fails_prints_no_link(tmp_path: Path, disk: Path, migrated_sqlite: Path) -> None:
    database = Path(shutil.copy(migrated_sqlite, disk / "people.sqlite3"))
    folder = make_folder(tmp_path / "home", database=database)
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("CREATE TABLE now_the_log_has_its_files (id)")
        fill_up(disk / "filler")
        done = run_unconfigured(["serve", "--port", str(free_port())], folder=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be written" in done.stderr


def test_a_start_that_succeeds_prints_the_first_link(tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = make_folder(tmp_path / "home", database=Path(shutil.copy(migrated_sqlite, tmp_path / "people.sqlite3")))
    with start_unconfigured(["serve", "--port", str(free_port())], folder=folder, says=FIRST_LINK) as log:
        text = log.read_text()
        assert text.index("Serving http") < text.index(FIRST_LINK)
