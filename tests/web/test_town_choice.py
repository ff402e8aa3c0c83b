"""People type where they live: a town, one of several of its name, or only a region or country."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from subscribers.links.signed_links import Purpose
from subscribers.models import MailingList, Subscriber
from tests.support.page_html import compact_html
from tests.support.people import make_list, make_member, path_to
from tests.support.signup import join, read

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
    ("language", "typed", "hint"),
    [
        ("en", "Xyzzyville", "To sign up without a town, press the button again."),
        ("ar", "القاهرة", "بالحروف اللاتينية"),
        ("uk", "Нетаке", "латинськими літерами"),
        ("de", "Nirgendstadt", "drücken Sie noch einmal"),
        ("es", "Ningunaparte", "pulsa el botón otra vez"),
    ],
)
def test_a_town_that_nobody_knows_is_asked_about_once(
    client: Client, weekly: MailingList, language: str, typed: str, hint: str
) -> None:
    headers = {"Accept-Language": language}
    asked = join(client, weekly, city=typed, headers=headers, proven=False)
    page = asked.content.decode()
    assert asked.status_code == 400
    assert hint in page
    assert f'value="{typed}"' in page
    assert read(page, 'name="hinted_city" value') == typed
    assert not Subscriber.objects.exists()
    assert join(client, weekly, city=typed, hinted_city=typed, headers=headers, proven=False).status_code == 200
    assert Subscriber.objects.get().place is None


def test_another_unknown_town_is_asked_about_again(client: Client, weekly: MailingList) -> None:
    assert join(client, weekly, city="Xyzzyville", hinted_city="Elsewhereton").status_code == 400
    assert join(client, weekly, city="Leeds", hinted_city="Xyzzyville").status_code == 200
    assert place_of_ada() == YORK.replace("York", "Leeds")


def test_a_known_region_of_an_unknown_town_is_kept(client: Client, weekly: MailingList) -> None:
    town = "Xyzzyville, England"
    assert join(client, weekly, city=town).status_code == 400
    assert join(client, weekly, city=f" {town}", hinted_city=town).status_code == 200
    assert place_of_ada() == "England, United Kingdom"


def test_an_unknown_town_is_asked_about_together_with_a_wrong_address(client: Client, weekly: MailingList) -> None:
    page = join(client, weekly, email="ada", city="Xyzzyville").content.decode()
    assert read(page, 'name="hinted_city" value') == "Xyzzyville"
    again = join(client, weekly, email="ada", city="Xyzzyville", hinted_city="Xyzzyville").content.decode()
    assert "We do not know a town" not in again
    assert read(again, 'name="hinted_city" value') == "Xyzzyville"


def test_a_form_on_another_site_asks_about_an_unknown_town(client: Client, weekly: MailingList) -> None:
    page = client.post("/join/weekly", {"email": "ada@example.org", "city": "Xyzzyville"}).content.decode()
    assert "We do not know a town called" in page
    sent = {"started": read(page, 'name="started" value'), "hinted_city": read(page, 'name="hinted_city" value')}
    with time_machine.travel(timezone.now() + timedelta(seconds=10), tick=False):
        client.post("/join/weekly", {"email": "ada@example.org", "city": "Xyzzyville", **sent})
    assert Subscriber.objects.get().place is None


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
