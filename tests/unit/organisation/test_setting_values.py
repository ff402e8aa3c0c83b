"""A value that cannot be used is refused with the name of its setting and the place that set it."""

import pickle
from pathlib import Path

import pytest

from newsletter.project import env
from newsletter.project.setting_origins import describe, say_where
from newsletter.project.settings_file import BadSetting, SettingsFile, SettingsFileError, read_settings_file

FILE = Path("/srv/newsletter/.env")


@pytest.mark.parametrize(
    "written",
    ["foo", "postgres://", "postgres://user:hush@host:abc/x", "mysql://user:hush@host/x", "sqlite://:memory:"],
)
def test_an_address_of_no_database_is_refused_without_its_password(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", written)
    with pytest.raises(BadSetting, match="DATABASE_URL is not the address of a PostgreSQL or SQLite database") as said:
        env.read()
    assert "hush" not in str(said.value)
    assert said.value.setting == "DATABASE_URL"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Europe/Londn", "Did you mean Europe/London?"),
        ("europe/london", "Did you mean Europe/London?"),
        ("Europe", "no time zone"),
        ("../../etc/passwd", "Write one such as Europe/London."),
    ],
)
def test_a_word_that_is_no_time_zone_is_refused_with_the_nearest(
    written: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_TIME_ZONE", written)
    with pytest.raises(BadSetting, match=r"^NEWSLETTER_TIME_ZONE is “.+”, which is no time zone\.") as said:
        env.read()
    assert hint in str(said.value)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("KEY_FILE", "~nobody-of-that-name/key.json"),
        ("PERSON", "example.org"),
        ("PERSON", "a@example.org, b@example.org"),
        ("PERSON", "nobody"),
        ("ENDPOINT", "foo"),
        ("ENDPOINT", "ftp://127.0.0.1"),
        ("ENDPOINT", "https://127.0.0.1:99999"),
    ],
)
def test_a_wrong_setting_of_postmaster_tools_is_refused_at_the_start(
    name: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"NEWSLETTER_POSTMASTER_{name}", written)
    with pytest.raises(BadSetting, match=f"^NEWSLETTER_POSTMASTER_{name}"):
        env.read()


def test_a_key_file_of_google_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NEWSLETTER_POSTMASTER_KEY_FILE", "~/key.json")
    assert env.read().postmaster_key_file == tmp_path / "key.json"


@pytest.mark.parametrize(
    ("environ", "file", "says"),
    [
        ({"A": "x"}, SettingsFile(FILE, names=frozenset("A")), f"It was read from {FILE}."),
        ({"A": "x"}, SettingsFile(FILE, names=frozenset("A"), lines={"A": 7}), f"It was read from {FILE}, line 7."),
        ({"A": "x"}, SettingsFile(FILE), "It was read from the environment."),
        ({"A": "x"}, SettingsFile(), "It was read from the environment."),
        (
            {"A": "x"},
            SettingsFile(FILE, overridden=frozenset("A")),
            f"It was read from the environment, which wins over {FILE}.",
        ),
        ({}, SettingsFile(FILE), f"Write it into {FILE} or into the environment."),
        ({}, SettingsFile(), f"Write it into a file .env in {Path.cwd()}, which has none, or into the environment."),
    ],
)
def test_the_place_that_set_a_setting_is_named(environ: dict[str, str], file: SettingsFile, says: str) -> None:
    assert say_where("A", environ=environ, file=file) == says


def test_a_settings_file_cannot_name_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("NEWSLETTER_ENV_FILE=/srv/newsletter/.env\n")
    with pytest.raises(SettingsFileError, match="names another settings file by NEWSLETTER_ENV_FILE"):
        read_settings_file({})


def test_a_database_may_be_named_by_a_service_of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres:///?service=letters")
    assert env.read().database_url == "postgres:///?service=letters"


@pytest.mark.parametrize("named", ["", ".env", "{folder}/.env"])
def test_a_settings_file_may_name_itself(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"NEWSLETTER_ENV_FILE={named.format(folder=tmp_path)}\nA=1\n")
    environ: dict[str, str] = {}
    read_settings_file(environ)
    assert environ == {"A": "1"}


def test_a_wrong_setting_can_cross_processes() -> None:
    error = pickle.loads(pickle.dumps(BadSetting("A", "A is wrong.")))
    assert (str(error), error.setting) == ("A is wrong.", "A")


def test_a_setting_without_a_value_is_shown_as_empty() -> None:
    shown = describe("NEWSLETTER_POSTMASTER_KEY_FILE", None, environ={}, file=SettingsFile())
    assert shown.value == ""
