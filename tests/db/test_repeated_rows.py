"""Builders of the tests' rows: what a repeated call writes is what the call before wrote."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation

from newsletter.models import Batch, Send, Story
from newsletter.sending.freezing.start import start_send
from subscribers.models import MailingList
from tests.support import repeated_rows
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.migrated_database import SERVER
from tests.support.own_database import empty_tables
from tests.support.repeated_rows import hide_present, list_tables, repeat_rows

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(SERVER), reason="On PostgreSQL, builders always run."),
]
calls: list[str] = []


@pytest.fixture(autouse=True)
def _first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated_rows, "_recordings", {})
    calls.clear()


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
    return hide_present({table.name: table.read(connection.connection) for table in list_tables()})


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
