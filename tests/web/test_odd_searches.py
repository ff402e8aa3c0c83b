"""No page answers with an error of ours, whatever is typed into a search box of the desk or is in an address."""

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.urls import get_resolver
from django.utils import timezone

from newsletter.models import Appeal, EventNotice, Publication
from subscribers.models import Segment, Topic
from tests.support.desk import sign_in, sign_in_superuser
from tests.support.fixtures import add_subscribers, make_appeal, make_event, make_issue, make_story
from tests.support.routes import list_routes

pytestmark = pytest.mark.django_db

ODD_TEXT = {
    "a quotation mark": "%22",
    "two words and a quotation mark": "clinic%20%22doors",
    "a phrase": "%22the%20clinic%22",
    "an apostrophe": "%27%20OR%201=1%20--",
    "NUL": "clinic%00doors",
    "a backslash": "%5C",
    "a percent sign": "%25",
    "half an escape": "%E",
    "an underscore": "_",
    "operators": "AND%20OR%20NOT%20%28%20%2A%20%3A%20%5E",
    "a filter": "title:%22clinic%22%20NEAR%2F2",
    "an emoji": "%F0%9F%98%80",
    "half a surrogate pair": "%ED%A0%BD",
    "bytes that are no UTF-8": "%FF%FE",
    "controls": "%01%1F%7F%E2%80%A8",
    "5,000 letters": "a" * 5_000,
    "1,000 words": "%20".join(["word"] * 1_000),
    "spaces": "%20%20",
}
KEYS = (
    "q",
    "p",
    "page",
    "ordering",
    "next",
    "lang",
    "list",
    "state",
    "who",
    "segment",
    "country",
    "day",
    "step",
    "mode",
)


@pytest.fixture
def full(publication: Publication) -> None:
    """A row of everything, so that a search has something to go through."""
    make_story("The clinic opens its doors")
    make_event("An evening of letters")
    make_appeal()
    add_subscribers(publication, 2)
    Segment.objects.get_or_create(slug="all", defaults={"name": "All", "rule": {}})
    Topic.objects.create(slug="law", name="Law")
    make_issue(publication)


def has_search_box(page: str) -> bool:
    return 'name="q"' in page


@pytest.mark.long
def test_every_search_of_the_desk_accepts_odd_terms(full: None) -> None:
    root = sign_in_superuser()
    root.raise_request_exception = False
    desk = [route for route in sorted(set(list_routes(get_resolver()))) if route.startswith("/admin/")]
    answers = {route: root.get(route) for route in desk}
    assert [route for route, answer in answers.items() if answer.status_code >= 500] == []
    searched = [
        route
        for route, answer in answers.items()
        if answer.status_code == 200 and (route.endswith("results/") or has_search_box(answer.content.decode()))
    ]
    assert len(searched) > 20
    wrong = [
        (route, name, answer.exc_info)
        for route in searched
        for name, value in ODD_TEXT.items()
        if (answer := root.get(f"{route}?q={value}")).status_code >= 500
    ]
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.long
@pytest.mark.parametrize("value", ["%22", "clinic%00", "99999999999999999999"])
def test_every_page_of_the_desk_accepts_odd_parameters(full: None, value: str) -> None:
    root = sign_in_superuser()
    root.raise_request_exception = False
    query = "&".join(f"{key}={value}" for key in KEYS)
    wrong = [
        (route, answer.exc_info)
        for route in sorted(set(list_routes(get_resolver())))
        if route.startswith("/admin/") and (answer := root.get(f"{route}?{query}")).status_code >= 500
    ]
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.long
def test_every_address_of_the_desk_accepts_a_number_too_large(full: None) -> None:
    root = sign_in_superuser()
    root.raise_request_exception = False
    wrong = [
        (route, answer.exc_info)
        for route in sorted(set(list_routes(get_resolver(), fill="9" * 20)))
        if route.startswith("/admin/") and (answer := root.get(route)).status_code >= 500
    ]
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "multipart/form-data; boundary=b; charset=rot13",
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--',
        ),
        ("multipart/form-data; boundary=", b"a"),
        ("application/x-www-form-urlencoded", b"q=%00&email=%00&name=%00&step=%00&password=%00&reason=%00&pk=%00"),
        ("application/json", b'{"a": '),
    ],
)
def test_every_form_of_the_desk_refuses_a_broken_body(full: None, kind: str, body: bytes) -> None:
    root = sign_in_superuser()
    root.raise_request_exception = False
    wrong = [
        (route, answer.exc_info)
        for route in sorted(set(list_routes(get_resolver())))
        if route.startswith("/admin/")
        and (answer := root.generic("POST", route, body, content_type=kind)).status_code >= 500
    ]
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize(
    ("chooser", "found"),
    [
        ("story", "The clinic opens its doors"),
        ("eventnotice", "An evening of letters"),
        ("appeal", "How to help"),
    ],
)
def test_a_chooser_finds_what_has_every_word(full: None, chooser: str, found: str) -> None:
    Appeal.objects.update(headline="How to help")
    EventNotice.objects.update(starts_at=timezone.now() + timedelta(days=3))
    writer = sign_in("writer")
    address = f"/admin/snippets/choose/newsletter/{chooser}/results/"
    for typed in (found, found.upper(), " ".join(reversed(found.split())), found[:6]):
        assert says(writer.get(address, {"q": typed}), found), typed
    for typed in (f"{found} nothing", '"', "%"):
        assert not says(writer.get(address, {"q": typed}), found), typed


def says(page: HttpResponse, title: str) -> bool:
    """Return True if a row of the list has this title; what was typed is on the page too."""
    text = page.content.decode()
    return "data-chooser-modal-choice" in text and title in text


def test_a_picture_is_found_by_its_title(full: None) -> None:
    root = sign_in_superuser()
    for typed in ("clinic", '"clinic', "clin"):
        assert root.get("/admin/images/results/", {"q": typed}).status_code == 200
