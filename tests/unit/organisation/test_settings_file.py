"""Every common form of a `.env` is read, and an unusable one gets a clear error."""

import os
from pathlib import Path

import pytest
from environs import EnvError

from newsletter.project import env, settings_file
from newsletter.project.settings_file import SettingsFile, SettingsFileError, parse_settings, read_settings_file
from tests.support.unconfigured import run_unconfigured
from tests.support.unprivileged_user import make_world_writable_folder, run_as_nobody


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings_file, "_last_read", SettingsFile())
    return tmp_path


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("export A=plain", "plain"),
        ("  A = plain  ", "plain"),
        ('A="in double quotes"', "in double quotes"),
        ("A='in single quotes'", "in single quotes"),
        ('A="  kept  "', "  kept  "),
        ("A=value # a comment", "value"),
        ("A=value#no-comment", "value#no-comment"),
        ('A="value # kept" # a comment', "value # kept"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A=mailgun://k%2Fy@a.example?x=1&y=2", "mailgun://k%2Fy@a.example?x=1&y=2"),
        ("A=p$word${HOME}$$", "p$word${HOME}$$"),
        ("A=first\nA=second", "second"),
        ("A=grüße", "grüße"),
        ("# a comment\n\n\nA=plain", "plain"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_line_is_read_as_every_other_program_reads_it(line: str, value: str, line_end: str) -> None:
    settings = parse_settings(line.replace("\n", line_end) + line_end, name=".env")
    assert {name: value for name, value, _ in settings} == {"A": value}


def test_the_line_that_counts_is_known_for_each_name(folder: Path) -> None:
    (folder / ".env").write_text("# a comment\nA=1\n\nB='two\nlines'\nC=3\nA=4\n")
    assert read_settings_file({}).lines == {"A": 7, "B": 4, "C": 6}


def test_names_that_are_written_twice_are_known_by_their_lines(folder: Path) -> None:
    (folder / ".env").write_text("A=1\nB=2\nA=3\n# A=4\nA=5\n")
    read = read_settings_file({})
    assert read.repeated == {"A": (1, 3, 5)}
    assert read.lines["A"] == 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A=1\n\nA b=2\n", ".env, line 3, cannot be understood."),
        ("A=1\nNEWSLETTER_SITE_URL: https://x.example\n", ".env, line 2, cannot be understood."),
        ("A=1\nB='never closed\nC=2\n", ".env, line 2, cannot be understood."),
        ('A="closed" and more\n', ".env, line 1, cannot be understood."),
        ("# ok\nNEWSLETTER_PRODUCTION\n", ".env, line 2: NEWSLETTER_PRODUCTION has no “=” and no value."),
        ("NEWSLETTER-SITE-URL=x\n", ".env, line 1: “NEWSLETTER-SITE-URL” is not the name of a setting."),
        ("A=1\0\n", ".env, line 1: the value of A contains a NUL byte."),
    ],
)
def test_a_line_that_cannot_be_understood_is_named_by_its_number(text: str, says: str) -> None:
    with pytest.raises(SettingsFileError) as caught:
        list(parse_settings(text, name=".env"))
    assert str(caught.value).startswith(says)


def test_the_environment_counts_more_than_the_file(folder: Path) -> None:
    (folder / ".env").write_text("NEWSLETTER_ONLY_TO=file.example\nNEWSLETTER_TIME_ZONE=Europe/London\n")
    environ = {"NEWSLETTER_ONLY_TO": ""}
    read = read_settings_file(environ)
    assert environ == {"NEWSLETTER_ONLY_TO": "", "NEWSLETTER_TIME_ZONE": "Europe/London"}
    assert read.names == {"NEWSLETTER_TIME_ZONE"}
    assert read.overridden == {"NEWSLETTER_ONLY_TO"}


def test_without_a_file_nothing_is_read(folder: Path) -> None:
    environ: dict[str, str] = {}
    assert read_settings_file(environ).path is None
    assert environ == {}


def test_a_virtual_environment_called_env_is_not_read(folder: Path) -> None:
    (folder / ".env").mkdir()
    (folder / ".env" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    assert read_settings_file({}).path is None


def test_another_file_may_be_named_and_its_folders_count_from_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "etc").mkdir()
    (folder / "etc" / "letter.env").write_text("NEWSLETTER_DATA_DIR=kept\n")
    (folder / ".env").write_text("NEWSLETTER_DATA_DIR=wrong\n")
    monkeypatch.setenv("NEWSLETTER_ENV_FILE", str(folder / "etc" / "letter.env"))
    monkeypatch.delenv("NEWSLETTER_DATA_DIR")
    read_settings_file(os.environ)
    assert env.read().data_dir == folder / "etc" / "kept"
    monkeypatch.delenv("NEWSLETTER_DATA_DIR")


