"""The commands that `newsletter bench` runs: their database, and what becomes of one that fails or does not end."""

from pathlib import Path

import dj_database_url
import pytest

from newsletter.bench.errors import NotMeasured
from newsletter.bench.serving.first_call import make_database_url
from newsletter.bench.serving.own_commands import make_environment, run_command


@pytest.mark.parametrize(
    "settings",
    [
        {
            "USER": "a@b:c/d?e#f%41",
            "PASSWORD": "p w/@:#?%41é",
            "HOST": "127.0.0.1",
            "PORT": 5432,
            "NAME": "test/n?#%41 x",
        },
        {"USER": "newsletter", "PASSWORD": "", "HOST": "/var/run/postgresql", "PORT": "", "NAME": "letters"},
        {"USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "NAME": "letters"},
        {"USER": "a", "PASSWORD": "b", "HOST": "::1", "PORT": "", "NAME": "n", "OPTIONS": {"sslmode": "require"}},
    ],
)
def test_a_command_gets_the_same_postgres_database(settings: dict[str, object]) -> None:
    settings = {**settings, "ENGINE": "django.db.backends.postgresql"}
    read = dj_database_url.parse(make_database_url(settings))
    assert {name: read.get(name) for name in settings} == settings


def test_a_command_gets_the_same_sqlite_database(tmp_path: Path) -> None:
    file = str(tmp_path / "a file? of#100%41.sqlite3")
    url = make_database_url({"ENGINE": "newsletter.project.sqlite_database", "NAME": file})
    assert dj_database_url.parse(url)["NAME"] == file


def test_a_command_that_does_not_end_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match=r"newsletter --help did not end in 0\.01 seconds"):
        run_command("--help", environment=make_environment(tmp_path), folder=tmp_path, seconds=0.01)


def test_a_command_that_fails_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(
        NotMeasured, match=r"newsletter no-such-command failed, so there is no figure for it: .*no-such"
    ):
        run_command("no-such-command", environment=make_environment(tmp_path), folder=tmp_path)
