"""Error pages have the look of the public pages and say what to do."""

from typing import Any

import pytest
from django.db import OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from django.views.defaults import server_error

from newsletter.web.error_pages import show_not_found
from subscribers.people.publishing_hooks import Branding
from tests.support.people import make_list


def test_an_error_of_ours_says_that_it_is_ours() -> None:
    answer = server_error(RequestFactory().get("/join/weekly"))
    assert answer.status_code == 500
    assert "The problem is on our side" in answer.content.decode()
    assert "Try again in a few minutes" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_that_was_open_too_long_says_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "ada@example.org", "password": "x"})
    assert answer.status_code == 403
    assert "reload the page and try again" in answer.content.decode()


@pytest.fixture
def branded(monkeypatch: pytest.MonkeyPatch) -> Branding:
    branding = Branding(
        name="Open Courts", language="es", website="https://courts.example", light={"accent": "#102030"}
    )
    monkeypatch.setattr("subscribers.web.page.current_branding", lambda: branding)
    return branding


@pytest.mark.parametrize("path", ["/no-such-page", "/news/gone/", "/view/gone", "/calendar/gone"])
@pytest.mark.django_db
def test_a_missing_page_has_the_brands_look_and_a_way_on(branded: Branding, path: str) -> None:
    answer = Client(headers={"accept-language": "en"}).get(path)
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "Page not found" in page
    assert '<link rel="stylesheet" href="/look.css' in page
    assert '<a class="second" href="https://courts.example" rel="noreferrer">Open Courts</a>' in page
    assert 'href="/my-mail"' in page


@pytest.mark.django_db
def test_a_missing_page_leads_to_the_sign_up_of_each_open_list(branded: Branding) -> None:
    make_list(name="Weekly & more")
    make_list("board", name="The board", public=False)
    page = Client(headers={"accept-language": "en"}).get("/no-such-page").content.decode()
    assert '<a class="second" href="/join/weekly">Get <bdi>Weekly &amp; more</bdi> by email</a>' in page
    assert "/join/board" not in page
    assert "The board" not in page


@pytest.mark.django_db
def test_a_missing_page_names_no_sign_up_if_no_list_is_open(branded: Branding) -> None:
    make_list("board", public=False)
    assert "/join/" not in Client().get("/no-such-page").content.decode()


@pytest.mark.parametrize(
    ("asked", "language"), [("de-AT,de;q=0.9", "de"), ("ar", "ar"), ("xx", "es"), ("", "es")], ids=str
)
@pytest.mark.django_db
def test_a_missing_page_is_in_the_language_of_the_request(branded: Branding, asked: str, language: str) -> None:
    answer = Client(headers={"accept-language": asked}).get("/no-such-page")
    assert f'<html lang="{language}"' in answer.content.decode()
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_missing_page_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise OperationalError("no answer")

    monkeypatch.setattr("subscribers.web.page.current_branding", fail)
    answer = show_not_found(RequestFactory(headers={"accept-language": "es"}).get("/no-such-page"), Http404())
    assert answer.status_code == 404
    assert "Página no encontrada" in answer.content.decode()
