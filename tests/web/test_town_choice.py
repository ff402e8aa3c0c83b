"""People type where they live: a town, one of several of its name, or only a region or country."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from subscribers.links.signed_links import Purpose
from subscribers.models import MailingList, Subscriber
from tests.support.page_html import compact_html
from tests.support.people import make_list, make_member, path_to
from tests.support.signup import join

pytestmark = pytest.mark.django_db
YORK = "York, England, United Kingdom"


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


def choices(answer: HttpResponse) -> list[str]:
    return re.findall(r'name="meant" value="([^"]*)"', compact_html(answer.content.decode()))


def place_of_ada() -> str:
    return str(Subscriber.objects.get().place)


def test_a_name_of_several_towns_is_asked_back_as_a_choice_when_joining(client: Client, weekly: MailingList) -> None:
    asked = join(client, weekly, city="York")
    assert asked.status_code == 400
    assert choices(asked) == [YORK, "York, Pennsylvania, United States"]
    assert join(client, weekly, city="York", meant=YORK).status_code == 200
    assert place_of_ada() == "York, England, United Kingdom"


def test_an_ambiguous_town_becomes_a_choice_in_the_preferences(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    asked = client.post(page, {"town": "York", "lists": [weekly.pk]})
    assert asked.status_code == 400
    assert YORK in choices(asked)
    assert client.post(page, {"town": "York", "meant": YORK, "lists": [weekly.pk]}).status_code == 200
    assert place_of_ada() == "York, England, United Kingdom"


def test_a_choice_that_does_not_match_the_typed_town_is_ignored(client: Client, weekly: MailingList) -> None:
    assert join(client, weekly, city="York", meant="Leeds, England, United Kingdom").status_code == 400
    assert join(client, weekly, city="Leeds", meant=YORK).status_code == 200
    assert place_of_ada() == "Leeds, England, United Kingdom"


def test_a_name_that_no_town_can_be_chosen_for_says_what_to_add(client: Client, weekly: MailingList) -> None:
    asked = join(client, weekly, city="Georgia")
    assert choices(asked) == []
    assert "Add the state, region or country" in asked.content.decode()


@pytest.mark.parametrize(
    ("typed", "place"),
    [("Texas", "Texas, United States"), ("Scotland, UK", "Scotland, United Kingdom"), ("Kenya", "Kenya")],
)
def test_a_region_or_country_is_enough(client: Client, weekly: MailingList, typed: str, place: str) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    assert client.post(page, {"town": typed, "lists": [weekly.pk]}).status_code == 200
    assert place_of_ada() == place


def test_an_unknown_town_is_refused_whatever_region_follows_it(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    answer = client.post(page, {"town": "Xyzzyville, England", "lists": [weekly.pk]})
    assert answer.status_code == 400
    assert "We do not know a town called" in answer.content.decode()
    assert Subscriber.objects.get().place is None
