"""The API's calls for the sign-up form on the organisation's website: the same form, checks and words as on our page."""

import base64
import hashlib
import json
from typing import Any

import pytest

from newsletter.models import AuditEntry, Publication, Source
from subscribers.consent.signup_limits import MAX_UNPROVEN_SIGNUPS_PER_ADDRESS
from subscribers.models import ConsentEvent, HeldSignup, MailingList, Segment, Subscriber, Subscription, Topic
from tests.support.api import call, create_key, problem
from tests.support.people import make_list, make_member

pytestmark = pytest.mark.django_db
WORDING = "Send me Weekly by email. I can unsubscribe at any time with the link in every mail."
VISITOR = "203.0.113.7"


@pytest.fixture
def weekly() -> MailingList:
    return make_list("weekly", name="Weekly")


@pytest.fixture
def key(weekly: MailingList) -> str:
    return create_key("website", calls_per_minute=1_000)


def fill_in(key: str, slug: str = "weekly", **values: Any) -> Any:
    body = {"email": "ada@example.org", "wording": WORDING, "visitor": VISITOR, **values}
    return call("post", f"sign-up-forms/{slug}", body, key=key)


def solve(key: str) -> str:
    """Return the solution of a new challenge, as a browser sends it."""
    given = call("get", "sign-up-forms/weekly/challenge", key=key).json()
    number = next(
        one
        for one in range(given["maxnumber"] + 1)
        if hashlib.sha256(f"{given['salt']}{one}".encode()).hexdigest() == given["challenge"]
    )
    solved = {name: given[name] for name in ("algorithm", "challenge", "salt", "signature")} | {"number": number}
    return base64.b64encode(json.dumps(solved).encode()).decode()


def test_only_public_lists_of_the_key_have_forms(weekly: MailingList) -> None:
    make_list("board", name="Board", public=False)
    make_list("monthly", name="Monthly")
    names = call("get", "sign-up-forms", key=create_key("website")).json()["items"]
    assert names == [{"list": "weekly", "name": "Weekly"}, {"list": "monthly", "name": "Monthly"}]
    narrow = create_key("website", name="Narrow", lists=[weekly])
    assert [row["list"] for row in call("get", "sign-up-forms", key=narrow).json()["items"]] == ["weekly"]
    for path in ("sign-up-forms/board", "sign-up-forms/board/challenge"):
        assert "no public list “board”" in problem(call("get", path, key=create_key("website", name=path)), 404)
    problem(fill_in(narrow, "monthly"), 404)


def test_the_form_has_the_fields_that_the_list_asks_for(key: str, weekly: MailingList) -> None:
    Topic.objects.create(slug="land", name="Land", names={"es": "Tierra"})
    Segment.objects.create(slug="s", name="S", rule={"all": [{"topic": "land"}, {"language": "es"}]})
    MailingList.objects.update(ask_language=True)
    form = call("get", "sign-up-forms/weekly?language=es-MX", key=key).json()
    assert [field["name"] for field in form["fields"]] == ["email", "name", "city", "topics", "language"]
    assert form["language"] == "es"
    assert form["fields"][3]["choices"] == [{"value": "land", "label": "Tierra"}]
    assert form["wording"].startswith("Quiero recibir Weekly")
    assert [field["required"] for field in form["fields"]] == [True, False, False, False, False]
    MailingList.objects.update(ask_name=False, ask_place=False, ask_topics=False, ask_language=False)
    form = call("get", "sign-up-forms/weekly?language=en", key=key).json()
    assert [field["name"] for field in form["fields"]] == ["email"]
    assert form["wording"] == WORDING


def test_a_filled_in_form_asks_the_person_to_confirm(key: str) -> None:
    answer = fill_in(key, name="Ada", city="Leeds", page="https://example.org/join/", proof=solve(key)).json()
    assert (answer["accepted"], answer["title"]) == (True, "Check your inbox")
    assert "ada@example.org is not on the list yet" in answer["texts"][0]
    person = Subscriber.objects.get()
    assert (person.name, person.place and person.place.town) == ("Ada", "Leeds")
    event = ConsentEvent.objects.get()
    assert (event.wording, event.source) == (WORDING, "API: the website key https://example.org/join/")
    assert Subscription.objects.get().confirmed_at is None
    assert AuditEntry.objects.filter(action="newsletter.api_signed_up").count() == 1


def test_the_answer_does_not_reveal_who_is_on_the_list(key: str, weekly: MailingList) -> None:
    make_member(weekly, "known@example.org")
    answers = [fill_in(key, email=email).json() for email in ("known@example.org", "newer@example.org")]
    texts = [json.dumps(answer).replace("known@", "x@").replace("newer@", "x@") for answer in answers]
    assert texts[0] == texts[1]


