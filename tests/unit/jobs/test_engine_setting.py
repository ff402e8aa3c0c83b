"""The engine setting: refusals that say what to do, and job intervals in Procrastinate's notation."""

import pytest
from environs import EnvError

from newsletter.project import env


@pytest.fixture
def engine(monkeypatch):
    def choose(name: str) -> None:
        monkeypatch.setenv("NEWSLETTER_ENGINE", name)

    return choose


def test_procrastinate_on_sqlite_is_refused_with_advice(engine):
    engine("procrastinate")
    with pytest.raises(EnvError, match=r"needs PostgreSQL: set DATABASE_URL"):
        env._engine("sqlite:///a.sqlite3")


def test_procrastinate_without_its_library_is_refused_with_advice(engine, monkeypatch):
    engine("procrastinate")
    monkeypatch.setattr(env, "find_spec", lambda name: None)
    with pytest.raises(EnvError, match=r"pip install 'newsletter\[scale\]'"):
        env._engine("postgres://someone@localhost/newsletter")


def test_an_unknown_engine_is_refused_and_known_ones_are_named(engine):
    engine("celery")
    with pytest.raises(EnvError, match="embedded, procrastinate"):
        env._engine("postgres://someone@localhost/newsletter")


def test_the_embedded_engine_is_the_default(monkeypatch):
    monkeypatch.delenv("NEWSLETTER_ENGINE", raising=False)
    assert env._engine("sqlite:///a.sqlite3") == "embedded"
