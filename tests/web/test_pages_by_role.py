"""Every listed desk page, for every role, with and without a second factor."""

import re

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import get_resolver

from newsletter.models import Issue
from subscribers.models import ImportBatch, Suppression
from tests.support.desk import sign_in
from tests.support.desk_pages import fill, make_desk_rows  # noqa: F401  a fixture
from tests.support.desk_routes import DECIDED, LOOKED_AT, NEED_FACTOR, POSTED_TOO, STAFF, list_desk_routes

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("G6"), pytest.mark.requirement("G8")]
SIGN_IN, SECOND_FACTOR = "/accounts/login/", "/accounts/2fa/"


def is_refused(client: Client, address: str, *, post: bool, known: bool = False) -> bool:
    """Return True if the page refuses: by a redirect, a 403, 404 or 405, or a message.

    With ``known``, a 404 is about the row, such as an unchanged event with nothing to announce.
    """
    response = client.post(address, {"sha256": "0" * 64}) if post else client.get(address)
    if response.status_code in (403, 404, 405):
        return response.status_code != 404 or not known
    if response.status_code != 302:
        return False
    if response.headers["Location"] == "/admin/" or response.headers["Location"].startswith(SIGN_IN):
        return True
    return any(" may not " in str(message) for message in get_messages(response.wsgi_request))


def count_everything() -> dict[str, object]:
    """Return counts and states of the database, to notice a refused step that changed something."""
    counts: dict[str, object] = {
        model._meta.label: model.objects.count()
        for model in apps.get_models()
        if model not in (Session,) and hasattr(model, "objects")
    }
    counts["issue"] = list(Issue.objects.values_list("state", "held"))
    counts["send"] = list(Issue.objects.values_list("sends__state", "sends__batches__state"))
    counts["import"] = list(ImportBatch.objects.values_list("state"))
    counts["lifted"] = list(Suppression.objects.values_list("pk", "removed_at"))
    return counts


@pytest.mark.requirement("G5")
def test_every_desk_page_has_a_row_and_every_row_a_page() -> None:
    """A new page without a row fails here, and so does a row without a page."""
    routes = {name for name, _address in list_desk_routes(get_resolver())}
    assert routes - {*LOOKED_AT, *DECIDED} == set(), "add these to tests/support/desk_routes.py, with who may enter"
    assert {*LOOKED_AT, *DECIDED} - routes == set(), "these pages are gone"
    assert set(POSTED_TOO) <= set(LOOKED_AT)


@pytest.mark.long
@pytest.mark.requirement("G9")
@pytest.mark.requirement("G7")
def test_each_page_opens_only_for_its_roles(
    desk: dict[str, str],
) -> None:
    clients = {role: sign_in(role) for role in STAFF.split()}
    routes = dict(list_desk_routes(get_resolver()))
    rows = [
        *((name, may, False) for name, may in LOOKED_AT.items()),
        *((name, may, True) for name, may in (DECIDED | POSTED_TOO).items()),
    ]
    wrong, before = [], count_everything()
    for name, may, post in rows:
        address = fill(routes[name], name.partition(" ")[2], desk)
        wrong += [
            (name, post, f"opens for {who}")
            for who, client in {**clients, "a stranger": Client()}.items()
            if who not in may.split() and not is_refused(client, address, post=post)
        ]
    after = count_everything()
    assert not wrong, "\n".join(map(str, wrong))
    assert after == before
    clients = {role: sign_in(role) for role in STAFF.split()}  # without the messages of the refused steps
    rows.sort(key=lambda row: row[2])
    for name, may, post in rows:
        address = fill(routes[name], name.partition(" ")[2], desk)
        for role in may.split()[:1] if post else may.split():
            if is_refused(clients[role], address, post=post, known=post):
                wrong.append((name, post, f"is closed to {role}", address))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.long
@pytest.mark.requirement("G4")
def test_a_password_without_a_factor_opens_no_sensitive_page(desk: dict[str, str]) -> None:
    """Neither by GET nor by POST."""
    clients = {role: sign_in(role, factor=False) for role in NEED_FACTOR}
    before, wrong = count_everything(), []
    for name, address in list_desk_routes(get_resolver()):
        for role, client in clients.items():
            filled = fill(address, name.partition(" ")[2], desk)
            for response in (client.get(filled), client.post(filled)):
                if response.status_code != 302 or not response.headers["Location"].startswith(SECOND_FACTOR):
                    wrong.append((name, role, response.status_code))
    assert not wrong, "\n".join(map(str, wrong))
    assert count_everything() == before


@pytest.mark.requirement("G4")
def test_no_sensitive_step_works_without_a_second_factor() -> None:
    """Rights that only writers and editors share with these roles need just a password."""
    grave = re.compile(
        r"newsletter_(issue_step (approve|withdraw|release)|send_(step|ask)|batch_|audit|api_keys|protected_terms|issue_people)|"
        r"people:|subscribers_(?!regions|towns)|.*_(publication|brand|segment):(add|edit|preview)"
    )
    for name, may in (LOOKED_AT | DECIDED | POSTED_TOO).items():
        if grave.match(name):
            assert set(may.split()) <= NEED_FACTOR, name
    assert not User.objects.exists()
