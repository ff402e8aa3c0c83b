"""The zone of a source's times without one is the same setting in the desk, the API and the organisation's file."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from newsletter.common.errors import BadFile
from newsletter.models import EventNotice, Source
from newsletter.organisation.apply_file import apply_file
from tests.support.api import call, create_key, problem
from tests.support.desk import sign_in
from tests.support.fixtures import make_event

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = {"name": "Calendar", "kind": "calendar", "url": "https://example.org/a.ics", "every_minutes": "30"}
SCOPES = "content:read content:write"


@pytest.fixture
def event() -> EventNotice:
    source = Source.objects.create(name="Calendar", kind="calendar", url=FIELDS["url"], enabled=False, language="en")
    note, starts_at = "The event names no time zone.", timezone.now() + timedelta(days=3)
    return make_event("Vigil", source=source, starts_at=starts_at, note=note, zone_basis="floating")


def save_in_desk(event: EventNotice, zone: str) -> str:
    path = f"/admin/sources/edit/{event.source_id}/"
    answer = sign_in("editor").post(path, {**FIELDS, "language": "en", "floating_zone": zone}, follow=True)
    return str(answer.content.decode())


def test_the_desk_saves_the_zone_and_the_event_loses_its_note(event: EventNotice) -> None:
    save_in_desk(event, "Europe/London")
    before = event.starts_at
    event.refresh_from_db()
    assert (Source.objects.get(name="Calendar").floating_zone, event.note, event.starts_at) == (
        "Europe/London",
        "",
        before,
    )
    page = sign_in("editor").get(f"/admin/sources/edit/{event.source_id}/").content.decode()
    assert 'value="Europe/London" selected' in page
    save_in_desk(event, "")
    assert Source.objects.get(name="Calendar").floating_zone == ""


def test_the_desk_refuses_what_is_no_zone(event: EventNotice) -> None:
    assert "is not a time zone" in save_in_desk(event, "Mars/Olympus")
    assert Source.objects.get(name="Calendar").floating_zone == ""


def test_the_source_says_how_many_of_its_events_have_no_zone(event: EventNotice) -> None:
    path = f"/admin/sources/edit/{event.source_id}/"
    client = sign_in("editor")
    assert "The time of 1 upcoming event has no time zone." in client.get(path).content.decode()
    EventNotice.objects.update(checked_note=event.note)
    assert "has no time zone" not in client.get(path).content.decode()


@pytest.mark.parametrize(("basis", "is_led"), [("floating", True), ("place", True), ("unknown", False), ("", False)])
def test_an_event_without_a_zone_leads_to_its_source(event: EventNotice, basis: str, is_led: bool) -> None:
    EventNotice.objects.update(zone_basis=basis)
    page = sign_in("editor").get(f"/admin/events/edit/{event.pk}/").content.decode()
    assert (f"/admin/sources/edit/{event.source_id}/#id_floating_zone" in page) == is_led


def test_the_api_shows_and_changes_the_zone(event: EventNotice) -> None:
    key, path = create_key(SCOPES), f"sources/{event.source_id}"
    assert call("get", path, key=key).json()["floating_zone"] == ""
    assert "is not a time zone" in problem(call("patch", path, {"floating_zone": "EST"}, key=key), 422)
    changed = call("patch", path, {"floating_zone": "America/Chicago"}, key=key)
    assert changed.json()["floating_zone"] == "America/Chicago"
    before = event.starts_at
    event.refresh_from_db()
    assert (event.note, event.zone) == ("", "America/Chicago")
    assert event.starts_at > before


def test_the_file_sets_the_zone_and_names_what_is_no_zone(event: EventNotice, tmp_path: Path) -> None:
    path = tmp_path / "organisation.toml"
    path.write_text('[[source]]\nname = "Calendar"\nfloating_zone = "London"\n')
    with pytest.raises(BadFile, match="floating_zone: “London” is not a time zone"):
        apply_file(path, now=timezone.now())
    path.write_text('[[source]]\nname = "Calendar"\nfloating_zone = "Europe/London"\n')
    apply_file(path, now=timezone.now())
    event.refresh_from_db()
    assert (Source.objects.get(name="Calendar").floating_zone, event.note) == ("Europe/London", "")


@pytest.mark.parametrize(("role", "is_led"), [("writer", False), ("editor", True)])
def test_only_people_who_may_change_the_source_are_led_to_it(event: EventNotice, role: str, is_led: bool) -> None:
    page = sign_in(role).get(f"/admin/events/edit/{event.pk}/").content.decode()
    assert "The event names no time zone." in page
    assert ("#id_floating_zone" in page) == is_led
