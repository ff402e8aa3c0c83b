"""The parts of Wagtail that are closed to everybody, and its menus. `test_routes_by_role` has the routes by role."""

import pytest
from django.test import Client

from tests.support.desk import sign_in, sign_in_superuser

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
    "/admin/reports/site-history/",
    "/admin/snippets/choose/subscribers/topic/",
    "/admin/reports/workflow/",
    "/admin/reports/aging-pages/",
    "/admin/bulk/newsletter/story/delete/",
    "/admin/password_reset/",
    "/admin/failwhale/",
    "/admin/test404/",
]


@pytest.mark.parametrize("route", CLOSED)
def test_unused_parts_of_wagtail_are_closed_to_superusers(route: str) -> None:
    assert sign_in_superuser().get(route).status_code == 404


def test_the_menu_has_no_page_tree() -> None:
    page = sign_in_superuser().get("/admin/").content.decode()
    for ours in ("/admin/issues/", "/admin/stories/", "/admin/events/", "/admin/appeals/", "/admin/sources/"):
        assert f'"{ours}"' in page
    for theirs in ('/admin/pages/"', "/admin/documents/", "/admin/sites/", "/admin/collections/", "editor guide"):
        assert f'"url": "{theirs}' not in page
    assert "Search all pages" not in page
    assert '"wagtail.sidebar.SearchModule", "_args": ["/admin/search/"]' in page
    assert '"name": "groups"' not in page


def test_the_link_button_asks_for_an_address_not_for_a_page() -> None:
    response = sign_in("writer").get("/admin/choose-page/?link_text=Here")
    assert response.headers["Location"] == "/admin/choose-external-link/?link_text=Here"
    form = sign_in("writer").get("/admin/choose-external-link/?allow_external_link=true").content.decode()
    assert "Internal link" not in form


@pytest.mark.parametrize("address", ["/admin/nothing-here/", "/admin/stories/edit/999999/", "/admin/pages/"])
def test_a_missing_desk_page_keeps_the_menu_and_links_home(address: str) -> None:
    answer = sign_in("writer").get(address)
    page = answer.content.decode()
    assert answer.status_code == 404
    assert 'id="wagtail-sidebar"' in page
    assert "Page not found" in page
    assert 'href="/admin/"' in page


def test_a_missing_page_reveals_no_desk_to_visitors() -> None:
    assert "wagtail-sidebar" not in Client().get("/admin/pages/").content.decode()
    assert Client().get("/admin/nothing-here/").status_code == 302
