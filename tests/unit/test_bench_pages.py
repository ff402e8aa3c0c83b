"""The measurements of the desk name what they leave out, and refuse to leave out a page that fails."""

from typing import Any, cast

import pytest
from django.http import HttpResponse
from django.test import Client

from newsletter.bench.errors import NotMeasured
from newsletter.bench.serving.pages import select_pages

HOME = ("wagtailadmin_home", "/200")


class Answers:
    """Answers with the status that an address names."""

    def get(self, url: str) -> HttpResponse:
        return HttpResponse(status=int(url.strip("/")))


def select(*routes: tuple[str, str]) -> Any:
    return select_pages(cast(Client, Answers()), routes)


def test_routes_that_need_input_are_named_by_their_status() -> None:
    pages, left_out = select(HOME, ("a_form", "/405"), ("another_row", "/404"), ("another_form", "/405"))
    assert pages == dict([HOME])
    assert left_out == {404: ["another_row"], 405: ["a_form", "another_form"]}


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_a_page_that_fails_is_not_left_out(status: int) -> None:
    with pytest.raises(NotMeasured, match=rf"lists \({status}\)"):
        select(HOME, ("lists", f"/{status}"))


def test_an_installation_without_home_is_not_measured() -> None:
    with pytest.raises(NotMeasured, match="wagtailadmin_home"):
        select(("wagtailadmin_home", "/302"))
