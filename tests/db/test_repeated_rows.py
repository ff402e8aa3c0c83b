"""Builders of the tests' rows: what a repeated call writes is what the call before wrote."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from newsletter.models import Batch, Publication, Send, Story
from newsletter.sending.freezing.start import start_send
from subscribers.models import MailingList
from tests.support import fixtures, repeated_rows
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.migrated_database import SERVER
from tests.support.own_database import empty_tables, roll_back
from tests.support.repeated_rows import Recordings, hide_present, repeat_rows
from tests.support.stored_rows import find_stored_rows

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
calls: list[str] = []


@pytest.fixture(autouse=True)
def _first_call() -> Iterator[None]:
    """Forget what other tests recorded, and remember it again. A builder always runs while `monkeypatch` replaces something."""
    others, repeated_rows.recordings = repeated_rows.recordings, Recordings()
    calls.clear()
    yield
    repeated_rows.recordings = others


@repeat_rows
def build_story(title: str) -> Story:
    calls.append(title)
    return make_story(title)


@repeat_rows
def build_send(people: int) -> Send:
    calls.append("send")
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, people)
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def dump() -> object:
    stored = find_stored_rows()
    assert stored is not None
    return hide_present(stored.read(), stored=stored)


def test_a_repeated_call_writes_the_rows_and_files_of_the_first(tmp_path: Path, settings: Any) -> None:
    first = build_send(5)
    written, batches = dump(), list(Batch.objects.order_by("pk").values_list("pk", "key"))
    empty_tables()
    assert not Send.objects.exists()
    settings.NEWSLETTER_DATA_DIR = tmp_path / "second"
    second = build_send(5)
    assert calls == ["send"]
    assert (second, second.state) == (first, first.state)
    assert dump() == written
    assert (tmp_path / "second" / "last-send.json").exists()
    assert list(Batch.objects.order_by("pk").values_list("pk", "key")) == batches


def test_another_process_writes_the_rows_of_the_first(tmp_path: Path, settings: Any) -> None:
    repeated_rows.recordings.share(tmp_path / "recordings")
    first = build_send(5)
    written = dump()
    empty_tables()
    settings.NEWSLETTER_DATA_DIR = tmp_path / "second"
    repeated_rows.recordings = Recordings()
    repeated_rows.recordings.share(tmp_path / "recordings")
    assert build_send(5) == first
    assert calls == ["send"]
    assert dump() == written


@pytest.mark.parametrize("change", ["argument", "row", "file", "setting", "language"])
def test_a_call_in_another_state_runs_the_builder(change: str, settings: Any) -> None:
    with translation.override("en-gb"):
        build_story("One")
    empty_tables()
    if change == "row":
        MailingList.objects.create(slug="another", name="Another")
    if change == "file":
        settings.NEWSLETTER_DATA_DIR.joinpath("last-send.json").write_text("{}", encoding="utf-8")
    if change == "setting":
        settings.NEWSLETTER_SITE_URL = "https://other.example.org"
    with translation.override("es" if change == "language" else "en-gb"):
        build_story("Two" if change == "argument" else "One")
    assert len(calls) == 2


@repeat_rows
def build_publication_and_story() -> tuple[Publication, Story]:
    calls.append("both")
    return make_publication(), make_story("One")


def test_a_builder_may_return_a_tuple_of_rows() -> None:
    first = build_publication_and_story()
    empty_tables()
    assert build_publication_and_story() == first
    assert calls == ["both"]


@repeat_rows
def build_story_of_the_site() -> Story:
    calls.append("of the site")
    return make_story("One", url=f"{django_settings.NEWSLETTER_SITE_URL}/one/")


def test_rows_that_name_the_site_are_repeated_for_the_same_site(settings: Any) -> None:
    settings.NEWSLETTER_SITE_URL = "http://127.0.0.1:9001"
    first = build_story_of_the_site()
    empty_tables()
    assert build_story_of_the_site().url == first.url
    assert len(calls) == 1
    empty_tables()
    settings.NEWSLETTER_SITE_URL = "http://127.0.0.1:9002"
    assert build_story_of_the_site().url == "http://127.0.0.1:9002/one/"


@contextmanager
def replace_by_monkeypatch() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as replacement:
        replacement.setattr(fixtures, "DUE", "never")
        yield


@pytest.mark.parametrize(
    "replace",
    [
        replace_by_monkeypatch,
        lambda: patch.object(fixtures, "DUE", "never"),
        lambda: patch.dict(fixtures.LONDON, town="Leeds"),
    ],
)
def test_a_builder_runs_while_a_test_replaces_something(replace: Callable[[], AbstractContextManager[object]]) -> None:
    build_story("One")
    empty_tables()
    with replace():
        build_story("One")
    assert len(calls) == 2
    empty_tables()
    build_story("One")
    assert len(calls) == 2


def test_a_builder_runs_while_a_test_counts_its_queries() -> None:
    build_story("One")
    empty_tables()
    with CaptureQueriesContext(connection) as queries:
        build_story("One")
    assert len(calls) == 2
    assert any("newsletter_story" in query["sql"] for query in queries)


def test_keys_begin_again_after_a_test_that_committed() -> None:
    first = build_story("One").pk
    empty_tables()
    assert build_story("Two").pk == first


@pytest.mark.skipif(not SERVER, reason="SQLite takes back the keys of a transaction.")
def test_keys_begin_again_after_a_test_that_was_rolled_back() -> None:
    with transaction.atomic():
        first = make_story("One").pk
        transaction.set_rollback(True)
    roll_back(TestCase(), roll_back=lambda _: None)
    assert make_story("One").pk == first


@pytest.mark.skipif(not SERVER, reason="On SQLite, the keys of each table begin at 1.")
def test_two_tables_of_postgresql_begin_with_different_keys() -> None:
    story = make_story("One")
    assert story.pk != story.source_id


def test_a_moment_of_the_first_call_becomes_the_present() -> None:
    @repeat_rows
    def build() -> Story:
        calls.append("story")
        return make_story("One", published_at=timezone.now())

    build()
    empty_tables()
    before = timezone.now()
    again = build()
    assert calls == ["story"]
    assert before <= again.published_at <= timezone.now()
    assert again.seen_at == NOW - timedelta(days=1)


def test_a_row_that_names_a_server_of_the_test_is_made_again(settings: Any) -> None:
    @repeat_rows
    def build() -> Story:
        calls.append("story")
        return make_story("One", teaser=settings.NEWSLETTER_PROVIDER_URL)

    for port in ("4001", "4002"):
        settings.NEWSLETTER_PROVIDER_URL = f"mailgun://key@example.org?endpoint=http://127.0.0.1:{port}"
        assert port in build().teaser
        empty_tables()
    assert calls == ["story", "story"]


def test_settings_that_differ_in_the_tests_folder_only_are_the_same(tmp_path: Path, settings: Any) -> None:
    for folder in (tmp_path / "first", tmp_path / "second"):
        settings.NEWSLETTER_DATA_DIR = folder
        settings.NEWSLETTER_INBOUND_SECRET = str(folder / "secret")
        build_story("One")
        empty_tables()
    assert calls == ["One"]


def test_a_row_that_names_the_tests_folder_is_made_again(tmp_path: Path, settings: Any) -> None:
    @repeat_rows
    def build() -> Story:
        calls.append("story")
        return make_story("One", teaser=str(settings.NEWSLETTER_DATA_DIR))

    for folder in (tmp_path / "first", tmp_path / "second"):
        settings.NEWSLETTER_DATA_DIR = folder
        assert build().teaser == str(folder)
        empty_tables()
    assert calls == ["story", "story"]
