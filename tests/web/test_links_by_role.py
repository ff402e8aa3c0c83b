"""Every link on the pages of the desk, for every role: nobody is led to a page that is closed to them."""

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import get_resolver
from lxml import html as lxml_html

from tests.support.desk import sign_in
from tests.support.desk_pages import fill, make_desk_rows  # noqa: F401  a fixture
from tests.support.desk_routes import LOOKED_AT, STAFF, list_desk_routes

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.requirement("G6")]
HOME = "/admin/"


@pytest.mark.parametrize("role", STAFF.split())
def test_no_page_links_to_one_that_is_closed_to_the_role(role: str, desk: dict[str, str]) -> None:
    client = sign_in(role)
    pages = [HOME, *_list_pages(role, desk)]
    links: dict[str, str] = {}
    for page in pages:
        for link in _list_links(client, page):
            links.setdefault(link, page)
    assert len(links) > 20
    closed = [f"{page} links to {link}" for link, page in links.items() if _is_closed(client, link)]
    assert not closed, "\n".join(closed)


def _list_pages(role: str, desk: dict[str, str]) -> list[str]:
    routes = dict(list_desk_routes(get_resolver()))
    open_pages = [name for name, roles in LOOKED_AT.items() if role in roles.split()]
    return [fill(routes[name], name.partition(" ")[2], desk) for name in open_pages]


def _list_links(client: Client, page: str) -> Iterator[str]:
    response = client.get(page)
    if response.status_code != 200 or not response.headers["Content-Type"].startswith("text/html"):
        return
    content = b"".join(response) if response.streaming else response.content
    for link in lxml_html.fromstring(content).xpath("//a/@href"):
        address = urlsplit(urljoin(page, link))
        if not address.netloc and address.path.startswith(HOME) and "logout" not in address.path:
            yield f"{address.path}?{address.query}" if address.query else address.path


def _is_closed(client: Client, link: str) -> bool:
    response = client.get(link)
    return response.status_code == 403 or (response.status_code == 302 and response.headers["Location"] == HOME)
