"""What somebody sees where something fails: the look of the public pages, and what to do."""

import pytest
from django.test import Client, RequestFactory
from django.views.defaults import server_error


def test_a_fault_of_ours_is_said_to_be_ours() -> None:
    answer = server_error(RequestFactory().get("/join/weekly"))
    assert answer.status_code == 500
    assert "The problem is on our side" in answer.content.decode()
    assert "Try again in a few minutes" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_that_was_open_too_long_says_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "ada@example.org", "password": "x"})
    assert answer.status_code == 403
    assert "reload the page and try again" in answer.content.decode()
