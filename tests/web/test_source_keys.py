"""Keys of sources in the desk and in the organisation's file: taken once, kept sealed, never shown, never sent elsewhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.common.errors import BadFile
from newsletter.content.ingesting.apis.source_keys import open_key
from newsletter.models import Source
from newsletter.organisation.apply_file import apply_file
from tests.support.api_entries import make_entry
from tests.support.api_server import KEY, Api, serve_api
from tests.support.desk import sign_in
from tests.support.fixtures import NOW
from tests.support.web_site import serve_site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def allow_loopback(settings: Any) -> None:
    settings.NEWSLETTER_FETCH_ALLOW = ("127.0.0.1/32",)


@pytest.fixture
def ghost() -> Iterator[Api]:
    with serve_api("ghost", make_entry("ghost", 1)) as api:
        yield api


def save(api: Api, path: str = "add/", **fields: str) -> str:
    values = {"name": "Blog", "kind": api.kind, "url": api.url, "every_minutes": "30", "enabled": "on", **fields}
    return sign_in("editor").post(f"/admin/sources/{path}", values, follow=True).content.decode()


def test_a_key_is_kept_sealed_and_never_shown(ghost: Api) -> None:
    assert "We found 1 item" in save(ghost, key=KEY)
    source = Source.objects.get()
    assert open_key(source) == KEY
    assert KEY not in source.sealed_key
    page = sign_in("admin").get(f"/admin/sources/edit/{source.pk}/").content.decode()
    assert "A key is saved." in page
    assert KEY not in page
    assert source.sealed_key not in page


def test_a_key_in_a_pasted_address_is_taken_out(ghost: Api) -> None:
    save(ghost, kind="", url=f"{ghost.url}?key={KEY}")
    source = Source.objects.get()
    assert (source.kind, source.url, open_key(source)) == ("ghost", ghost.url, KEY)


def test_a_wrong_key_is_refused_before_the_source_is_saved(ghost: Api) -> None:
    page = save(ghost, key="0123456789")
    assert "does not accept the key" in page
    assert "0123456789" not in page
    assert not Source.objects.exists()


def test_a_missing_key_is_asked_for(ghost: Api) -> None:
    assert "Ghost asks for a key" in save(ghost)
    assert not Source.objects.exists()


def test_an_empty_key_keeps_the_one_that_is_saved(ghost: Api) -> None:
    save(ghost, key=KEY)
    source = Source.objects.get()
    save(ghost, f"edit/{source.pk}/", name="The blog", every_minutes="60")
    source.refresh_from_db()
    assert (source.name, open_key(source)) == ("The blog", KEY)


def test_another_key_replaces_the_saved_one_and_is_used_at_once(ghost: Api) -> None:
    save(ghost, key=KEY)
    source = Source.objects.get()
    Source.objects.update(failures=3, error="It does not accept the key.")
    ghost.key = "another-key"
    save(ghost, f"edit/{source.pk}/", key="another-key")
    source.refresh_from_db()
    assert (open_key(source), source.failures, source.error) == ("another-key", 0, "")


def test_a_saved_key_is_not_sent_to_another_address(ghost: Api) -> None:
    save(ghost, key=KEY)
    source = Source.objects.get()
    with serve_site() as elsewhere:
        page = save(ghost, f"edit/{source.pk}/", url=elsewhere.url + "/")
        assert "Ghost asks for a key" in page
        fields = {"name": "Blog", "kind": "ghost", "url": elsewhere.url + "/", "every_minutes": "30"}
        sign_in("editor").post(f"/admin/sources/edit/{source.pk}/", fields)
        assert elsewhere.asked == []
    source.refresh_from_db()
    assert (source.url, source.sealed_key) == (elsewhere.url + "/", "")


def test_a_kind_without_keys_keeps_none(ghost: Api) -> None:
    save(ghost, key=KEY)
    source = Source.objects.get()
    with serve_site() as site:
        url = site.put("/feed.xml", '<rss version="2.0"><channel><title>News</title></channel></rss>')
        save(ghost, f"edit/{source.pk}/", kind="feed", url=url, key=KEY)
        source.refresh_from_db()
        assert (source.kind, source.sealed_key) == ("feed", "")
        assert KEY not in str(site.asked)


def test_the_secret_of_a_google_calendar_is_sealed() -> None:
    address = "https://calendar.google.com/calendar/ical/a%40group.calendar.google.com/private-0a1b2c/basic.ics"
    fields = {"name": "Events", "kind": "calendar", "url": address, "every_minutes": "30"}
    sign_in("editor").post("/admin/sources/add/", fields)
    source = Source.objects.get()
    assert source.url == address.replace("private-0a1b2c", "public")
    assert open_key(source) == "0a1b2c"


SOURCE = """
[[source]]
name = "Blog"
kind = "ghost"
url = "https://blog.example.org"
"""


def apply(folder: Path, text: str) -> list[dict[str, Any]]:
    (folder / "organisation.toml").write_text(text, encoding="utf-8")
    return [change.as_json() for change in apply_file(folder / "organisation.toml", now=NOW)]


def test_the_file_names_the_setting_that_has_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHOST_KEY", KEY)
    text = SOURCE + 'key_variable = "GHOST_KEY"\n'
    (change,) = apply(tmp_path, text)
    source = Source.objects.get()
    assert open_key(source) == KEY
    assert change["fields"]["key_variable"] == {"old": None, "new": "a key"}
    assert KEY not in str(change)
    (again,) = apply(tmp_path, text)
    assert again["action"] == "unchanged"
    monkeypatch.setenv("GHOST_KEY", "another-key")
    (third,) = apply(tmp_path, text)
    source.refresh_from_db()
    assert (third["action"], open_key(source)) == ("updated", "another-key")


def test_the_file_forgets_the_key_of_another_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHOST_KEY", KEY)
    apply(tmp_path, SOURCE + 'key_variable = "GHOST_KEY"\n')
    apply(tmp_path, SOURCE.replace("blog.example", "elsewhere.example"))
    assert Source.objects.get().sealed_key == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('key_variable = "GHOST_KEY"', "there is no GHOST_KEY in the environment or in .env"),
        (f'key_variable = "{KEY}"', "this is not the name of a setting"),
        (f'url = "https://blog.example.org/?key={KEY}"', "this address has a key in it"),
    ],
)
def test_a_key_in_the_file_itself_is_refused(tmp_path: Path, line: str, said: str) -> None:
    text = SOURCE.replace('url = "https://blog.example.org"\n', "") if line.startswith("url") else SOURCE
    with pytest.raises(BadFile) as caught:
        apply(tmp_path, text + line + "\n")
    assert said in str(caught.value)
    assert KEY not in str(caught.value)
    assert not Source.objects.exists()


def test_a_saved_key_is_not_sent_to_another_kind_of_system() -> None:
    with serve_api("mobilize", make_entry("mobilize", 1)) as api:
        save(api, key=KEY)
        source = Source.objects.get()
        assert "Ghost asks for a key" in save(api, f"edit/{source.pk}/", kind="ghost")
        assert KEY not in str(api.asked)
        fields = {"name": "Blog", "kind": "ghost", "url": api.url, "every_minutes": "30"}
        sign_in("editor").post(f"/admin/sources/edit/{source.pk}/", fields)
    source.refresh_from_db()
    assert (source.kind, source.sealed_key) == ("ghost", "")


def test_the_file_forgets_the_key_of_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHOST_KEY", KEY)
    apply(tmp_path, SOURCE + 'key_variable = "GHOST_KEY"\n')
    apply(tmp_path, SOURCE.replace("ghost", "mobilize"))
    assert Source.objects.get().sealed_key == ""
