"""The list of people and the page of one: places and languages by name, in the language of who looks."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.users.models import UserProfile

from newsletter.desk.preview.person import mask_person
from subscribers.consent.held_signups import hold_signup
from subscribers.consent.signup import SignupRequest
from subscribers.desk.listing import format_moment
from subscribers.models import Basis, Subscriber, Subscription
from subscribers.people.describe_person import describe_person
from subscribers.people.locations import get_location_row, locate
from subscribers.segments.attributes import write_attributes
from tests.support.desk import sign_in, sign_in_superuser
from tests.support.page_html import compact_html
from tests.support.people import NOW, make_list, make_member

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/people/"


def make_reader(email: str, *, language: str = "", **where: str) -> Subscriber:
    weekly = make_list(slug=email.split("@")[0])
    return make_member(weekly, email, place=get_location_row(locate(**where)) if where else None, language=language)


def shown(client: Client, path: str) -> str:
    return compact_html(client.get(path).content.decode())


def test_the_list_names_the_location_of_people() -> None:
    make_reader("ann@example.org", country="US", region="TX", town="Houston")
    make_reader("bea@example.org", country="GB", region="GB-SCT")
    make_reader("cleo@example.org", country="ES")
    page = shown(sign_in("data"), PEOPLE)
    for place in ("Houston, Texas, United States", "Scotland, United Kingdom", "Spain"):
        assert place in page
    assert "US-TX" not in page


def test_locations_are_named_in_held_sign_ups_and_previews_too() -> None:
    ann = make_reader("ann@example.org", country="US", region="TX", town="Houston")
    assert mask_person(ann) == "a•••@e•••.org, Houston, Texas, United States"
    hold_signup(
        SignupRequest(email="bea@example.org", mailing_list=make_list(), wording="Yes", source="page", place=ann.place),
        reason="many",
        now=NOW,
    )
    assert "Houston, Texas, United States" in shown(sign_in("data"), "/admin/people/held/")


def test_a_persons_language_is_shown_by_name_if_known() -> None:
    client = sign_in("data")
    for code, name in (("pt-BR", "Portuguese"), ("xx-odd", "xx-odd")):
        person = make_reader(f"{code}@example.org", language=code)
        assert f"<td>{name}</td>" in shown(client, reverse("subscribers_person", args=[person.pk]))
    staff = User.objects.get(username="data@example.org")
    UserProfile.objects.update_or_create(user=staff, defaults={"preferred_language": "es"})
    person = Subscriber.objects.get(language="pt-BR")
    assert "<td>portugués</td>" in shown(client, reverse("subscribers_person", args=[person.pk]))


def test_a_persons_page_shows_their_extra_fields_with_the_address() -> None:
    person = make_reader("ann@example.org")
    write_attributes([(person.pk, {"shoe_size": "38"})])
    client = sign_in("data")
    page = shown(client, reverse("subscribers_person", args=[person.pk]))
    assert "Extra field “shoe_size”</th><td>shown with the whole address</td>" in page
    revealed = compact_html(client.post(reverse("subscribers_reveal", args=[person.pk])).content.decode())
    assert "Extra field “shoe_size”</th><td>38</td>" in revealed
    assert describe_person(person, now=NOW, for_subscriber=True)["attributes"] == {"shoe_size": "38"}


def test_nobody_is_said_not_to_give_if_it_is_not_known() -> None:
    person, client = make_reader("ann@example.org"), sign_in("data")
    for page in (PEOPLE, reverse("subscribers_person", args=[person.pk])):
        assert ">no gift known</td>" in shown(client, page).replace(" </td>", "</td>")
    assert "are also those whose giving is not known" in shown(
        sign_in_superuser(), reverse("wagtailsnippets_newsletter_appeal:add")
    )


def test_the_list_says_and_sorts_by_when_people_signed_up() -> None:
    early, late = make_reader("ann@example.org"), make_reader("bea@example.org")
    Subscriber.objects.update(created_at=NOW)
    Subscription.objects.filter(subscriber=early).update(requested_at=NOW - timedelta(days=400))
    Subscription.objects.filter(subscriber=late).update(requested_at=NOW - timedelta(days=2))
    client = sign_in("data")
    assert format_moment(NOW - timedelta(days=400), now=timezone.now()) in shown(client, PEOPLE)
    for ordering, first in (("since", early), ("-since", late)):
        page = client.get(PEOPLE, {"ordering": ordering})
        assert page.context["object_list"][0] == first


def test_consent_that_is_not_confirmed_is_not_shown_as_given() -> None:
    person = make_reader("ann@example.org")
    address = reverse("subscribers_person", args=[person.pk])
    subscriptions = Subscription.objects.filter(subscriber=person)
    for confirmed_at, basis in ((None, "asked to join; has not confirmed"), (NOW, "consent, confirmed by mail")):
        subscriptions.update(basis=Basis.DOUBLE_OPT_IN, confirmed_at=confirmed_at)
        assert f">{basis}" in shown(sign_in("data"), address)


@pytest.mark.parametrize(("name", "title"), [("Ann Example", "Ann Example, Houston"), ("", "a•••@e•••.org, Houston")])
def test_a_persons_page_is_titled_as_lists_name_them(name: str, title: str) -> None:
    person = make_reader("ann@example.org", country="US", region="TX", town="Houston")
    Subscriber.objects.filter(pk=person.pk).update(name=name)
    page = shown(sign_in("data"), reverse("subscribers_person", args=[person.pk]))
    assert title in page.split("<title>")[1].split("</title>")[0]


def test_people_are_filtered_by_language_whatever_their_country() -> None:
    for code in ("es", "es-MX", "est", "en", ""):
        make_reader(f"l{code}@example.org", language=code)
    client = sign_in("data")
    assert "Spanish</option>" in shown(client, PEOPLE)
    page = client.get(PEOPLE, {"language": "es"})
    assert {person.language for person in page.context["object_list"]} == {"es", "es-MX"}
