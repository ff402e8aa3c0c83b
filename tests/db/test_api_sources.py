"""Sources behind an interface are read page by page. No failure loses anything, and no key leaves the installation."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.common.messages import Message
from newsletter.content.ingesting.apis.source_keys import reseal_keys, seal_key
from newsletter.content.ingesting.ingest import IngestReport, ingest_source
from newsletter.models import EventNotice, Source, Story
from tests.support import api_server
from tests.support.api_entries import EVENT_KINDS, STORY_KINDS, cancel, hide, make_entry, move
from tests.support.api_server import KEY, Api, serve_api
from tests.support.fixtures import NOW
from tests.support.web_site import serve_site

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = (*EVENT_KINDS, *STORY_KINDS)
KEYED = ("ghost", "eventbrite", "action_network")


def add_source(api: Api, *, key: str | None = None) -> Source:
    sealed = seal_key(api.key if key is None and api.kind != "drupal" else key or "")
    return Source.objects.create(name="Outside", kind=api.kind, url=api.url, sealed_key=sealed)


def look(source: Source, *, hours: int = 0) -> IngestReport:
    source.refresh_from_db()
    return ingest_source(source=source, now=NOW + timedelta(hours=hours))


def entries(kind: str, *numbers: int) -> list[dict[str, Any]]:
    return [make_entry(kind, number) for number in numbers]


def read_titles(*, cancelled: bool = False) -> set[str]:
    events = EventNotice.objects.filter(cancelled=cancelled).values_list("title", flat=True)
    return {*events, *(() if cancelled else Story.objects.values_list("title", flat=True))}


@pytest.mark.parametrize("kind", KINDS)
def test_all_pages_of_an_interface_are_read(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3, 4, 5)) as api:
        report = look(add_source(api))
    assert (report.new, report.error, report.set_aside) == (5, "", [])
    assert read_titles() == {f"Entry {number}" for number in range(1, 6)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_unchanged_interface_changes_nothing(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        source = add_source(api)
        look(source)
        report = look(source, hours=1)
    assert (report.unchanged, report.new, report.updated, report.cancelled) == (3, 0, 0, 0)


@pytest.mark.parametrize("kind", KEYED)
def test_a_wrong_key_is_named_and_changes_nothing(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1)) as api:
        source = add_source(api)
        look(source)
        Source.objects.update(sealed_key=seal_key("0123456789"))
        report = look(source, hours=1)
    assert "does not accept the key" in report.error
    assert "0123456789" not in report.error
    assert read_titles() == {"Entry 1"}


@pytest.mark.parametrize("kind", KEYED)
def test_a_source_without_its_key_asks_nobody(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1)) as api:
        report = look(add_source(api, key=""))
        assert api.asked == []
    assert "asks for a key, and this source has none" in report.error


def test_mobilize_is_read_without_a_key() -> None:
    with serve_api("mobilize", *entries("mobilize", 1)) as api:
        assert look(add_source(api, key="")).new == 1
        assert api.keys == [""]


def test_a_key_that_cannot_be_opened_is_named_and_nothing_is_asked() -> None:
    with serve_api("ghost", *entries("ghost", 1)) as api:
        source = add_source(api)
        Source.objects.update(sealed_key="gAAAAABbroken")
        report = look(source)
        assert api.asked == []
    assert "enter the key again" in report.error


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_is_kept_and_loses_nothing(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        source = add_source(api)
        look(source)
        api.faults[1] = api_server.limit(seconds=7200)
        report = look(source, hours=1)
    source.refresh_from_db()
    assert "asks us to come less often" in report.error
    assert source.due_at == NOW + timedelta(hours=3)
    assert (read_titles(), read_titles(cancelled=True)) == ({"Entry 1", "Entry 2", "Entry 3"}, set())


FAULTS: dict[str, api_server.Fault] = {
    "limit": api_server.limit(seconds=7200),
    "error": api_server.fail(500),
    "cut off": api_server.cut_off,
    "no JSON": api_server.replace_body(b"<html>Maintenance</html>"),
    "another shape": api_server.replace_body(b'{"data": {"items": []}}'),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_no_event_is_missing_because_a_page_failed(kind: str, fault: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3, 4, 5)) as api:
        source = add_source(api)
        look(source)
        api.faults[2] = FAULTS[fault]
        reports = [look(source, hours=hours) for hours in (1, 2, 3)]
    assert [report.cancelled for report in reports] == [0, 0, 0]
    assert [len(report.set_aside) for report in reports] == [1, 1, 1]
    assert reports[0].set_aside[0].entry.startswith("Page 2 of ")
    assert read_titles(cancelled=True) == set()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", STORY_KINDS)
def test_the_pages_before_one_that_failed_are_kept(kind: str, fault: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        api.faults[2] = FAULTS[fault]
        report = look(add_source(api))
    assert (report.new, len(report.set_aside)) == (2, 1)


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_a_limit_on_a_later_page_is_kept_too(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        source = add_source(api)
        api.faults[2] = api_server.limit(seconds=7200)
        assert look(source).new == 2
    source.refresh_from_db()
    assert source.due_at == NOW + timedelta(hours=2)


@pytest.mark.parametrize("fault", ["error", "cut off", "no JSON", "another shape"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_first_page_is_one_error_and_loses_nothing(kind: str, fault: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        source = add_source(api)
        look(source)
        api.faults[1] = FAULTS[fault]
        reports = [look(source, hours=hours) for hours in (1, 2, 3)]
    assert all(isinstance(report.error, Message) and not report.set_aside for report in reports)
    assert (read_titles(), read_titles(cancelled=True)) == ({"Entry 1", "Entry 2", "Entry 3"}, set())


@pytest.mark.parametrize("kind", KINDS)
def test_an_interface_that_renames_its_list_changes_nothing(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2)) as api:
        source = add_source(api)
        look(source)
        api.list_name = "results"
        report = look(source, hours=1)
    assert "the interface has changed" in report.error
    assert (read_titles(), read_titles(cancelled=True)) == ({"Entry 1", "Entry 2"}, set())


RENAMED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "ghost": lambda entry: {**entry, "url": {"web": entry["url"]}},
    "drupal": lambda entry: {**entry, "attributes": {"label": entry["attributes"]["title"]}},
    "eventbrite": lambda entry: {**entry, "start": {"date": "2026-04-15"}},
    "mobilize": lambda entry: {**entry, "timeslots": {"first": 1}},
    "action_network": lambda entry: {**entry, "start_date": {"local": "2026-04-15"}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_entries_that_all_change_their_shape_are_one_error(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        source = add_source(api)
        look(source)
        api.entries = [RENAMED[kind](entry) for entry in api.entries]
        reports = [look(source, hours=hours) for hours in (1, 2, 3)]
    assert all("can be read (3 in all), so nothing was changed" in report.error for report in reports)
    assert (read_titles(), read_titles(cancelled=True)) == ({"Entry 1", "Entry 2", "Entry 3"}, set())


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_one_event_that_cannot_be_read_is_not_missing(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3, 4, 5)) as api:
        source = add_source(api)
        look(source)
        api.entries[2] = RENAMED["eventbrite"](api.entries[2]) | {"start_date": None, "title": None}
        if kind == "mobilize":
            api.entries[2]["timeslots"][0]["start_date"] = "soon"
        report = look(source, hours=1)
    assert (report.cancelled, len(report.set_aside)) == (0, 1)
    assert read_titles(cancelled=True) == set()


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_an_event_that_is_gone_from_the_whole_list_is_cancelled(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3, 4, 5)) as api:
        source = add_source(api)
        look(source)
        del api.entries[2]
        assert look(source, hours=1).cancelled == 1
    assert read_titles(cancelled=True) == {"Entry 3"}


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_a_list_that_changes_while_it_is_read_cancels_nothing(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3, 4, 5)) as api:
        source = add_source(api)
        look(source)

        def lose_the_first(handler: Any, body: bytes) -> None:
            del api.faults[1], api.entries[0]
            api_server.send(handler, 200, body)

        api.faults[1] = lose_the_first
        report = look(source, hours=1)
        assert report.cancelled == 0
        assert "changed while it was read" in report.set_aside[0].reason
        assert look(source, hours=2).cancelled == 1
    assert read_titles(cancelled=True) == {"Entry 1"}


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_an_event_that_is_no_longer_for_everybody_is_withdrawn(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        source = add_source(api)
        look(source)
        api.entries[1] = hide(kind, api.entries[1])
        api.faults[2] = api_server.fail(500)
        report = look(source, hours=1)
    assert (report.cancelled, read_titles(cancelled=True)) == (1, {"Entry 2"})


@pytest.mark.parametrize("kind", ["eventbrite", "action_network"])
def test_a_cancelled_event_is_marked(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        source = add_source(api)
        look(source)
        api.entries[1] = cancel(kind, api.entries[1])
        assert look(source, hours=1).updated == 1
    assert read_titles(cancelled=True) == {"Entry 2"}
    assert EventNotice.objects.get(cancelled=True).changed_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_a_moved_event_changes_its_row(kind: str) -> None:
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        source = add_source(api)
        look(source)
        before = EventNotice.objects.get(title="Entry 2")
        api.entries[1] = move(kind, api.entries[1])
        report = look(source, hours=1)
    after = EventNotice.objects.get(title="Entry 2")
    assert (report.updated, after.pk) == (1, before.pk)
    assert (after.starts_at.day - before.starts_at.day) in (7, 8)
    assert after.changed_at == NOW + timedelta(hours=1)


def test_an_action_network_time_is_read_in_the_zone_of_its_place() -> None:
    with serve_api("action_network", *entries("action_network", 1)) as api:
        look(add_source(api))
    event = EventNotice.objects.get()
    assert (event.starts_at, event.zone) == (datetime(2026, 4, 14, 16, tzinfo=UTC), "America/New_York")


def test_a_private_address_of_a_host_is_never_stored() -> None:
    entry = make_entry("mobilize", 1, address_visibility="PRIVATE")
    with serve_api("mobilize", entry) as api:
        look(add_source(api))
    event = EventNotice.objects.get()
    assert (event.place_text, event.town) == ("New York, NY, US", "New York City")
    assert "204 E 13th" not in str(EventNotice.objects.values())


def test_a_token_is_enough_to_find_the_organisation_at_eventbrite() -> None:
    with serve_api("eventbrite", *entries("eventbrite", 1)) as api:
        source = add_source(api)
        Source.objects.update(url=api.host + "/")
        report = look(source)
    assert (report.new, report.error) == (1, "")
    assert report.set_aside[0].entry == "Open Door Wales"
    assert "/v3/organizations/1818/events/" in report.set_aside[0].reason


def test_drupal_images_come_with_the_nodes() -> None:
    with serve_api("drupal", *entries("drupal", 1, 2, 3)) as api:
        look(add_source(api))
        assert [("include=" in path) for path in api.asked if path.startswith("/jsonapi")] == [False, True, True]
    assert [story.picture is not None for story in Story.objects.all()] == [True, True, True]


def test_old_drupal_nodes_end_the_reading() -> None:
    listed = [make_entry("drupal", number) for number in range(1, 7)]
    listed[1]["attributes"]["created"] = "2025-06-01T08:30:00+00:00"
    with serve_api("drupal", *listed) as api:
        report = look(add_source(api))
    assert (report.new, report.set_aside) == (2, [])


def test_a_next_page_at_another_site_is_not_read() -> None:
    with serve_site() as elsewhere, serve_api("mobilize", *entries("mobilize", 1, 2, 3)) as api:
        body = api.answer(1, {}) | {"next": elsewhere.url + "/v1/organizations/1/events?page=2"}
        api.faults[1] = api_server.replace_body(json.dumps(body).encode())
        report = look(add_source(api))
        assert elsewhere.asked == []
    assert "at another site" in report.set_aside[0].reason
    assert report.new == 2


def test_a_next_page_that_repeats_itself_ends() -> None:
    with serve_api("mobilize", *entries("mobilize", 1, 2, 3)) as api:

        def repeat(handler: Any, body: bytes) -> None:
            repeated = json.loads(body) | {"next": api.host + handler.path}
            api_server.send(handler, 200, json.dumps(repeated).encode())

        api.faults[2] = repeat
        report = look(add_source(api))
        assert len(api.asked) == 2
    assert "repeats itself" in report.set_aside[0].reason


@pytest.mark.parametrize("kind", KEYED)
def test_a_key_does_not_follow_a_redirect_to_another_site(kind: str) -> None:
    with serve_site() as elsewhere, serve_api(kind, *entries(kind, 1)) as api:
        api.faults[1] = api_server.redirect(f"{elsewhere.url}/there?key={KEY}")
        look(add_source(api))
        (path, headers) = elsewhere.asked[0]
    assert KEY not in str(headers)
    if kind == "ghost":
        assert KEY not in path


@pytest.mark.parametrize("kind", KEYED)
def test_a_key_is_in_no_log_no_row_and_no_report(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serve_api(kind, *entries(kind, 1, 2, 3)) as api:
        source = add_source(api)
        reports = [look(source)]
        api.faults[2] = api_server.replace_body(b'{"posts": [[[]], "events"')
        reports.append(look(source, hours=1))
        api.faults[1] = api_server.fail(500)
        reports.append(look(source, hours=2))
        assert set(api.keys) == {KEY}
    assert KEY not in caplog.text
    assert KEY not in str([report.as_json() for report in reports])
    rows = (Source, Story, EventNotice)
    assert KEY not in str([list(model.objects.values()) for model in rows])


def test_keys_are_sealed_again_with_the_newest_secret_key(settings: Any) -> None:
    with serve_api("ghost", *entries("ghost", 1)) as api:
        source = add_source(api)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-secret-key-of-more-than-32-characters"
        assert (reseal_keys(), reseal_keys()) == (1, 0)
        settings.SECRET_KEY_FALLBACKS = []
        assert look(source).new == 1
