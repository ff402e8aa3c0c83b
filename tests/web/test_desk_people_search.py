"""Searching the list of people: by name, town, list and parts of addresses, for staff who may see whole addresses."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.models import Subscriber, Subscription, Topic
from subscribers.people.locations import get_location_row, locate
from tests.support.desk import sign_in
from tests.support.people import make_list, make_member, subscribe

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/people/"


@pytest.fixture
def people() -> dict[str, Subscriber]:
    weekly = make_list()
    leeds = get_location_row(locate(country="GB", region="", town="Leeds"))
    malaga = get_location_row(locate(country="ES", region="", town="Málaga"))
    return {
        "zoe": make_member(weekly, "zoe.perez@harbour.org", name="Zoë Pérez", place=leeds),
        "ann": make_member(weekly, "ann@harbour.org", name="Ann Lee", place=malaga),
        "bo": make_member(weekly, "bo@meadow.org"),
    }


def found(client: Client, **query: str) -> set[str]:
    answer = client.get(PEOPLE, query)
    assert answer.status_code == 200
    return {person.email.split("@")[0] for person in answer.context["object_list"]}


def forbid_addresses() -> None:
    right = Permission.objects.get(content_type__app_label="subscribers", codename="reveal")
    Group.objects.get(name="data").permissions.remove(right)


def test_people_are_found_by_name_town_domain_and_part_of_address(people: dict[str, Subscriber]) -> None:
    client = sign_in("data")
    for typed, expected in {
        "zoe": {"zoe.perez"},
        "PEREZ": {"zoe.perez"},
        "pérez leeds": {"zoe.perez"},
        "leeds": {"zoe.perez"},
        "malaga": {"ann"},
        "@harbour": {"zoe.perez", "ann"},
        "e.per": {"zoe.perez"},
        "bo@meadow.org": {"bo"},
        "zoe malaga": set(),
        "%": set(),
    }.items():
        assert found(client, q=typed) == expected, typed


def test_without_the_right_only_towns_and_whole_addresses_are_found(people: dict[str, Subscriber]) -> None:
    client = sign_in("data")
    forbid_addresses()
    for typed, expected in {
        "zoe": set(),
        "@harbour": set(),
        "bo@meadow": set(),
        "bo@meadow.org": {"bo"},
        "leeds": {"zoe.perez"},
    }.items():
        assert found(client, q=typed) == expected, typed
    page = client.get(PEOPLE).content.decode()
    assert "Z. P." in page
    assert "Zoë" not in page


def test_people_are_found_by_list_and_topic(people: dict[str, Subscriber]) -> None:
    client = sign_in("data")
    monthly, rights = make_list("monthly"), Topic.objects.create(slug="rights", name="Rights")
    subscribe(people["bo"], monthly)
    people["ann"].topics.add(rights)
    assert found(client, mailing_list=str(monthly.pk)) == {"bo"}
    assert found(client, topic=str(rights.pk)) == {"ann"}


def test_a_changed_name_is_found_and_the_old_one_is_not(people: dict[str, Subscriber]) -> None:
    client = sign_in("data")
    people["bo"].name = "Łucja Ñandú"
    people["bo"].save(update_fields=["name"])
    assert found(client, q="lucja nandu") == {"bo"}
    people["bo"].name = ""
    people["bo"].save()
    assert found(client, q="lucja") == set()


def test_a_search_is_logged_once_without_what_was_typed(people: dict[str, Subscriber]) -> None:
    client = sign_in("data")
    for typed in ("z", "zo", "zoe"):
        found(client, q=typed)
    entry = ModelLogEntry.objects.get(action="subscribers.search")
    assert "zo" not in str(entry.data)


def test_the_list_distinguishes_people_by_name_town_and_day(people: dict[str, Subscriber]) -> None:
    page = sign_in("data").get(PEOPLE).content.decode()
    for text in ("Zoë Pérez", "Leeds, England", "z•••@h•••.org", "Since"):
        assert text in page


def test_an_imported_name_is_found_and_a_second_import_changes_it() -> None:
    client, weekly = sign_in("data"), make_list()
    for name in ("Zoë", "Ágnes"):
        import_people(
            PeopleFile(content=io.BytesIO(f"email,name\nreader@harbour.org,{name}\n".encode())),
            mailing_list=weekly,
            terms=ConsentTerms(basis="consent", evidence="Sheet"),
            by="kim",
        )
    assert found(client, q="agnes") == {"reader"}
    assert found(client, q="zoe") == set()


def test_a_list_that_somebody_joined_again_is_shown_once(people: dict[str, Subscriber]) -> None:
    first = people["ann"].subscriptions.get()
    Subscription.objects.filter(pk=first.pk).update(ended_at=timezone.now(), end_reason="unsubscribe")
    shown = sign_in("data").get(PEOPLE).content.decode()
    assert f"{first.mailing_list.name} (unsubscribed)" in shown
    subscribe(people["ann"], first.mailing_list)
    assert f"{first.mailing_list.name} (unsubscribed)" not in sign_in("data").get(PEOPLE).content.decode()
