"""Every route of the product: who may open it, and with what. A route without roles fails.

The roles of the desk's own routes are in `tests/support/desk_routes.py`; `test_pages_by_role` requests each with every role.
The table here has all others: those of readers, of the sign-in and of Wagtail. A prefix stands for all routes under it; the
longest one that fits counts. Routes that change people's data or send take POST and are requested by GET here: a page that
must not open refuses before it looks at the method.
"""

import pytest
from django.test import Client
from django.urls import get_resolver, resolve

from newsletter.models import Publication
from subscribers.models import Segment, Topic
from tests.support.desk import sign_in, sign_in_superuser
from tests.support.desk_routes import ADMIN, DECIDED, EDITORS, LOOKED_AT, NEED_FACTOR, NOBODY, PEOPLE, STAFF, WRITERS
from tests.support.fixtures import add_subscribers, make_appeal, make_event, make_issue, make_story
from tests.support.routes import list_routes

pytestmark = [pytest.mark.long, pytest.mark.django_db]

ROLES = ("writer", "editor", "approver", "data", "admin")
ANYBODY = "anybody"
TABLE = {
    # Public: a reader, a mailbox provider, a stranger who might sign in.
    "/api/": ANYBODY,  # by key; test_api has every call with every key
    "/c/": ANYBODY,
    "/favicon.ico": ANYBODY,
    "/join/": ANYBODY,
    "/look.css": ANYBODY,
    "/my-mail": ANYBODY,
    "/my-data/": ANYBODY,
    "/erase-me/": ANYBODY,
    "/new-address/": ANYBODY,
    "/this-address/": ANYBODY,
    "/hooks/": ANYBODY,
    "/inbound/": ANYBODY,
    "/m/": ANYBODY,
    "/news/": ANYBODY,
    "/p/": ANYBODY,
    "/r/": ANYBODY,
    "/u/": ANYBODY,
    "/view/": ANYBODY,
    "/accounts/login/": ANYBODY,
    "/accounts/logout/": ANYBODY,
    "/accounts/inactive/": ANYBODY,
    "/accounts/signup/": ANYBODY,
    "/accounts/first/": ANYBODY,  # by the code in the program's log, while nobody has an account
    "/accounts/password/": ANYBODY,
    "/accounts/oidc/": ANYBODY,  # not there without an identity provider
    "/accounts/2fa/lost/": ANYBODY,  # by a password that was given, or nothing happens
    "/accounts/2fa/authenticate/": ANYBODY,
    "/admin/login/": ANYBODY,
    "/admin/jsi18n/": ANYBODY,
    "/admin/sprite/": ANYBODY,
    "/admin/choose-page/": ANYBODY,
    # Every member of staff, with or without a second factor: this is where it is set up.
    "/accounts/2fa/": STAFF,
    "/accounts/reauthenticate/": STAFF,
    "/accounts/sessions/": STAFF,
    "/admin/logout/": ANYBODY,
    # Every member of staff.
    "/admin/": STAFF,
    "/admin/account/": STAFF,
    "/admin/block-preview/": STAFF,
    "/admin/choose-": STAFF,
    "/admin/dismissibles/": STAFF,
    "/admin/snippets/choose/newsletter/": STAFF,
    "/admin/snippets/choose/newsletter/appeal/create/": EDITORS,
    "/admin/snippets/choose/newsletter/eventnotice/create/": EDITORS,
    "/admin/snippets/choose/newsletter/story/create/": EDITORS,
    "/admin/tag-autocomplete/": STAFF,
    # Content.
    "/admin/appeals/history": EDITORS,
    "/admin/appeals/usage/": EDITORS,
    "/admin/brand/history": ADMIN,
    "/admin/brand/usage/": ADMIN,
    "/admin/cases/history": EDITORS,
    "/admin/cases/usage/": EDITORS,
    "/admin/events/": WRITERS,
    "/admin/images/": WRITERS,
    "/admin/images/chooser/": STAFF,
    "/admin/images/chooser/create/": WRITERS,
    "/admin/images/multiple/": STAFF,
    "/admin/images/multiple/add/": WRITERS,
    "/admin/issues/": WRITERS,
    "/admin/issues/add/": NOBODY,
    "/admin/issues/delete/": NOBODY,
    "/admin/issues/lock/": NOBODY,
    "/admin/issues/preview/": NOBODY,
    "/admin/issues/unlock/": NOBODY,
    "/admin/sources/": EDITORS,
    "/admin/stories/": WRITERS,
    # People.
    "/admin/lists/history": PEOPLE,
    "/admin/lists/usage/": PEOPLE,
    "/admin/segments/history": PEOPLE,
    "/admin/segments/usage/": PEOPLE,
    "/admin/topics/history": PEOPLE,
    "/admin/topics/usage/": PEOPLE,
    # Administration.
    "/admin/groups/": ADMIN,
    "/admin/groups/edit/": NOBODY,
    "/admin/groups/new/": NOBODY,
    "/admin/publications/history": ADMIN,
    "/admin/publications/usage/": ADMIN,
    "/admin/users/": ADMIN,
}
ALONE = ("/admin/",)
"""Prefixes that stand for themselves only: what else begins like them has to be in a table itself."""
OWN_ROUTES = {**DECIDED, **LOOKED_AT}