def test_a_second_read_and_a_child_elsewhere_find_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A WSGI server loads the program again in a process that has read the file; a child inherits what was read."""
    (folder / "etc").mkdir()
    (folder / "run").mkdir()
    file = folder / "etc" / "letter.env"
    file.write_text("NEWSLETTER_DATA_DIR=kept\nNEWSLETTER_TIME_ZONE=Europe/London\n")
    environ = {"NEWSLETTER_ENV_FILE": str(file)}
    first = read_settings_file(environ)
    monkeypatch.setattr(settings_file, "_last_read", SettingsFile())
    monkeypatch.chdir(folder / "run")
    assert read_settings_file(environ) == first
    assert first.names == {"NEWSLETTER_DATA_DIR", "NEWSLETTER_TIME_ZONE"}
    assert environ["NEWSLETTER_DATA_DIR"] == str(folder / "etc" / "kept")


def test_a_linked_settings_file_leaves_the_data_folder_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "env").write_text("NEWSLETTER_TIME_ZONE=Europe/London\n")
    (folder / ".env").symlink_to(folder / "secrets" / "env")
    monkeypatch.delenv("NEWSLETTER_DATA_DIR")
    read_settings_file({})
    assert env.read().data_dir == folder / "var"


def test_without_a_file_on_purpose_the_data_folder_is_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEWSLETTER_DATA_DIR")
    read_settings_file({"NEWSLETTER_ENV_FILE": os.devnull})
    assert env.read().data_dir == folder / "var"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda file: file.write_bytes("A=grüße".encode("latin-1")), "is not UTF-8 (line 1). Save it as UTF-8"),
        (lambda file: file.write_bytes("A=1\n".encode("utf-16")), "is not UTF-8 (line 1). Save it as UTF-8"),
        (lambda file: file.mkdir(), "cannot be read: Is a directory."),
        (lambda file: file.symlink_to("nowhere"), "cannot be read: No such file or directory."),
        (lambda file: file.write_bytes(b"#" * 1_000_001), "is larger than 1 MB."),
        (lambda file: file.write_text("A b\n"), "line 1, cannot be understood."),
    ],
)
def test_a_file_that_cannot_be_read_stops_the_command_with_one_line(folder: Path, make: object, says: str) -> None:
    make(folder / ".env")  # type: ignore[operator]
    done = run_unconfigured(["status"], folder=folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert says in done.stderr
    assert not (folder / "var").exists(), "it started as another installation"


def test_a_file_that_this_user_may_not_read_is_an_error() -> None:
    with make_world_writable_folder() as folder:
        file = folder / "letter.env"
        file.write_text("A=1\n")
        file.chmod(0o600)
        said = run_as_nobody(lambda: read_settings_file({"NEWSLETTER_ENV_FILE": str(file)}))
    assert said.startswith(f"SettingsFileError: The settings file {file} cannot be read: Permission denied.")


def test_links_are_checked_unless_that_is_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEWSLETTER_LINK_CHECKS", raising=False)
    assert env.read().by_name()["NEWSLETTER_LINK_CHECKS"] is True


@pytest.mark.parametrize("name", ["NEWSLETTER_PRODUCTION", "NEWSLETTER_LINK_CHECKS"])
@pytest.mark.parametrize(
    ("written", "means"),
    [("true", True), (" Yes ", True), ("oN", True), ("1", True), ("false\r", False), ("OFF", False), ("no", False)],
)
def test_a_switch_is_read_in_every_usual_spelling(
    name: str, written: str, means: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, written)
    assert env.read().by_name()[name] is means


@pytest.mark.parametrize("written", ["enabled", '"true"', "2", "nein"])
def test_a_switch_that_is_neither_true_nor_false_is_refused(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_PRODUCTION", written)
    with pytest.raises(EnvError, match=r"NEWSLETTER_PRODUCTION is “.+”\. Write true or false\."):
        env.read()


def test_an_empty_setting_counts_as_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name in env.read().by_name() if not name.endswith("_KEY")]
    for name in names:
        monkeypatch.delenv(name, raising=False)
    default = env.read()
    for name in names:
        monkeypatch.setenv(name, "  ")
    assert env.read() == default
    assert default.data_dir == folder / "var"


def test_white_space_around_a_value_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_SITE_URL", " https://letter.example.org/ \r")
    monkeypatch.setenv("NEWSLETTER_ENGINE", "embedded ")
    monkeypatch.setenv("NEWSLETTER_ONLY_TO", " me@example.org , our-charity.example,")
    read = env.read()
    assert (read.site_url, read.engine) == ("https://letter.example.org", "embedded")
    assert read.only_to == ["me@example.org", "our-charity.example"]
