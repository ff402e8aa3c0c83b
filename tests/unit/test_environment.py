"""U6, K4: the keys of an installation that was tried out first stay its own when it goes into earnest."""

from pathlib import Path

import pytest
from environs import EnvError

from newsletter.project import env


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
    for name in ("NEWSLETTER_SECRET_KEY", "NEWSLETTER_ADDRESS_KEY", "NEWSLETTER_OLD_SECRET_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("NEWSLETTER_PRODUCTION", raising=False)
    return tmp_path


def test_u6_links_made_with_the_kept_key_work_on_when_another_is_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = env.read()
    assert first.link_keys == [first.secret_key]
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", "the key of production")
    monkeypatch.setenv("NEWSLETTER_OLD_SECRET_KEYS", "an older one")
    later = env.read()
    assert later.link_keys == ["the key of production", "an older one", first.secret_key]
    assert later.old_secret_keys == ["an older one"], "no session goes on with it"
    monkeypatch.setenv("NEWSLETTER_OLD_SECRET_KEYS", first.secret_key)
    assert env.read().link_keys == ["the key of production", first.secret_key]
    (folder / "secret.key").unlink()
    monkeypatch.setenv("NEWSLETTER_OLD_SECRET_KEYS", "")
    assert env.read().link_keys == ["the key of production"]


@pytest.mark.parametrize(("name", "file"), [("SECRET", "secret.key"), ("ADDRESS", "address.key")])
def test_production_asks_for_the_key_that_was_used_until_now_and_not_for_a_new_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, file: str
) -> None:
    env.read()
    monkeypatch.setenv("NEWSLETTER_PRODUCTION", "true")
    for key in {"SECRET", "ADDRESS"} - {name}:
        monkeypatch.setenv(f"NEWSLETTER_{key}_KEY", "given")
    with pytest.raises(EnvError, match=f"NEWSLETTER_{name}_KEY is not set.*{folder / file}") as said:
        env.read()
    assert "make one" not in str(said.value)
    (folder / file).unlink()
    with pytest.raises(EnvError, match="make one"):
        env.read()
