"""Texts of readers that are too long are refused beside their field, in their language, and kept as typed."""

import re
from pathlib import Path

import lxml.html
import pytest
from django.http import HttpResponse
from django.test import Client

from newsletter.api.urls import api
from newsletter.common.languages import OFFERED_LANGUAGES
from subscribers.consent.held_signups import hold_signup
from subscribers.consent.signup import SignupRequest
from subscribers.desk.embedded_form import render_embed_form
from subscribers.links.signed_links import Purpose
from subscribers.models import HeldSignup, MailingList, Subscriber, Subscription
from subscribers.models.people import MAX_NAME_LENGTH
from tests.support.api import call, create_key
from tests.support.people import NOW, make_list, make_member, path_to
from tests.support.signup import join

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
SAYS = "Your text has %s characters. The limit is %s. Please shorten it."
LIMITS = [("email", 254), ("name", 200), ("city", 200)]


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


def make_typed(field: str, length: int) -> str:
    """Return a text that is this long, in letters of two bytes."""
    end = "@example.org" if field == "email" else ""
    return "é" * (length - len(end)) + end


def read_form(answer: HttpResponse, field: str) -> lxml.html.FormElement:
    forms = lxml.html.fromstring(answer.content.decode()).forms
    return next(form for form in forms if field in form.fields)


def describe(form: lxml.html.FormElement, field: str) -> str:
    """Return what a screen reader says last about a field that is marked as wrong."""
    control = form.inputs[field]
    assert control.get("aria-invalid") == "true"
    error = form.get_element_by_id(control.get("aria-describedby").split()[-1])
    assert error.get("role") == "alert"
    return str(error.text_content()).strip()


@pytest.mark.parametrize(("field", "limit"), LIMITS)
def test_a_sign_up_with_too_long_a_text_is_refused_and_kept(
    client: Client, weekly: MailingList, field: str, limit: int
) -> None:
    typed = make_typed(field, limit + 1)
    given = {"email": "ada@example.org", "name": "Ada", "city": "Leeds, GB"}
    answer = join(client, weekly, **{**given, field: typed})
    form = read_form(answer, "email")
    assert answer.status_code == 400
    assert describe(form, field) == SAYS % (limit + 1, limit)
    assert {name: form.fields[name] for name in given} == {**given, field: typed}
    assert [name for name in given if "autofocus" in form.inputs[name].attrib] == [field]
    assert not Subscriber.objects.exists()


def test_only_the_first_wrong_field_of_a_sign_up_takes_the_focus(client: Client, weekly: MailingList) -> None:
    form = read_form(join(client, weekly, name="x" * 201, city="y" * 201), "email")
    assert describe(form, "name") == SAYS % (201, 200)
    assert describe(form, "city") == SAYS % (201, 200)
    assert [name for name in ("email", "name", "city") if "autofocus" in form.inputs[name].attrib] == ["name"]


def test_a_name_of_just_the_limit_is_stored_whole(client: Client, weekly: MailingList) -> None:
    join(client, weekly, name=f"  {'é' * 100}  {'é' * 99} ")
    assert Subscriber.objects.get().name == f"{'é' * 100} {'é' * 99}"


def test_a_town_that_is_too_long_is_refused_in_the_preferences(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    answer = client.post(page, {"town": "é" * 201, "lists": []})
    assert answer.status_code == 400
    assert describe(read_form(answer, "town"), "town") == SAYS % (201, 200)
    assert read_form(answer, "town").fields["town"] == "é" * 201
    page_text = " ".join(answer.content.decode().split())
    assert 'Nothing was saved. Correct the fields with an error. <a href="#town">' in page_text
    assert Subscription.objects.filter(ended_at__isnull=True).count() == 1


@pytest.mark.parametrize("purpose", [None, Purpose.CHANGE_ADDRESS])
def test_an_address_that_is_too_long_is_refused_and_kept(
    client: Client, weekly: MailingList, purpose: Purpose | None
) -> None:
    page = path_to(make_member(weekly), weekly, purpose) if purpose else "/my-mail"
    typed = make_typed("email", 300)
    form = read_form(client.post(page, {"email": typed}), "email")
    assert describe(form, "email") == SAYS % (300, 254)
    assert form.fields["email"] == typed


@pytest.mark.parametrize("language", [code for code in OFFERED_LANGUAGES if code != "en"])
def test_the_error_is_in_the_language_of_the_reader(client: Client, weekly: MailingList, language: str) -> None:
    answer = join(client, weekly, name="x" * 250, headers={"accept-language": language})
    said = describe(read_form(answer, "name"), "name")
    assert "250" in said
    assert "200" in said
    assert not re.search(r"characters|limit is|shorten", said, re.IGNORECASE)


@pytest.mark.parametrize(("field", "limit"), LIMITS)
def test_a_form_on_another_site_gets_the_same_error(weekly: MailingList, field: str, limit: int) -> None:
    key = create_key("website")
    filled = {"email": "ada@example.org", "wording": "Send me", "visitor": "203.0.113.7"}
    answer = call("post", "sign-up-forms/weekly", {**filled, field: make_typed(field, 9_999)}, key=key).json()
    assert answer["accepted"] is False
    assert [(error["where"], error["what"]) for error in answer["errors"]] == [(field, SAYS % ("9,999", limit))]
    asked = {row["name"]: row["max_length"] for row in call("get", "sign-up-forms/weekly", key=key).json()["fields"]}
    assert asked[field] == limit


def test_no_page_or_form_for_other_sites_lets_browsers_cut(client: Client, weekly: MailingList) -> None:
    member = make_member(weekly)
    paths = ["/join/weekly", "/my-mail", path_to(member, weekly, Purpose.PREFERENCES)]
    texts = [client.get(path).content.decode() for path in paths] + [render_embed_form(weekly)]
    texts += [path.read_text() for path in (ROOT / "integrations").rglob("*") if path.suffix in (".html", ".php")]
    assert len(texts) > 15
    assert [text for text in texts if "maxlength" in text] == []


@pytest.mark.parametrize("schema", ["SignUp", "PersonToAdd", "PersonValues", "PersonChange"])
def test_the_api_takes_a_town_as_long_as_the_forms(schema: str) -> None:
    asked = api.get_openapi_schema()["components"]["schemas"][schema]["properties"]["city"]
    assert [option["maxLength"] for option in asked.get("anyOf", [asked]) if "maxLength" in option] == [200]


def test_a_held_sign_up_keeps_the_whole_name(weekly: MailingList) -> None:
    name = f"{'é' * 100} {'é' * 99}"
    request = SignupRequest(email="ada@example.org", mailing_list=weekly, wording="Send me", source="form", name=name)
    assert hold_signup(request, reason="many", now=NOW).name == name
    assert HeldSignup._meta.get_field("name").max_length == MAX_NAME_LENGTH
