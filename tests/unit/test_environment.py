"""An installation keeps the keys of its trial when it goes into production."""

import threading
from pathlib import Path

import pytest
from environs import EnvError

from newsletter.project import env, secret_keys


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
    for name in ("NEWSLETTER_SECRET_KEY", "NEWSLETTER_ADDRESS_KEY", "NEWSLETTER_OLD_SECRET_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("NEWSLETTER_PRODUCTION", raising=False)
    return tmp_path


@pytest.mark.requirement("U6")
def test_links_signed_with_the_kept_key_work_beside_another_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_production_asks_for_the_key_that_was_used_before(
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


WEAK = ("short", "a" * 64, "x" * 31, "12" * 20)
STRONG = "a-key-of-production-that-is-long-enough"


@pytest.mark.parametrize("weak", WEAK)
@pytest.mark.parametrize("name", ["NEWSLETTER_SECRET_KEY", "NEWSLETTER_ADDRESS_KEY", "NEWSLETTER_OLD_SECRET_KEYS"])
def test_production_refuses_a_key_that_can_be_guessed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, weak: str
) -> None:
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", STRONG)
    monkeypatch.setenv("NEWSLETTER_ADDRESS_KEY", STRONG[::-1])
    monkeypatch.setenv("NEWSLETTER_PRODUCTION", "true")
    assert env.read().weak_keys() == []
    monkeypatch.setenv(name, weak)
    with pytest.raises(EnvError, match=f"^{name} .*too easy to guess.*32 characters") as said:
        env.read()
    assert weak not in str(said.value)
    monkeypatch.setenv("NEWSLETTER_PRODUCTION", "false")
    assert env.read().weak_keys() == [name], "a trial goes on; `newsletter doctor` warns"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
@pytest.mark.parametrize("file", ["secret.key", "address.key"])
def test_a_kept_key_that_a_full_disk_cut_off_is_never_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: bytes
) -> None:
    monkeypatch.setattr(secret_keys, "_WAIT_SECONDS", 0.1)
    env.read()
    (folder / file).write_bytes(content)
    with pytest.raises(EnvError, match=f"{file} holds no key. Restore it from a backup"):
        env.read()
    assert (folder / file).read_bytes() == content


def test_a_key_that_another_start_is_writing_is_waited_for(folder: Path) -> None:
    (folder / "secret.key").touch()
    writer = threading.Timer(0.3, (folder / "secret.key").write_text, ["a key that came a moment later"])
    writer.start()
    try:
        assert env.read().secret_key == "a key that came a moment later"
    finally:
        writer.join()


def test_a_home_folder_may_be_written_with_a_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", "~/data")
    assert env.read().data_dir == folder / "data"


def test_production_refuses_a_weak_key_that_is_kept_for_old_links(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "secret.key").write_text("written by hand")
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", STRONG)
    monkeypatch.setenv("NEWSLETTER_ADDRESS_KEY", STRONG[::-1])
    monkeypatch.setenv("NEWSLETTER_PRODUCTION", "true")
    with pytest.raises(EnvError, match=r"^secret\.key of the data folder is too easy to guess.*Delete that file"):
        env.read()


@pytest.mark.parametrize(
    "written",
    ["http://cms.intranet/", "10.0.0.0/33", "cms.intranet other.intranet", "a.intranet;b.intranet", "*.intranet"],
)
def test_a_host_to_read_from_that_cannot_be_read_is_refused_at_the_start(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_FETCH_ALLOW", f"127.0.0.1,{written}")
    with pytest.raises(EnvError, match="NEWSLETTER_FETCH_ALLOW: "):
        env.read()
