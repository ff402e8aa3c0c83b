"""Every room of the desk that is written here × every role × with and without the second factor (G4–G9)."""

import io
import re

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from newsletter.models import Issue, Publication
from newsletter.sending.freezing.start import start_send
from subscribers.identity import identify
from subscribers.importing.writing.import_steps import create_draft_import
from subscribers.models import HeldSignup, ImportBatch, Reason, Segment, Suppression, Topic
from subscribers.unsubscribing.suppression import suppress
from tests.support.fixtures import add_subscribers, make_appeal, make_event, make_issue, make_story
from tests.web.desk import sign_in
from tests.web.rooms import DECIDED, LOOKED_AT, NEED_FACTOR, POSTED_TOO, STAFF, list_rooms

pytestmark = pytest.mark.django_db
SIGN_IN, SECOND_FACTOR = "/accounts/login/", "/accounts/2fa/"


@pytest.fixture
def desk(publication: Publication) -> dict[str, str]:
    """A row of everything, and what stands for the variable parts of addresses: by the start of the address, then by name."""
    story, event, appeal = make_story("The clinic opens"), make_event("An evening of letters"), make_appeal()
    person = add_subscribers(publication, 3)[0]
    issue = make_issue(publication, approved=True)
    send = start_send(issue=issue, now=timezone.now())
    send.batches.update(state="uncertain", reason="the worker was lost", settled_at=timezone.now())
    topic = Topic.objects.create(slug="land", name="Land rights")
    segment, _ = Segment.objects.get_or_create(slug="all", defaults={"name": "All", "rule": {}})
    suppress(address_hash=identify(person.email), reason=Reason.STAFF, now=timezone.now(), note="asked", by="x")
    batch = create_draft_import(
        file=io.BytesIO(b"email\nnew@example.org\n"),
        name="people.csv",
        mailing_list=publication.mailing_list,
        by="data@example.org",
        now=timezone.now(),
    )
    HeldSignup.objects.create(
        email="new@example.org",
        address_hash=identify("new@example.org"),
        mailing_list=publication.mailing_list,
        wording="Yes",
        source="test",
        reason="too many",
        at=timezone.now(),
    )
    return {
        "admin/^issues": str(issue.pk),
        "admin/issues": str(issue.pk),
        "admin/stories": str(story.pk),
        "admin/events": str(event.pk),
        "admin/appeals": str(appeal.pk),
        "admin/^people/imports": str(batch.pk),
        "admin/people/imports": str(batch.pk),
        "admin/people": str(person.pk),
        "admin/segments": str(segment.pk),
        "admin/topics": str(topic.pk),
        "admin/publications": str(publication.pk),
        "admin/brand": str(publication.brand_id),
        "batch": str(send.batches.get().pk),
        "suppression": str(Suppression.objects.get().pk),
        "revision_id": str(issue.latest_revision_id or 1),
        "mode": "inbox.0.none",
        "name": "0.none",
        "other": "0.none",
        "token": "not-a-token",
    }


def fill(address: str, step: str, desk: dict[str, str]) -> str:
    """The address of a room, with this step, of the rows of the fixture."""
    row = next((desk[start] for start in sorted(desk, key=len, reverse=True) if address.startswith(start)), "1")
    address = re.sub(r"\(\?P<step>[^)]*\)", step, address)
    address = re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", lambda m: desk.get(m[1] or m[2], row), address)
    return "/" + address.replace("^", "").replace("$", "")


def is_refused(client: Client, address: str, *, post: bool, known: bool = False) -> bool:
    """Nobody is let in: sent elsewhere to sign in, sent home, forbidden, not there, or told that they may not.

    With ``known``, “not there” is about the row, as where an event that did not change has nothing to announce.
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
    """What stands in the database, so that a refused step that did something all the same is noticed."""
    counts: dict[str, object] = {
        model._meta.label: model.objects.count()
        for model in apps.get_models()
        if model not in (Session,) and hasattr(model, "objects")
    }
    counts["issue"] = list(Issue.objects.values_list("state", "held"))
    counts["send"] = list(Issue.objects.values_list("sends__state", "sends__batches__state"))
    counts["import"] = list(ImportBatch.objects.values_list("state"))
    counts["lifted"] = list(Suppression.objects.values_list("pk", "lifted_at"))
    return counts


def test_every_room_of_the_desk_has_a_row_and_every_row_a_room() -> None:
    """G5. A new room that nobody has thought about fails here, and so does a row whose room is gone."""
    rooms = {name for name, _address in list_rooms(get_resolver())}
    assert rooms - {*LOOKED_AT, *DECIDED} == set(), "add these to tests/web/rooms.py, with who may enter"
    assert {*LOOKED_AT, *DECIDED} - rooms == set(), "these rooms are gone"
    assert set(POSTED_TOO) <= set(LOOKED_AT)


def test_each_room_opens_for_its_roles_and_for_nobody_else_and_no_refused_step_does_anything(
    desk: dict[str, str],
) -> None:
    """G7, G9."""
    clients = {role: sign_in(role) for role in STAFF.split()}
    rooms = dict(list_rooms(get_resolver()))
    rows = [
        *((name, may, False) for name, may in LOOKED_AT.items()),
        *((name, may, True) for name, may in (DECIDED | POSTED_TOO).items()),
    ]
    wrong, before = [], count_everything()
    for name, may, post in rows:
        address = fill(rooms[name], name.partition(" ")[2], desk)
        wrong += [
            (name, post, f"opens for {who}")
            for who, client in {**clients, "a stranger": Client()}.items()
            if who not in may.split() and not is_refused(client, address, post=post)
        ]
    after = count_everything()
    assert not wrong, "\n".join(map(str, wrong))
    assert after == before
    rows.sort(key=lambda row: row[2])
    for name, may, post in rows:
        address = fill(rooms[name], name.partition(" ")[2], desk)
        for role in may.split()[:1] if post else may.split():
            if is_refused(clients[role], address, post=post, known=post):
                wrong.append((name, post, f"is closed to {role}", address))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_password_alone_opens_no_room_for_those_who_approve_send_export_or_administer(desk: dict[str, str]) -> None:
    """G4. Neither by GET nor by POST."""
    clients = {role: sign_in(role, factor=False) for role in NEED_FACTOR}
    before, wrong = count_everything(), []
    for name, address in list_rooms(get_resolver()):
        for role, client in clients.items():
            filled = fill(address, name.partition(" ")[2], desk)
            for response in (client.get(filled), client.post(filled)):
                if response.status_code != 302 or not response.headers["Location"].startswith(SECOND_FACTOR):
                    wrong.append((name, role, response.status_code))
    assert not wrong, "\n".join(map(str, wrong))
    assert count_everything() == before


def test_approving_sending_exporting_and_administering_is_open_to_nobody_without_a_second_factor() -> None:
    """G4. What only writers and editors may do besides them, they may do with a password."""
    grave = re.compile(
        r"newsletter_(issue_step (approve|withdraw|release)|send_(step|ask)|batch_|audit|api_keys|protected_terms|issue_people)|"
        r"people:|subscribers_(?!regions|towns)|.*_(publication|brand|segment):(add|edit|preview)"
    )
    for name, may in (LOOKED_AT | DECIDED | POSTED_TOO).items():
        if grave.match(name):
            assert set(may.split()) <= NEED_FACTOR, name
    assert not User.objects.exists()
