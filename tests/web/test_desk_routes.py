"""Who may open what: every route of the desk without a log-in, and the parts of Wagtail that are closed to all."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from tests.web.desk import PASSWORD, sign_in, sign_in_superuser

pytestmark = pytest.mark.django_db

CLOSED = [
    "/admin/pages/",
    "/admin/pages/1/",
    "/admin/pages/add/wagtailcore/page/1/",
    "/admin/documents/",
    "/admin/sites/",
    "/admin/collections/",
    "/admin/workflows/list/",
    "/admin/workflows/tasks/index/",
    "/admin/redirects/",
    "/admin/locales/",
    "/admin/snippets/",
    "/admin/api/main/pages/",
    "/admin/api/main/images/",
    "/admin/choose-page/1/",
    "/admin/choose-page/search/",
    "/admin/reports/locked/",
    "/admin/reports/workflow/",
    "/admin/reports/aging-pages/",
    "/admin/bulk/newsletter/story/delete/",
    "/admin/password_reset/",
    "/admin/failwhale/",
    "/admin/test404/",
]
OPEN_TO_ALL = ("/admin/login/", "/admin/jsi18n/", "/admin/sprite/", "/admin/logout/")


def list_routes(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """One address for each named route, with 1 for whatever it takes."""
    for name in list(resolver.reverse_dict):
        if isinstance(name, str):
            for possibilities, *_ in resolver.reverse_dict.getlist(name):
                for address, parameters in possibilities:
                    yield prefix + address % dict.fromkeys(parameters, "1")
    for inner_prefix, inner in resolver.namespace_dict.values():
        yield from list_routes(inner, prefix + inner_prefix)


def test_no_route_of_the_desk_opens_without_a_log_in() -> None:
    """Every route of the administration, asked for by a stranger."""
    routes = sorted({route for route in list_routes(get_resolver()) if route.startswith("/admin/")})
    assert len(routes) > 150
    client = Client()
    opened = []
    for route in routes:
        if route in OPEN_TO_ALL:
            continue
        response = client.get(route)
        to_login = response.status_code == 302 and response.headers["Location"].startswith(
            ("/admin/login/", "/admin/choose-external-link/")
        )
        if not to_login and response.status_code != 404:
            opened.append((route, response.status_code))
    assert opened == []


@pytest.mark.parametrize("route", CLOSED)
def test_what_the_desk_does_not_use_is_closed_to_a_superuser_too(route: str) -> None:
    assert sign_in_superuser().get(route).status_code == 404


@pytest.mark.parametrize(
    ("role", "route", "opens"),
    [
        ("writer", "/admin/issues/", True),
        ("writer", "/admin/stories/", True),
        ("writer", "/admin/people/", False),
        ("writer", "/admin/brand/", False),
        ("writer", "/admin/users/", False),
        ("editor", "/admin/sources/", True),
        ("editor", "/admin/people/", False),
        ("data", "/admin/people/", True),
        ("data", "/admin/lists/", True),
        ("data", "/admin/segments/", True),
        ("data", "/admin/issues/", False),
        ("admin", "/admin/publications/", True),
        ("admin", "/admin/brand/", True),
        ("admin", "/admin/people/", True),
    ],
)
def test_each_role_opens_its_own_rooms(role: str, route: str, opens: bool) -> None:
    response = sign_in(role).get(route)
    assert (response.status_code == 200) is opens


def test_the_menu_shows_nothing_of_a_page_tree() -> None:
    page = sign_in_superuser().get("/admin/").content.decode()
    for ours in ("/admin/issues/", "/admin/stories/", "/admin/events/", "/admin/appeals/", "/admin/sources/"):
        assert f'"{ours}"' in page
    for theirs in ('/admin/pages/"', "/admin/documents/", "/admin/sites/", "/admin/collections/", "editor guide"):
        assert f'"url": "{theirs}' not in page
    assert "Search all pages" not in page


def test_staff_sign_in_with_their_email() -> None:
    sign_in("writer", email="staff@example.org")
    client = Client()
    page = client.get("/admin/login/").content.decode()
    assert "Email" in page
    assert "Username" not in page
    wrong = client.post("/admin/login/", {"username": "staff@example.org", "password": "something else"})
    assert "do not belong together" in wrong.content.decode()
    right = client.post("/admin/login/", {"username": "staff@example.org", "password": PASSWORD, "next": "/admin/"})
    assert right.headers["Location"] == "/admin/"


def test_the_link_button_of_a_text_asks_for_an_address_not_for_a_page() -> None:
    response = sign_in("writer").get("/admin/choose-page/?link_text=Here")
    assert response.headers["Location"] == "/admin/choose-external-link/?link_text=Here"
    form = sign_in("writer").get("/admin/choose-external-link/?allow_external_link=true").content.decode()
    assert "Internal link" not in form
