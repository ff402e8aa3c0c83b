"""The settings that `newsletter setup` writes: private, with new keys, and never over what exists."""

import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsletter.organisation.sample_files import write_samples
from newsletter.project import cli, settings_file, setup_settings
from newsletter.project.env import SQLITE_FILE
from newsletter.project.settings_file import parse_settings, read_settings_file
from newsletter.project.setup_settings import BadOption, CannotSetUp, prepare_setup

SITE = "https://letter.example.org"
PROVIDER = "postmark://a-very-secret-key@"
SCRIPT = ("--yes", f"--site-url={SITE}", "--administrator=ann@example.org")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in an environment without settings. The settings file of the test run is put back."""
    monkeypatch.setattr(settings_file, "_last_read", settings_file.current_settings_file())
    for name in [name for name in os.environ if name.startswith(("NEWSLETTER_", "DATABASE_URL"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Run the first part with these arguments and answers, and return the settings of the file."""

    def run(*arguments: str, typed: tuple[str, ...] = (), **environ: str) -> dict[str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        read_settings_file(os.environ)
        prepare_setup(list(arguments), environ=os.environ)
        file = Path(os.environ.get("NEWSLETTER_ENV_FILE", ".env"))
        return {name: value for name, value, _ in parse_settings(file.read_text(), name=".env")}

    monkeypatch.setattr(os, "environ", dict(os.environ))  # what the file adds to it is forgotten after the test
    return run


def test_the_file_is_private_and_has_new_keys(prepare: Callable[..., dict[str, str]], folder: Path) -> None:
    values = prepare(*SCRIPT)
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert (values["NEWSLETTER_SITE_URL"], values["NEWSLETTER_PROVIDER_URL"]) == (SITE, "outbox://")
    assert len(values["NEWSLETTER_SECRET_KEY"]) > 60
    assert values["NEWSLETTER_SECRET_KEY"] != values["NEWSLETTER_ADDRESS_KEY"]
    assert "NEWSLETTER_ONLY_TO" not in values, "no real provider, so nobody is left out"


def test_the_keys_of_an_earlier_start_are_kept(prepare: Callable[..., dict[str, str]], folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "secret.key").write_text("s" * 60)
    values = prepare(*SCRIPT, NEWSLETTER_ADDRESS_KEY="a" * 60)
    assert (values["NEWSLETTER_SECRET_KEY"], values["NEWSLETTER_ADDRESS_KEY"]) == ("s" * 60, "a" * 60)


def test_with_a_real_provider_only_the_administrator_is_mailed(prepare: Callable[..., dict[str, str]]) -> None:
    values = prepare(*SCRIPT, f"--provider-url={PROVIDER}")
    assert (values["NEWSLETTER_PROVIDER_URL"], values["NEWSLETTER_ONLY_TO"]) == (PROVIDER, "ann@example.org")


def test_settings_of_the_environment_are_written_and_not_asked(
    prepare: Callable[..., dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    database = "postgres://newsletter:p%23w@127.0.0.1/letters"
    values = prepare(*SCRIPT, DATABASE_URL=database, NEWSLETTER_PROVIDER_URL=PROVIDER, NEWSLETTER_ONLY_TO="example.org")
    assert (values["DATABASE_URL"], values["NEWSLETTER_PROVIDER_URL"]) == (database, PROVIDER)
    assert values["NEWSLETTER_ONLY_TO"] == "example.org"
    said = capsys.readouterr().out
    assert "Mail provider: postmark (from the settings)" in said
    assert "secret-key" not in said


def test_the_database_of_the_command_line_is_written(prepare: Callable[..., dict[str, str]]) -> None:
    assert prepare(*SCRIPT, "--database-url=postgres://x@127.0.0.1/y")["DATABASE_URL"] == "postgres://x@127.0.0.1/y"


@pytest.mark.parametrize("lines", [None, f"NEWSLETTER_SITE_URL={SITE}\nNEWSLETTER_DATA_DIR=var\n", "DATABASE_URL=\n"])
def test_an_option_does_not_replace_a_database_in_use(
    prepare: Callable[..., dict[str, str]], folder: Path, lines: str | None
) -> None:
    (folder / "var").mkdir()
    (folder / "var" / SQLITE_FILE).write_bytes(b"SQLite format 3")
    if lines is not None:
        (folder / ".env").write_text(lines)
    with pytest.raises(CannotSetUp, match=r"has a database already: .*newsletter move --to URL") as refused:
        prepare(*SCRIPT, "--database-url=postgres://x:secret@127.0.0.1/y")
    assert "secret" not in str(refused.value)
    file = folder / ".env"
    assert (file.read_text() if file.exists() else None) == lines


def test_the_database_in_use_may_be_named(prepare: Callable[..., dict[str, str]], folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / SQLITE_FILE).write_bytes(b"SQLite format 3")
    url = f"sqlite:///{folder / 'var' / SQLITE_FILE}"
    assert prepare(*SCRIPT, f"--database-url={url}")["DATABASE_URL"] == url


def test_a_database_of_the_settings_is_kept_beside_an_old_file(
    prepare: Callable[..., dict[str, str]], folder: Path
) -> None:
    (folder / "var").mkdir()
    (folder / "var" / SQLITE_FILE).write_bytes(b"SQLite format 3")
    url = "postgres://x@127.0.0.1/y"
    (folder / ".env").write_text(f"DATABASE_URL={url}\n")
    assert prepare(*SCRIPT, f"--database-url={url}")["DATABASE_URL"] == url


def test_questions_are_asked_with_what_will_happen(
    prepare: Callable[..., dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    values = prepare(typed=("letter.example.org", SITE, "mailgin://x@y.example", "", "ann", "ann@example.org"))
    said = capsys.readouterr().out
    assert said.startswith("This sets up a newsletter in ")
    for refused in ("is not a whole web address", "did you mean mailgun?", "“ann” cannot be used"):
        assert refused in said
    assert values["NEWSLETTER_SITE_URL"] == SITE


def test_an_existing_file_only_gets_what_it_lacks(
    prepare: Callable[..., dict[str, str]], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = f"# NEWSLETTER_SECRET_KEY=of-last-year\nNEWSLETTER_SITE_URL={SITE}\nNEWSLETTER_PROVIDER_URL=\nNEWSLETTER_DATA_DIR=data"
    (folder / ".env").write_text(mine)
    values = prepare("--yes")
    assert (folder / ".env").read_text().startswith(mine)
    assert values["NEWSLETTER_PROVIDER_URL"] == "outbox://"
    assert "Added to " in capsys.readouterr().out
    again = prepare("--yes")
    assert again == values
    assert f"Kept: {folder / '.env'}" in capsys.readouterr().out


OF_THE_ENVIRONMENT = {
    "NEWSLETTER_FETCH_ALLOW": "cms.intranet.example.org, 10.0.0.0/8",
    "NEWSLETTER_ONLY_TO": "me@example.org",
    "NEWSLETTER_OIDC_CLIENT_SECRET": "a 'quoted' #secret",
    "NEWSLETTER_PROVIDER_URL_BACKUP": PROVIDER,
    "NEWSLETTER_TIME_ZONE": "Europe/London",
}


def test_a_new_file_has_every_setting_of_the_environment(
    prepare: Callable[..., dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    values = prepare(*SCRIPT, **OF_THE_ENVIRONMENT, NEWSLETTER_TEST_OTHER="x", NEWSLETTER_PULSE_URL="")
    assert {name: values.get(name) for name in OF_THE_ENVIRONMENT} == OF_THE_ENVIRONMENT
    assert not {"NEWSLETTER_TEST_OTHER", "NEWSLETTER_PULSE_URL", "NEWSLETTER_ENV_FILE"} & values.keys()
    said = capsys.readouterr().out
    assert f"From the environment: {', '.join(sorted(OF_THE_ENVIRONMENT))}\n" in said
    assert "secret" not in said


def test_a_relative_data_folder_stays_where_it_is_in_the_file(
    prepare: Callable[..., dict[str, str]], folder: Path
) -> None:
    """In the environment it counts from the current folder, in a settings file from the file."""
    (folder / "conf").mkdir()
    write_samples(folder / "conf")
    values = prepare(*SCRIPT, NEWSLETTER_ENV_FILE=str(folder / "conf/.env"), NEWSLETTER_DATA_DIR="data")
    assert values["NEWSLETTER_DATA_DIR"] == str(folder / "data")


def test_what_only_the_environment_has_is_named_beside_an_old_file(
    prepare: Callable[..., dict[str, str]], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_text("NEWSLETTER_TIME_ZONE=Europe/Paris\nNEWSLETTER_ONLY_TO=me@example.org\n")
    prepare(*SCRIPT, **OF_THE_ENVIRONMENT)
    said = capsys.readouterr().out
    names = (
        "NEWSLETTER_FETCH_ALLOW, NEWSLETTER_OIDC_CLIENT_SECRET, NEWSLETTER_PROVIDER_URL_BACKUP, NEWSLETTER_TIME_ZONE"
    )
    assert f"{folder / '.env'} does not have what the environment has for {names}." in said
    assert "Processes that start without this environment use other values." in said


def test_an_option_that_differs_from_the_file_is_refused(prepare: Callable[..., dict[str, str]], folder: Path) -> None:
    prepare(*SCRIPT)
    before = (folder / ".env").read_text()
    for other in (f"--provider-url={PROVIDER}", "--site-url=https://other.example.org"):
        with pytest.raises(CannotSetUp, match=r"has another value in .* Nothing was changed: what exists is never"):
            prepare("--yes", other)
    prepare("--yes", f"--site-url={SITE}/", "--provider-url=none")
    assert (folder / ".env").read_text() == before


def test_an_unchanged_sample_is_filled_in(prepare: Callable[..., dict[str, str]], folder: Path) -> None:
    write_samples(folder)
    assert prepare(*SCRIPT)["NEWSLETTER_SITE_URL"] == SITE


def test_the_end_of_the_input_writes_no_settings_and_keeps_the_answers(
    prepare: Callable[..., dict[str, str]], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exception, match=r"Your answers are kept\. Go on with: newsletter setup"):
        prepare(typed=(SITE, "none"))
    assert not (folder / ".env").exists()
    prepare(typed=("ann@example.org",))
    assert f"Address of this installation: {SITE} (kept)" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_reported_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/proc")
    with pytest.raises(
        CannotSetUp, match=r"^/proc cannot be written to: .* so nothing was set up\. Change to a folder"
    ):
        prepare_setup(["--yes"], environ={})


def test_a_file_that_cannot_be_written_keeps_the_answers(
    prepare: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(setup_settings, "replace_private", refuse)
    with pytest.raises(CannotSetUp, match=r"cannot be written: No space left on device\. Your answers are kept"):
        prepare(*SCRIPT)


def test_an_option_that_does_not_exist_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    umask = os.umask(0o022)
    try:
        assert cli.main(["setup", "--nane", "x"]) == 2
    finally:
        os.umask(umask)
    assert (
        "Unrecognized arguments: --nane x. Nothing was changed. Try: newsletter setup --help" in capsys.readouterr().err
    )
    with pytest.raises(BadOption, match="expected one argument"):
        prepare_setup(["--name"], environ={})
    assert list(folder.iterdir()) == []
