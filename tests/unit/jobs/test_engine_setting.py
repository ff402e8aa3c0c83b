"""The engine that was chosen: refused in words where it cannot be, and a rhythm in its own notation."""

import pytest
from environs import EnvError

from newsletter.project import env


@pytest.fixture
def engine(monkeypatch):
    def choose(name: str) -> None:
        monkeypatch.setenv("NEWSLETTER_ENGINE", name)

    return choose


def test_procrastinate_on_sqlite_is_refused_with_what_to_set(engine):
    engine("procrastinate")
    with pytest.raises(EnvError, match=r"needs PostgreSQL: set DATABASE_URL"):
        env._engine("sqlite:///a.sqlite3")


def test_procrastinate_without_its_library_is_refused_with_what_to_install(engine, monkeypatch):
    engine("procrastinate")
    monkeypatch.setattr(env, "find_spec", lambda name: None)
    with pytest.raises(EnvError, match=r"pip install 'newsletter\[scale\]'"):
        env._engine("postgres://someone@localhost/newsletter")


def test_an_engine_that_does_not_exist_is_refused_and_those_that_do_are_named(engine):
    engine("celery")
    with pytest.raises(EnvError, match="embedded, procrastinate"):
        env._engine("postgres://someone@localhost/newsletter")


def test_the_engine_is_embedded_unless_another_is_chosen(monkeypatch):
    monkeypatch.delenv("NEWSLETTER_ENGINE", raising=False)
    assert env._engine("sqlite:///a.sqlite3") == "embedded"