def test_mistakes_are_worded_as_on_our_page_and_nobody_is_added(key: str) -> None:
    missing = fill_in(key, email="").json()
    assert missing["errors"][0] == {
        "where": "email",
        "what": "Please write your email address.",
        "choices": [],
        "choice_labels": [],
        "choices_label": "",
    }
    spanish = fill_in(key, email="ada", shown_in="es").json()
    assert spanish["errors"][0]["what"].startswith("Esta no es una dirección")
    town = fill_in(key, city="Springfield").json()["errors"][0]
    assert town["where"] == "city"
    assert town["choices"]
    assert town["choices_label"] == "Which one is yours?"
    spanish_town = fill_in(key, city="Springfield", shown_in="es").json()["errors"][0]
    assert spanish_town["choices"] == town["choices"]
    assert spanish_town["choice_labels"][0].endswith(", Estados Unidos")
    assert fill_in(key, city="Springfield", meant=town["choices"][0]).json()["accepted"]
    assert Subscriber.objects.count() == 1


def test_a_town_that_nobody_knows_is_asked_about_once(key: str) -> None:
    asked = fill_in(key, city="Xyzzyville", hinted_city="").json()
    assert (asked["accepted"], asked["errors"][0]["where"], asked["errors"][0]["choices"]) == (False, "city", [])
    assert "To sign up without a town, press the button again." in asked["errors"][0]["what"]
    assert fill_in(key, city="Xyzzyville", hinted_city="Xyzzyville").json()["accepted"]
    assert Subscriber.objects.get().place is None


def test_a_site_that_does_not_ask_about_unknown_towns_says_it_afterwards(key: str) -> None:
    """A site without `hinted_city` cannot ask, so the town must not stop its visitors."""
    answer = fill_in(key, city="Xyzzyville").json()
    assert answer["accepted"]
    assert answer["texts"][-1].startswith("We do not know a town called “Xyzzyville”")
    assert len(fill_in(key, city="Leeds").json()["texts"]) == 2


def test_a_likely_slip_in_an_address_is_asked_about_once(key: str) -> None:
    asked = fill_in(key, email="ada@gmial.com").json()
    assert (asked["accepted"], asked["suggestion"]["address"]) == (False, "ada@gmail.com")
    assert asked["suggestion"]["text"] == "Did you mean ada@gmail.com?"
    assert fill_in(key, email="ada@gmial.com", hinted="ada@gmial.com", proof=solve(key)).json()["accepted"]
    assert Subscriber.objects.get().email == "ada@gmial.com"


def test_a_robot_that_fills_in_the_hidden_field_is_not_signed_up(key: str) -> None:
    assert fill_in(key, website="https://buy.example").json()["accepted"]
    assert not Subscriber.objects.exists()


def test_another_wording_than_the_current_one_is_asked_again(key: str) -> None:
    MailingList.objects.update(name="The weekly letter")
    answer = fill_in(key).json()
    assert (answer["accepted"], answer["form_changed"]) == (False, True)
    assert "The text beside the button has changed" in answer["hint"]
    assert not Subscriber.objects.exists()


def test_a_solved_challenge_counts_once(key: str) -> None:
    proof = solve(key)
    assert fill_in(key, proof=proof).json()["accepted"]
    again = fill_in(key, email="bea@example.org", proof=proof).json()
    assert (again["accepted"], again["form_changed"]) == (False, False)
    assert "press the button again" in again["hint"]
    assert not fill_in(key, email="bea@example.org", proof="x").json()["accepted"]
    assert Subscriber.objects.count() == 1


def test_sign_ups_without_proof_are_limited_by_visitor(key: str) -> None:
    """Without script there is no proof, so the visitor's address that the site hands on has to limit robots."""
    for number in range(MAX_UNPROVEN_SIGNUPS_PER_ADDRESS + 1):
        assert fill_in(key, email=f"person{number}@example.org").json()["accepted"]
    assert (Subscriber.objects.count(), HeldSignup.objects.count()) == (MAX_UNPROVEN_SIGNUPS_PER_ADDRESS, 1)
    assert fill_in(key, email="other@example.org", visitor="198.51.100.4").json()["accepted"]
    assert fill_in(key, email="solved@example.org", proof=solve(key)).json()["accepted"]
    assert HeldSignup.objects.count() == 1


def test_without_double_opt_in_only_a_solved_challenge_joins_at_once(key: str) -> None:
    MailingList.objects.update(double_opt_in=False)
    assert fill_in(key, proof=solve(key)).json()["title"] == "Thank you"
    fill_in(key, email="bea@example.org")
    confirmed = Subscription.objects.filter(basis="consent").values_list("subscriber__email", flat=True)
    assert list(confirmed) == ["ada@example.org"]


def test_a_visitor_without_a_network_address_is_refused(key: str) -> None:
    assert "visitor" in problem(fill_in(key, visitor="somebody"), 422)


@pytest.mark.requirement("G5")
def test_a_key_of_a_website_looks_at_a_source_and_reads_nobody(key: str, publication: Publication) -> None:
    source = Source.objects.create(name="Our site", kind=Source.Kind.FEED, url="http://127.0.0.1:9/feed.xml")
    assert call("get", "sources", key=key).json()["items"][0]["name"] == "Our site"
    assert call("post", f"sources/{source.pk}/look", key=key).json()["error"]
    for method, path in (("get", "people"), ("post", "people/find"), ("get", "stories"), ("post", "stories")):
        assert "website" in problem(call(method, path, {}, key=key), 403)
