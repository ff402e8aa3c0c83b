"""The `newsletter` command as people meet it: a list of commands, and refusals of one line without a traceback."""

import gc
import os
import shutil
import socket
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pytest

from newsletter.project import cli
from tests.support.time_limits import START_SECONDS
from tests.support.unconfigured import run_unconfigured, was_used

ROOT = Path(cli.__file__).parents[2]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSLETTER_", "DATABASE_"))}
USAGE_OPTIONS = {"--help", "--verify", "--mess", "--version"}
RUN_AND_PRINT_KEYS = """
import sys
from newsletter.project import cli
status = cli.main()
from django.conf import settings
print("", settings.SECRET_KEY, settings.SUBSCRIBERS_ADDRESS_KEY, *settings.SUBSCRIBERS_LINK_KEYS, sep="\\n")
sys.exit(status)
"""


@pytest.fixture(autouse=True)
def umask_is_put_back() -> Iterator[None]:
    """A command that runs in this process makes its files private, and those of all later tests."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def run(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**CLEAN, "PYTHONPATH": str(ROOT), "NEWSLETTER_DATA_DIR": str(folder / "data"), **settings}
    return subprocess.run(
        [sys.executable, "-m", "newsletter.project.cli", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def test_without_a_command_it_lists_the_commands_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n  {name} " in listed for name in cli.COMMANDS)
    assert cli.main(["--help"]) == 0
    assert capsys.readouterr().out == listed


def test_every_command_of_the_product_is_in_the_list() -> None:
    packages = [ROOT / "newsletter", ROOT / "subscribers"]
    files = [file for package in packages for file in package.rglob("management/commands/[!_]*.py")]
    made = {file.stem.replace("_", "-") for file in files}
    assert len(files) == len(made)
    assert made <= set(cli.COMMANDS), made - set(cli.COMMANDS)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("newsletter 1.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["statu"], "There is no command “statu”. Did you mean “status”?"),
        (["xyzzy"], "There is no command “xyzzy”. `newsletter --help` lists the commands."),
        (["apply"], "The following arguments are required: FILE.toml. Try: newsletter apply --help"),
        (["apply", "x.toml", "--drie-run"], "Unrecognized arguments: --drie-run. Try: newsletter apply --help"),
        (
            ["demo", "--port", "many"],
            "Argument --port: there is no port many.",
        ),
        (["demo", "--port", "70000"], "Argument --port: there is no port 70000."),
    ],
)
def test_a_mistyped_command_line_ends_with_status_2_and_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert said.err.startswith(message)
    assert (said.err.count("\n"), said.out) == (1, "")


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"NEWSLETTER_ENGINE": "x"}, "NEWSLETTER_ENGINE is “x”. Write one of: embedded, procrastinate."),
        ({"DATABASE_URL": "nonsense://x"}, "DATABASE_URL is not the address of a PostgreSQL or SQLite database."),
        ({"NEWSLETTER_DATA_DIR": "/proc/none"}, "There are no data in /proc/none/newsletter.sqlite3 yet"),
        ({"NEWSLETTER_PRODUCTION": "true"}, "NEWSLETTER_SECRET_KEY is not set."),
        ({"DATABASE_URL": "postgres://127.0.0.1:1/none"}, "The database cannot be used: "),
        ({}, "There are no data in "),
    ],
)
def test_a_setting_that_cannot_work_ends_with_one_line_and_no_traceback(
    tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    done = run("status", folder=tmp_path, **settings)
    assert done.stderr.startswith(message)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def test_a_set_up_with_a_setting_that_cannot_work_prints_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", "~nobody-of-that-name/data")
    assert cli.main(["setup", "--yes"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("NEWSLETTER_DATA_DIR is “~nobody-of-that-name/data”")
    assert said.endswith("It was read from the environment.\n")


@pytest.mark.long
@pytest.mark.parametrize(
    "words",
    [["staff", "list"], ["subscribers", "export"], ["subscribers", "silent"], ["backup", "x.zip"], ["api-key", "list"]],
)
def test_a_command_in_the_wrong_folder_says_so_and_begins_nothing(tmp_path: Path, words: list[str]) -> None:
    done = run(*words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "which contains its .env" in done.stderr
    assert not (tmp_path / "x.zip").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["doctor", "--quick"],
        ["staff", "add", "ann@example.org", "--role", "admin"],
        ["backup", "x.zip"],
        ["backup", "x.zip", "--verify"],
        ["doctor", "--mess", "mail.eml"],
        ["status", "--help"],
        ["statu"],
        ["init", "there"],
        ["apply", "organisation.toml"],
        ["restore", "x.zip"],
        ["status", "--version"],
        ["serve", "--version"],
        ["serve", "--bogus"],
        ["worker", "--concurrency", "x"],
        ["setup", "--bogus"],
        ["demo", "--bogus"],
        ["demo", "--version"],
        ["migrate", "--version"],
        ["migrate", "--plan"],
        ["migrate", "--check"],
        ["migrate", "--pl"],
        ["check"],
        ["clearsessions"],
    ],
)
def test_a_command_in_an_empty_folder_makes_no_data_and_no_keys(tmp_path: Path, words: list[str]) -> None:
    done = run_unconfigured(words, folder=tmp_path)
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {"there"}
    if words[0] in ("status", "doctor", "staff", "backup", "migrate") and not USAGE_OPTIONS & set(words):
        assert (done.returncode, done.stdout) == (1, "")
        assert f"{tmp_path}/var/newsletter.sqlite3" in done.stderr
        assert f"no settings file .env in {tmp_path}" in done.stderr
    elif words[0] in ("apply", "restore"):
        assert (done.returncode, done.stdout) == (1, "")
        assert f"There is no file {words[1]}." in done.stderr
    elif "--version" in words:
        assert (done.returncode, done.stdout) == (0, f"newsletter {version('newsletter')}\n")


@pytest.mark.long
def test_a_measurement_in_an_empty_folder_leaves_no_file(tmp_path: Path) -> None:
    assert run_unconfigured(["bench", "--recipients", "5000", "--only", "compile"], folder=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "words", [["dumpdata"], ["clearsessions"], ["flush", "--noinput"], ["makemigrations", "--dry-run"]]
)
def test_a_command_of_django_makes_no_database(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "var").mkdir()
    done = run_unconfigured(words, folder=tmp_path)
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["var"]


@pytest.mark.long
def test_a_command_of_django_without_a_database_says_where_it_looked(tmp_path: Path) -> None:
    done = run_unconfigured(["showmigrations"], folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"There are no data in {tmp_path}/var/newsletter.sqlite3 yet.")


@pytest.mark.long
def test_a_command_uses_the_keys_that_another_wrote_meanwhile(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from newsletter.project import cli, secret_keys\n"
        "write, data = secret_keys.write_held_keys, Path('var')\n"
        "def write_later() -> None:\n"
        "    data.mkdir(exist_ok=True)\n"
        "    for name in ('secret.key', 'address.key'):\n"
        "        (data / name).write_text(f'of another command: {name}')\n"
        "    write()\n"
        "secret_keys.write_held_keys = write_later\n"
        "sys.exit(cli.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "migrate", "--verbosity", "0"],
        cwd=tmp_path,
        env={**CLEAN, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "var" / "newsletter.sqlite3").stat().st_size
    assert (tmp_path / "var" / "secret.key").read_text() == "of another command: secret.key"


@pytest.mark.long
def test_commands_that_begin_an_installation_together_share_its_keys(tmp_path: Path) -> None:
    def migrate(_: int) -> subprocess.CompletedProcess[str]:
        return run_unconfigured(["migrate"], folder=tmp_path, command=[sys.executable, "-c", RUN_AND_PRINT_KEYS])

    with ThreadPoolExecutor(3) as together:
        done = list(together.map(migrate, range(3)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 3
    secret, address = ((tmp_path / "var" / name).read_text() for name in ("secret.key", "address.key"))
    assert [one.stdout.splitlines()[-3:] for one in done] == [[secret, address, secret]] * 3


@pytest.mark.long
def test_a_failed_command_keeps_the_data_folder_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    assert run_unconfigured(["restore", "x.zip"], folder=tmp_path).returncode == 1
    assert list((tmp_path / "var").iterdir()) == []
    (tmp_path / "var" / "left.journal").touch()
    assert run_unconfigured(["apply", "x.toml"], folder=tmp_path).returncode == 1
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["left.journal"]


@pytest.mark.long
def test_the_settings_file_names_the_database_and_the_environment_wins(tmp_path: Path, migrated_sqlite: Path) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "people.sqlite3")
    (tmp_path / ".env").write_text(
        f"NEWSLETTER_DATA_DIR={tmp_path / 'elsewhere'}\nDATABASE_URL=sqlite:///{tmp_path}/people.sqlite3\n"
    )
    done = run("staff", "list", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nobody has an account yet." in done.stdout
    assert was_used(tmp_path / "people.sqlite3"), "the file says which database"
    assert (tmp_path / "data" / "secret.key").exists(), "the environment counts more than .env"
    assert not (tmp_path / "elsewhere").exists()


def test_an_interrupted_command_ends_with_status_130_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_execute", interrupt)
    assert cli.main(["migrate"]) == 130
    assert capsys.readouterr().err == ""


def test_no_garbage_is_collected_while_a_command_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    collects: list[bool] = []
    monkeypatch.setattr(cli, "_load_command", lambda _name: collects.append(gc.isenabled()))
    monkeypatch.setattr(cli, "_parse_options", lambda *_given: Namespace())
    monkeypatch.setattr(cli, "_execute", lambda *_given: collects.append(gc.isenabled()))
    assert cli.main(["migrate"]) == 0
    assert collects == [False, True]
    assert gc.get_freeze_count() > 0


@pytest.mark.long
def test_a_closed_pipe_prints_no_traceback(tmp_path: Path) -> None:
    script = f"{sys.executable} -m newsletter.project.cli check --help | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script],
        env={**CLEAN, "PYTHONPATH": str(ROOT), "NEWSLETTER_DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() in {"0", "141"}


def test_a_refusal_of_the_product_is_one_line_with_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert cli.main(["demo", "--port", str(taken.getsockname()[1])]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Port ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("people", ["0", "-5", "many", "1000001"])
def test_a_bad_number_of_sample_people_keeps_the_earlier_demo(
    people: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / ".newsletter-demo").write_text("mine")
    assert cli.main(["demo", f"--subscribers={people}"]) == 2
    assert "--subscribers" in capsys.readouterr().err
    assert (tmp_path / "demo" / ".newsletter-demo").read_text() == "mine"


@pytest.mark.parametrize("option", ["--bogus", "--subs=0"])
def test_a_wrong_option_of_the_demo_keeps_the_earlier_demo(
    option: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / ".newsletter-demo").write_text("mine")
    assert cli.main(["demo", option]) == 2
    assert (tmp_path / "demo" / ".newsletter-demo").read_text() == "mine"


@pytest.mark.long
def test_an_organisation_file_may_come_from_a_pipe(tmp_path: Path) -> None:
    text = '[[list]]\nslug = "weekly"\nname = "The weekly letter"\n'
    done = run_unconfigured(["apply", "/dev/stdin"], folder=tmp_path, given=text)
    assert "Done: 1 created" in done.stdout, done.stderr
