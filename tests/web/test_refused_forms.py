"""A form that is refused keeps what was typed: the forms whose errors show on another page, and then every form of the desk."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import lxml.html
import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.messages import ERROR
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpResponse
from django.urls import get_resolver, reverse
from django.utils import timezone

from newsletter.common.staff_pages import KEPT_SECONDS
from newsletter.jobs.catalogue import JOBS
from newsletter.models import EventNotice, Issue, Send
from newsletter.sending.freezing.start import start_send
from subscribers.models import Reason, Subscriber, Suppression
from subscribers.unsubscribing.suppression import suppress
from tests.support.desk import list_messages, sign_in
from tests.support.desk_pages import fill, make_desk_rows  # noqa: F401  a fixture
from tests.support.desk_routes import LOOKED_AT, list_desk_routes
from tests.support.fixtures import NOW, add_subscribers, make_event, make_issue, make_publication, make_story
from tests.support.people import make_list, make_member
from tests.support.welcome import turn_on_welcome

pytestmark = pytest.mark.django_db
TYPED = {"text": "typed-for-hours", "email": "typed-for-an-hour", "number": "77777", "url": "typed:an-hour"}
"""By the type of a field, a text that fills it. Only `text` is valid everywhere, also as a short name."""
OTHERS = ("/admin/issues/edit/", "/admin/issues/history/", "/admin/segments/")
"""Forms that this test cannot send: the editor of an issue, which is locked during its send, and rules, which a script writes."""


@pytest.fixture
def person() -> Subscriber:
    person = make_member(make_list(), "ann@example.org")
    suppress(address_hash=bytes(person.address_hash), reason=Reason.STAFF, now=NOW, note="asked", by="x")
    return person


def person_url(name: str, person: Subscriber) -> str:
    more = [Suppression.objects.get().pk] if name == "subscribers_remove_suppression" else []
    return reverse(name, args=[person.pk, *more])


def list_values(page: bytes, action: str) -> dict[str, str | None]:
    """Return the fields of the form that posts to this address, as the page filled them in."""
    form = next(form for form in lxml.html.fromstring(page.decode()).forms if form.action == action)
    return dict(form.form_values())


@pytest.mark.parametrize(
    ("name", "typed", "problem"),
    [
        ("subscribers_remove_suppression", {"why": "   "}, "reason"),
        ("subscribers_suppress", {"list": "weekly", "why": "  "}, "Enter why this person must not be emailed"),
        ("subscribers_correct_address", {"email": "ann-at-example.org"}, ""),
        ("subscribers_reply", {"replied_on": "2999-01-01", "issue": ""}, ""),
    ],
)
def test_a_refused_form_of_a_person_keeps_its_text(
    person: Subscriber, name: str, typed: dict[str, str], problem: str
) -> None:
    client, address = sign_in("admin"), person_url(name, person)
    answer = client.post(address, typed, follow=True)
    assert len(list_messages(answer)) == 1
    assert problem in list_messages(answer)[0]
    shown = list_values(answer.content, address)
    assert {field: shown[field] for field in typed} == typed
    form = next(form for form in lxml.html.fromstring(answer.content.decode()).forms if form.action == address)
    assert all("open" in details.attrib for details in form.iterancestors("details"))


@pytest.mark.parametrize(
    ("name", "field", "typed"),
    [
        ("subscribers_remove_suppression", "why", {"why": "   "}),
        ("subscribers_suppress", "why", {"list": "weekly", "why": "  "}),
        ("subscribers_correct_address", "email", {"email": "ann-at-example.org"}),
        ("subscribers_reply", "replied_on", {"replied_on": "2999-01-01", "issue": ""}),
    ],
)
def test_a_refused_field_of_a_person_is_described_by_its_error(
    person: Subscriber, name: str, field: str, typed: dict[str, str]
) -> None:
    client, address = sign_in("admin"), person_url(name, person)
    answer = client.post(address, typed, follow=True)
    page = lxml.html.fromstring(answer.content.decode())
    control = next(form for form in page.forms if form.action == address).inputs[field]
    described = [page.get_element_by_id(one).text_content().strip() for one in control.get("aria-describedby").split()]
    assert control.get("aria-invalid") == "true"
    assert described[0] in list_messages(answer)
    assert len(page.xpath("//*[@aria-invalid]")) == 1


def test_the_text_of_a_refused_form_is_shown_once(person: Subscriber) -> None:
    client, address = sign_in("admin"), person_url("subscribers_correct_address", person)
    client.post(address, {"email": "not an address"}, follow=True)
    page = client.get(reverse("subscribers_person", args=[person.pk])).content
    assert list_values(page, address)["email"] == ""


def test_the_text_of_a_refused_form_is_not_shown_later(person: Subscriber) -> None:
    client, address = sign_in("admin"), person_url("subscribers_correct_address", person)
    client.post(address, {"email": "not an address"})
    session = client.session
    session["refused_form"] = {**session["refused_form"], "at": session["refused_form"]["at"] - KEPT_SECONDS - 1}
    session.save()
    page = client.get(reverse("subscribers_person", args=[person.pk])).content
    assert list_values(page, address)["email"] == ""


def test_the_session_keeps_a_refused_address_sealed(person: Subscriber) -> None:
    client = sign_in("admin")
    client.post(person_url("subscribers_correct_address", person), {"email": "secret-reader"})
    assert "refused_form" in client.session
    assert "secret-reader" not in str(dict(client.session))


def test_a_session_that_was_renewed_stays_in_the_list_of_its_owner(person: Subscriber) -> None:
    url, now = person_url("subscribers_correct_address", person), timezone.now()
    (delete,) = [job.run for job in JOBS if job.name == "delete_ended_sessions"]
    with time_machine.travel(now - timedelta(hours=13), tick=False):
        client = sign_in("admin")
        UserSession.objects.create(user=User.objects.get(), ip="192.0.2.7", session_key=client.session.session_key)
    with time_machine.travel(now - timedelta(hours=6), tick=False):
        client.post(url, {"email": "secret-reader"})
    with time_machine.travel(now, tick=False):
        delete()
        assert UserSession.objects.filter(session_key=client.session.session_key).exists()


def test_a_session_that_ended_keeps_no_refused_form(person: Subscriber) -> None:
    url, now = person_url("subscribers_correct_address", person), timezone.now()
    (delete,) = [job.run for job in JOBS if job.name == "delete_ended_sessions"]
    with time_machine.travel(now - timedelta(hours=13), tick=False):
        client = sign_in("admin")
        client.post(url, {"email": "secret-reader"})
        UserSession.objects.create(user=User.objects.get(), ip="192.0.2.7", session_key="x")
        delete()
        assert "refused_form" in client.session
        assert UserSession.objects.filter(session_key="x").exists()
    with time_machine.travel(now, tick=False):
        client = sign_in("editor")
        delete()
        assert [session.pk for session in Session.objects.all()] == [client.session.session_key]
        assert not UserSession.objects.filter(last_seen_at__lt=now).exists()


def test_a_refused_reason_to_hold_an_issue_is_kept() -> None:
    publication = make_publication()
    make_story("The clinic opens")
    issue = make_issue(publication)
    client, address = sign_in("editor"), reverse("newsletter_issue_step", args=[issue.pk, "hold"])
    Issue.objects.update(state="sent")
    client.post(address, {"reason": "The date is wrong"})
    Issue.objects.update(state="draft")
    page = client.get(reverse("newsletter_issue_overview", args=[issue.pk])).content
    assert list_values(page, address)["reason"] == "The date is wrong"


@pytest.mark.parametrize(
    ("route", "step", "is_kept"),
    [
        ("newsletter_issue_step", "hold", True),
        ("newsletter_issue_step", "release", False),
        ("newsletter_send_step", "pause", True),
        ("newsletter_send_step", "go-on", True),
        ("newsletter_send_step", "cancel", False),
    ],
)
def test_the_session_keeps_only_forms_that_a_page_shows_again(route: str, step: str, is_kept: bool) -> None:
    make_story("The clinic opens")
    issue = make_issue(make_publication())
    Issue.objects.update(state="sent")
    client = sign_in("editor")
    client.post(reverse(route, args=[issue.pk, step]), {"reason": "Bob asked"})
    assert ("refused_form" in client.session) == is_kept


def test_refused_days_of_a_welcome_mail_are_kept() -> None:
    publication = make_publication()
    _first, second, _third = turn_on_welcome(publication, steps=0)
    address = reverse("newsletter_welcome_step", args=[second.pk, "days"])
    answer = sign_in("writer").post(address, {"days": "77"}, follow=True)
    assert list_values(answer.content, address)["days"] == "77"


def check_marked(answer: HttpResponse, address: str, field: str, *, event: str = "") -> None:
    """Check that the field of the form at this address is marked, and that its error is also at the top."""
    page = lxml.html.fromstring(answer.content.decode())
    forms = [form for form in page.forms if form.action in (address, None) and field in form.fields]
    form = next(form for form in forms if not event or form.fields["event"] == event)
    control = form.inputs[field]
    boxes = control if isinstance(control, lxml.html.CheckboxGroup) else [control]
    described = (boxes[0].get("aria-describedby") or boxes[0].getparent().getparent().get("aria-describedby")).split()
    assert {box.get("aria-invalid") for box in boxes} == {"true"}
    assert page.get_element_by_id(described[0]).text_content().strip() in list_messages(answer)
    assert len(page.xpath("//*[@aria-invalid]")) == len(boxes)


def test_refused_days_of_a_welcome_mail_mark_their_field() -> None:
    _first, second, _third = turn_on_welcome(make_publication(), steps=0)
    address = reverse("newsletter_welcome_step", args=[second.pk, "days"])
    for days in ("77", "soon"):
        check_marked(sign_in("writer").post(address, {"days": days}, follow=True), address, "days")


def test_a_missing_reason_to_resume_a_send_marks_its_field() -> None:
    make_story("The clinic opens")
    publication = make_publication()
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    send = start_send(issue=issue, now=NOW)
    Send.objects.filter(pk=send.pk).update(
        state=Send.State.PAUSED, code=Send.Code.GMAIL_SPAM_RATE, reason="Stopped automatically."
    )
    address = reverse("newsletter_send_step", args=[issue.pk, "go-on"])
    check_marked(sign_in("approver").post(address, {"reason": " "}, follow=True), address, "reason")


def test_a_proof_to_nobody_marks_the_list_of_staff() -> None:
    make_story("The clinic opens")
    issue = make_issue(make_publication())
    client, address = sign_in("editor"), reverse("newsletter_issue_proof", args=[issue.pk])
    check_marked(client.post(address, {}, follow=True), address, "to")


@pytest.mark.parametrize("town", ["", "Nowhere-at-all"])
def test_a_refused_town_of_an_event_marks_its_field(town: str) -> None:
    first, second = (make_event(title, place_text=title, latitude=None) for title in ("Reading", "Walk"))
    for event in (first, second):
        note = {"note": "Which town?", "event_note": "", "candidates": []}
        EventNotice.objects.filter(pk=event.pk).update(
            place_question=note, starts_at=timezone.now() + timedelta(days=9)
        )
    address = reverse("newsletter_event_places")
    answer = sign_in("editor").post(address, {"event": str(second.pk), "town": town}, follow=True)
    check_marked(answer, address, "town", event=str(second.pk))


def list_desk_pages(desk: dict[str, str]) -> list[str]:
    routes = dict(list_desk_routes(get_resolver()))
    return [fill(routes[name], name.partition(" ")[2], desk) for name in LOOKED_AT]


def list_typed(form: lxml.html.FormElement) -> dict[str, str]:
    """Return a text for each field of a form into which somebody types."""
    areas = {area.name: TYPED["text"] for area in form.iter("textarea") if area.name and "readonly" not in area.attrib}
    boxes = {box.name: TYPED.get(box.type) for box in form.iter("input") if box.name}
    return areas | {name: text for name, text in boxes.items() if text}


def list_pressed(form: lxml.html.FormElement) -> dict[str, str]:
    """Return what the first button of a form sends."""
    return {button.get("name"): button.get("value", "") for button in form.xpath(".//button[@name]")[:1]}


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.long
def test_each_refused_form_of_the_desk_keeps_its_text(desk: dict[str, str]) -> None:
    client = sign_in("admin")
    refused, lost = set(), set()
    for address in list_desk_pages(desk):
        page = client.get(address)
        if page.status_code != 200 or not page.headers["Content-Type"].startswith("text/html"):
            continue
        for form in lxml.html.fromstring(page.content.decode()).forms:
            typed, action = list_typed(form), form.action or address
            if form.method != "POST" or not typed or action.startswith(OTHERS):
                continue
            with rolled_back():
                answer = client.post(action, {**list_pressed(form), **dict(form.form_values()), **typed}, follow=True)
            if answer.status_code == 200 and not any(one.level == ERROR for one in answer.context["messages"]):
                continue
            refused.add(action)
            shown = lxml.html.fromstring(answer.content.decode()).forms
            kept = {str(value).strip() for one in shown for _name, value in one.form_values()}
            lost |= {(action, name) for name, text in typed.items() if text not in kept}
    assert len(refused) > 20
    assert not lost, "\n".join(map(str, sorted(lost)))
