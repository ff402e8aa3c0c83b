"""Every command of the documents uses the `.env` of the folder where it is started, whatever the test run's settings are."""

import http.client
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.organisation.sample_files import read_sample
from newsletter.project import cli
from tests.support.ports import free_port
from tests.support.processes import wait_until
from tests.support.unconfigured import ROOT, run_unconfigured, start_unconfigured, was_used

SITE = "https://letter.example.org"
SERVING = {
    "serve": (["serve", "--port", "PORT"], f"Serving {SITE}/"),
    "web": (["web", "--port", "PORT"], f"Serving {SITE}/"),
    "worker": (["worker"], "The worker is running"),
    "scheduler": (["scheduler"], "The scheduler runs"),
}
OPENING_DATABASE = {
    "apply": ["apply", "organisation.toml", "--dry-run"],
    "staff": ["staff", "list"],
    "api-key": ["api-key", "list"],
    "webhook": ["webhook", "list"],
    "subscribers": ["subscribers", "show", "reader@example.org"],
    "breach-drill": ["breach-drill", "--export", "1"],
    "ingest": ["ingest"],
    "assemble": ["assemble", "weekly"],
    "preview": ["preview", "weekly/latest"],
    "explain": ["explain", "reader@example.org", "weekly/latest"],
    "approve": ["approve", "weekly/latest", "--by", "editor@example.org"],
    "send": ["send", "weekly/latest"],
    "status": ["status"],
    "doctor": ["doctor"],
    "backup": ["backup", "backup.zip"],
    "move": ["move", "--to", "postgresql://nobody@127.0.0.1:9/none"],
    "migrate": ["migrate"],
}
WITHOUT_DATABASE = {
    "init": ["init", "there"],
    "setup": ["setup", "--help"],
    "help": ["help", "status"],
    "bench": ["bench", "--help"],
    "provider": ["provider", "--help"],
    "mcp": ["mcp", "--help"],
    "restore": ["restore", "--help"],
}


@pytest.fixture
def folder(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Path]:
    """A folder with nothing but a `.env`. The database that it names lies elsewhere."""
    (tmp_path / "database").mkdir()
    shutil.copy(migrated_sqlite, tmp_path / "database" / "people.sqlite3")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".env").write_text(
        f"NEWSLETTER_DATA_DIR=kept\nDATABASE_URL=sqlite:///{tmp_path}/database/people.sqlite3\nNEWSLETTER_SITE_URL={SITE}\n"
    )
    yield home
    assert not (home / "var").exists(), "the default data folder was used"


def database_of(folder: Path) -> Path:
    return folder.parent / "database" / "people.sqlite3"


def test_every_command_that_the_documents_name_is_started_here() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {word for file in documents for word in re.findall(r"newsletter ([a-z][a-z-]+)", file.read_text())}
    started = {*SERVING, *OPENING_DATABASE, *WITHOUT_DATABASE, "demo"}
    assert started >= named & {*cli.COMMANDS, "help"}
    assert started - {"help"} == set(cli.COMMANDS)


@pytest.mark.long
@pytest.mark.parametrize("name", OPENING_DATABASE)
def test_a_command_opens_the_database_that_the_settings_file_names(folder: Path, name: str) -> None:
    (folder / "organisation.toml").write_text(read_sample("sample.toml"))
    done = run_unconfigured(OPENING_DATABASE[name], folder=folder)
    assert "Traceback" not in done.stderr
    assert was_used(database_of(folder)), done.stderr
    assert (folder / "kept" / "secret.key").is_file(), "the data folder of the file was not used"
    assert not list(folder.rglob("newsletter.sqlite3")), "the default database was used"


@pytest.mark.long
@pytest.mark.parametrize("name", WITHOUT_DATABASE)
def test_a_command_without_a_database_uses_the_settings_file(folder: Path, name: str) -> None:
    done = run_unconfigured(WITHOUT_DATABASE[name], folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "kept" / "secret.key").is_file() == (name == "init"), "only the first makes a data folder"


def test_the_demo_works_in_the_data_folder_of_the_settings_file(folder: Path) -> None:
    (folder / "kept" / "demo").mkdir(parents=True)
    (folder / "kept" / "demo" / "mine").write_text("not a demonstration")
    done = run_unconfigured(["demo", "--no-serve", "--port", str(free_port())], folder=folder)
    assert done.stderr.startswith(f"{folder}/kept/demo holds something that is not a demonstration.")


@pytest.mark.long
@pytest.mark.parametrize("name", SERVING)
def test_a_serving_process_uses_the_settings_file(folder: Path, name: str) -> None:
    arguments, says = SERVING[name]
    arguments = [word.replace("PORT", str(free_port())) for word in arguments]
    with start_unconfigured(arguments, folder=folder, says=says) as log:
        assert f"Settings: {folder}/.env. Data: {folder}/kept. Not production" in log.read_text()
    assert was_used(database_of(folder))
    assert (folder / "kept" / "secret.key").is_file(), "the data folder of the file was not used"


@pytest.mark.long
def test_a_web_server_of_your_own_uses_the_settings_file(folder: Path) -> None:
    keys = "NEWSLETTER_SECRET_KEY=a-key-of-production-that-is-long-enough\n"
    keys += "NEWSLETTER_ADDRESS_KEY=another-key-of-production-long-enough\n"
    with (folder / ".env").open("a") as file:
        file.write(keys + "NEWSLETTER_PRODUCTION=true\n")
    (folder / "kept").mkdir()
    (folder / "kept" / "secret.key").write_text("an earlier key of a trial, long enough to be one")
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "newsletter.project.wsgi:application"]
    with start_unconfigured(["-b", f"127.0.0.1:{port}"], command=gunicorn, folder=folder, says="Booting worker"):
        assert answer(port, host="letter.example.org") in {200, 301, 302, 404}
        assert answer(port, host="somebody-else.example") == 400, "only a production installation minds the host"
        wait_until(
            lambda: count_web_processes(database_of(folder)) == 1, what="the process that answers is in the database"
        )
    assert count_web_processes(database_of(folder)) == 0, "a process that was stopped is not missing"


def count_web_processes(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM newsletter_runningprocess WHERE web").fetchone()
    return int(count)


def answer(port: int, *, host: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/accounts/login/", headers={"Host": host})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.long
@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_a_process_continues_once_its_database_is_prepared(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    with start_unconfigured([name], folder=folder, says="The database is not prepared for this version") as log:
        assert SERVING[name][1] not in log.read_text()
        assert run_unconfigured(["migrate"], folder=folder).returncode == 0
        wait_until(lambda: SERVING[name][1] in log.read_text(), what="the start of the process")
        assert "no such" not in log.read_text()