def find_roles(route: str) -> str | None:
    """Return the roles that may open a route: those of the desk's own route, or of the longest prefix that fits."""
    own = OWN_ROUTES.get(resolve(route).view_name) if route.startswith("/admin/") else None
    fitting = [prefix for prefix in TABLE if route.startswith(prefix) and (prefix not in ALONE or route == prefix)]
    return TABLE[max(fitting, key=len)] if own is None and fitting else own


@pytest.fixture
def routes() -> list[str]:
    return sorted(set(list_routes(get_resolver())))


@pytest.fixture
def full_desk(publication: Publication) -> None:
    """A row of everything, so that a page which opens has something to show."""
    make_story("The clinic opens its doors")
    make_event("An evening of letters")
    make_appeal()
    add_subscribers(publication, 2)
    Segment.objects.get_or_create(slug="all", defaults={"name": "All", "rule": {}})
    Topic.objects.create(slug="law", name="Law")
    make_issue(publication)


def is_refused(client: Client, route: str) -> bool:
    """Sent back to the sign-in or to the home page, forbidden, not there at all, or nothing that GET may ask for.

    A step that the state of its issue does not allow leads to the page of the issue: that refuses nobody.
    """
    response = client.get(route)
    if response.status_code == 302:
        address = response.headers["Location"]
        is_issue = address.startswith("/admin/issues/") and address.endswith("/overview/")
        return address.startswith(("/accounts/login/", "/admin/")) and not is_issue
    return response.status_code in (403, 404, 405)


@pytest.mark.requirement("G9")
@pytest.mark.requirement("G7")
@pytest.mark.requirement("G5")
def test_every_route_is_in_a_table_and_opens_only_for_its_roles(routes: list[str], full_desk: None) -> None:
    """A new route that nobody has thought about fails here."""
    clients = {role: sign_in(role) for role in ROLES}
    root = sign_in_superuser()
    status = {route: root.get(route).status_code for route in routes if route != "/admin/logout/"}
    closed = {route for route, code in status.items() if code == 404}
    unknown = [route for route in routes if route not in closed and find_roles(route) is None]
    assert unknown == [], "add these to the table, or to tests/support/desk_routes.py, with who may open them"
    stranger = Client()
    wrong = []
    for route in routes:
        may = NOBODY if route in closed else find_roles(route) or NOBODY
        if may == ANYBODY:
            continue
        if route not in closed and not is_refused(stranger, route):
            wrong.append((route, "opens for a stranger"))
        if route in closed:
            continue
        wrong += [
            (route, f"opens for {role}")
            for role in ROLES
            if role not in may.split() and not is_refused(clients[role], route)
        ]
        first = next((role for role in ROLES if role in may.split()), None)
        if first and route.startswith("/admin/") and status.get(route) != 405 and is_refused(clients[first], route):
            wrong.append((route, f"is closed to {first}"))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.requirement("G4")
def test_no_desk_route_opens_without_a_required_second_factor(routes: list[str]) -> None:
    """A password alone opens nothing for those who approve, send, see people's data or administer."""
    clients = {role: sign_in(role, factor=False) for role in NEED_FACTOR}
    wrong = []
    for route in routes:
        if not route.startswith("/admin/") or find_roles(route) == ANYBODY:
            continue
        for role, client in clients.items():
            response = client.get(route)
            if response.status_code != 302 or not response.headers["Location"].startswith("/accounts/2fa/"):
                wrong.append((route, role, response.status_code))
    assert not wrong, "\n".join(map(str, wrong))
