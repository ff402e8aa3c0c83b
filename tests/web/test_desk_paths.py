"""The path at the top of a page leads back to the pages above it, and a menu offers only pages that open."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import lxml.html
import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.admin.menu import admin_menu
from wagtail.admin.ui.sidebar import LinkMenuItem
from wagtail.models import GroupPagePermission

from newsletter.desk.dmarc.page import DmarcPage
from newsletter.desk.home.search import SearchPage
from newsletter.desk.mails.pages import MailTemplatesPage
from newsletter.desk.replies.page import RepliesPage
from newsletter.inbound.settings import parse_sources
from subscribers.desk.listing import register_page_item
from subscribers.models import HeldSignup
from tests.support.desk import sign_in, sign_in_superuser

pytestmark = pytest.mark.django_db

ISSUES = ("Issues", "/admin/issues/")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/admin/search/", [("Search", "")]),
        ("/admin/canaries/", [("Canary mailboxes", "")]),
        ("/admin/results/gifts/", [("Results", "/admin/results/"), ("Add gifts", "")]),
        ("/admin/issues/saved/", [ISSUES, ("Saved content", "")]),
        ("/admin/issues/new/", [ISSUES, ("New issue", "")]),
        ("/admin/events/places/", [("Events", "/admin/events/"), ("Where are these events?", "")]),
        ("/admin/setup/brand/", [("Set up", "/admin/setup/"), ("Your organisation", "")]),
        ("/admin/people/imports/", [("Subscribers", "/admin/people/"), ("Imports and exports", "")]),
    ],
)
def test_the_path_names_each_page_above_with_its_address(address: str, path: list[tuple[str, str]]) -> None:
    page = lxml.html.fromstring(sign_in_superuser().get(address).content.decode())
    links = page.cssselect(".w-breadcrumbs li a")
    assert [(" ".join(link.text_content().split()), link.get("href")) for link in links] == [("Home", "/admin/"), *path]


@pytest.mark.parametrize("role", ["writer", "editor", "approver", "data", "admin"])
def test_a_menu_offers_a_role_exactly_the_pages_that_open(role: str, settings: Any) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources(["inbound://mailgun"])
    everything = set(list_menu(sign_in_superuser()))
    client = sign_in(role)
    offered = set(list_menu(client))
    opened = {address for address in everything | offered if client.get(address).status_code == HTTPStatus.OK}
    assert offered == opened


def list_menu(client: Client) -> Iterator[str]:
    """Yield the addresses in the main menu of a person, those of its submenus too."""
    items = list(admin_menu.render_component(client.get("/admin/").wsgi_request))
    while items:
        item = items.pop()
        items += getattr(item, "menu_items", [])
        if isinstance(item, LinkMenuItem):
            yield item.url


def test_a_page_that_says_not_whom_it_admits_gets_no_menu_item() -> None:
    with pytest.raises(AttributeError, match="admits"):
        register_page_item(SearchPage, "newsletter_search", name="search", order=1)


def test_a_menu_offers_a_page_only_to_those_who_may_open_it() -> None:
    reader = User.objects.create_user("reader@example.org")
    reader.user_permissions.add(Permission.objects.get(codename="view_dmarcreport"))
    for page in (DmarcPage, MailTemplatesPage, RepliesPage):
        assert not page.admits(AnonymousUser())
        assert not page.admits(reader)
    reader.user_permissions.add(Permission.objects.get(codename="add_dmarcreport"))
    assert DmarcPage.admits(User.objects.get(pk=reader.pk))


def test_a_page_asks_once_whether_the_menu_offers_an_item() -> None:
    client = sign_in_superuser()
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/search/")
    asked = [query["sql"] for query in queries if HeldSignup._meta.db_table in query["sql"]]
    assert len(asked) == 1


def test_a_page_asks_for_no_rights_to_pages_of_wagtail() -> None:
    client = sign_in("editor")
    client.get("/admin/search/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/search/")
    assert [query["sql"] for query in queries if GroupPagePermission._meta.db_table in query["sql"]] == []
