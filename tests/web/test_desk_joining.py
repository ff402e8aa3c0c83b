"""Staff decisions on held sign-ups and on one person, and the embedded form."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter.jobs.notices.about_people import notify_held_signups_full
from newsletter.models import Publication, StaffNotice
from subscribers.consent.held_signups import hold_signup
from subscribers.consent.proof_of_work import Proof
from subscribers.consent.signup import SignupRequest
from subscribers.consent.signup_limits import MAX_HELD_SIGNUPS, SignupOutcome, screen_signup
from subscribers.erasing.erasure import erase_person
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    Frequency,
    HeldSignup,
    Reason,
    Segment,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.unsubscribing.suppression import suppress
from tests.support.desk import sign_in
from tests.support.people import NOW, make_list, make_member, make_person, make_topic, subscribe

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("S5")]
HELD = "/admin/people/held/"


def hold(email: str) -> HeldSignup:
    mailing_list = make_list() if not HeldSignup.objects.exists() else HeldSignup.objects.all()[0].mailing_list
    return hold_signup(
        SignupRequest(email=email, mailing_list=mailing_list, wording="Yes", source="page"),
        reason="many from one network",
        now=NOW,
    )


def test_staff_release_or_discard_held_sign_ups() -> None:
    client = sign_in("data")
    assert "There are no sign-ups to review" in client.get(HELD).content.decode()
    one, other = hold("ada@example.org"), hold("bea@example.org")
    page = client.get(HELD).content.decode()
    assert "a•••@e•••.org" in page
    assert "ada@example.org" not in page
    assert "many from one network" in page
    assert "Sign-ups to review" in client.get("/admin/").content.decode()
    client.post(HELD, {"in": one.pk})
    client.post(HELD, {"out": other.pk})
    assert [row.subscriber.email for row in Confirmation.objects.all()] == ["ada@example.org"]
    assert not Subscription.objects.mailable().exists()
    assert "has already reviewed this" in client.post(HELD, {"in": one.pk}, follow=True).content.decode()
    assert "has already reviewed this" in client.post(HELD, {"out": other.pk}, follow=True).content.decode()
    assert "has already reviewed this" in client.post(HELD, {"in": "x"}, follow=True).content.decode()


@pytest.mark.requirement("G10")
def test_the_staff_log_has_released_and_discarded_sign_ups_masked() -> None:
    client = sign_in("data")
    one, other = hold("ada@example.org"), hold("bea@example.org")
    client.post(HELD, {"in": one.pk})
    client.post(HELD, {"out": other.pk})
    client.post(HELD, {"out": other.pk})
    ada = Subscriber.objects.get()
    entries = ModelLogEntry.objects.filter(action__startswith="subscribers.held").order_by("pk")
    assert [(entry.action, entry.label, entry.user.username, entry.data["people"]) for entry in entries] == [
        ("subscribers.held_let_in", "a•••@e•••.org", "data@example.org", [ada.pk]),
        ("subscribers.held_dropped", "b•••@e•••.org", "data@example.org", []),
    ]
    assert {entry.data["list"] for entry in entries} == {"weekly"}
    assert "ada@example.org" not in sign_in("admin").get("/admin/staff-log/").content.decode()


@pytest.mark.parametrize(
    ("verb", "said"), [("in", "3 people will get an email to confirm."), ("out", "3 sign-ups rejected.")]
)
def test_all_who_were_shown_are_decided_at_once_and_nobody_who_came_since(verb: str, said: str) -> None:
    client = sign_in("data")
    for number in range(3):
        hold(f"person{number}@example.org")
    shown = re.findall(r'name="shown" value="(\d+)"', client.get(HELD).content.decode())
    since = hold("since@example.org")
    assert said in client.post(HELD, {verb: "all", "shown": shown}, follow=True).content.decode()
    assert list(HeldSignup.objects.all()) == [since]
    assert Confirmation.objects.count() == (3 if verb == "in" else 0)


@pytest.mark.requirement("S3")
def test_staff_remove_a_complaint_but_not_a_persons_own_request() -> None:
    ada = make_member(make_list())
    for reason in (Reason.COMPLAINT, Reason.UNSUBSCRIBE):
        suppress(address_hash=bytes(ada.address_hash), reason=reason, now=NOW)
    complaint, own = (Suppression.objects.get(reason=reason) for reason in (Reason.COMPLAINT, Reason.UNSUBSCRIBE))
    client = sign_in("data")
    page = client.get(f"/admin/people/{ada.pk}/").content.decode()
    assert f"/remove-suppression/{complaint.pk}/" in page
    assert f"/remove-suppression/{own.pk}/" not in page
    said = client.post(
        f"/admin/people/{ada.pk}/remove-suppression/{complaint.pk}/", {"why": " "}, follow=True
    ).content.decode()
    assert "Write why mail to this address may start again" in said
    said = client.post(
        f"/admin/people/{ada.pk}/remove-suppression/{own.pk}/", {"why": "she rang"}, follow=True
    ).content.decode()
    assert "Only this person can undo it" in said
    client.post(f"/admin/people/{ada.pk}/remove-suppression/{complaint.pk}/", {"why": "pressed by mistake, she rang"})
    complaint.refresh_from_db()
    assert (complaint.removed_by, complaint.removal_reason) == ("data@example.org", "pressed by mistake, she rang")
    assert Suppression.objects.live().get() == own


def test_staff_stop_mail_with_a_reason_of_one_list_or_of_all() -> None:
    weekly = make_list()
    ada = make_member(weekly)
    client = sign_in("data")
    refused = client.post(f"/admin/people/{ada.pk}/suppress/", {"why": "", "list": "weekly"}, follow=True)
    assert "Enter why this person must not be emailed" in refused.content.decode()
    client.post(f"/admin/people/{ada.pk}/suppress/", {"why": "asked by letter", "list": "weekly"})
    client.post(f"/admin/people/{ada.pk}/suppress/", {"why": "court order", "list": ""})
    assert [(row.mailing_list, row.note) for row in Suppression.objects.order_by("pk")] == [
        (weekly, "asked by letter"),
        (None, "court order"),
    ]
    assert "asked by letter" in client.get(f"/admin/people/{ada.pk}/").content.decode()


@pytest.mark.requirement("P6")
def test_staff_erase_a_person_after_a_question_and_a_hash_stays() -> None:
    ada = make_member(make_list())
    client = sign_in("data")
    path = f"/admin/people/{ada.pk}/erase/"
    Subscriber.objects.update(name="Ada Byron")
    question = client.get(path).content.decode()
    assert "Erase Ada Byron, town unknown?" in question
    assert "You cannot undo this" in question
    assert Subscriber.objects.exists()
    assert client.post(path).headers["Location"] == "/admin/people/"
    assert not Subscriber.objects.exists()
    assert Suppression.objects.get().reason == Reason.ERASURE
    assert ConsentEvent.objects.get(kind="erased").by == "data@example.org"


@pytest.mark.parametrize("path", ["erase/", "suppress/", "remove-suppression/{suppression}/"])
@pytest.mark.parametrize("role", ["writer", "editor", "approver"])
def test_only_those_who_look_after_the_people_decide_about_them(path: str, role: str) -> None:
    ada = make_member(make_list())
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.HARD, now=NOW)
    path = path.format(suppression=Suppression.objects.get().pk)
    refused = sign_in(role).post(f"/admin/people/{ada.pk}/{path}", {"why": "because"})
    assert (refused.status_code, refused.headers["Location"]) == (302, "/admin/")
    assert Suppression.objects.live().count() == 1
    assert Subscriber.objects.exists()


@pytest.mark.requirement("G3")
def test_nothing_is_decided_by_a_get() -> None:
    ada = make_member(make_list())
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.HARD, now=NOW)
    client = sign_in("data")
    row = Suppression.objects.get()
    assert client.get(f"/admin/people/{ada.pk}/remove-suppression/{row.pk}/?why=x").status_code == 405
    assert client.get(f"/admin/people/{ada.pk}/suppress/?why=x").status_code == 405


def test_the_persons_page_says_what_they_chose() -> None:
    ada = make_person(radius_km=25)
    subscribe(ada, make_list(), frequency=Frequency.MONTHLY, paused_until=timezone.now() + timedelta(days=3))
    subscribe(ada, make_list("events"), paused_until=NOW)
    page = sign_in("data").get(f"/admin/people/{ada.pk}/").content.decode()
    assert "once a month" in page
    assert page.count("paused until ") == 1
    assert "paused until 5 Mar 2026" not in page
    assert "travels up to 25 km to an event" in page


def test_the_embedded_form_works_on_any_site_without_javascript() -> None:
    weekly = make_list(name="Weekly <news>", ask_place=False, ask_language=True)
    topic = make_topic(name="Land & water")
    Segment.objects.create(slug="spanish", name="Spanish", rule={"language": "es"})
    page = sign_in("data").get(f"/admin/lists/edit/{weekly.pk}/").content.decode()
    copied = re.search(r"<textarea[^>]*nl-copy[^>]*>(.*?)</textarea>", page, re.S)
    assert copied
    form = unescape(copied[1])
    assert 'action="http://127.0.0.1:8000/join/weekly"' in form
    assert "Weekly &lt;news&gt;" in form
    assert 'name="city"' not in form
    assert '<option value="es">Español</option>' in form
    assert "Land &amp; water" in form
    stranger = Client(enforce_csrf_checks=True)
    sent = {"email": "ada@example.org", "name": "Ada", "topics": [topic.pk]}
    first = stranger.post("/join/weekly", sent, headers={"origin": "https://other.example"})
    assert first.status_code == 200
    assert b"Almost done" in first.content
    assert not Subscriber.objects.exists()
    started = re.search(r'name="started" value="([^"]+)"', first.content.decode())
    assert started


def test_an_erased_person_does_not_wait_for_staff_either() -> None:
    held = hold("ada@example.org")
    erase_person(subscriber=make_member(held.mailing_list, "ada@example.org"), by="", now=NOW)
    assert not HeldSignup.objects.exists()


def fill_up(*, people: int = MAX_HELD_SIGNUPS) -> None:
    fair = make_list("fair")
    HeldSignup.objects.bulk_create(
        HeldSignup(
            email=f"p{number}@example.org", address_hash=number.to_bytes(32), mailing_list=fair, reason="", at=NOW
        )
        for number in range(people)
    )


def screen_a_suspicious_signup() -> SignupOutcome:
    now = timezone.now()
    ways = [
        screen_signup(address="a@gmail.com", client="192.0.2.1", proof=Proof.NONE, now=now).outcome for _ in range(4)
    ]
    return ways[-1]


def test_staff_read_on_the_page_and_at_home_that_the_limit_is_reached() -> None:
    client = sign_in("data")
    fill_up(people=MAX_HELD_SIGNUPS - 1)
    assert "which is the limit" not in client.get(HELD).content.decode()
    assert "The limit is reached" not in client.get("/admin/").content.decode()
    hold("last@example.org")
    page = client.get(HELD).content.decode()
    assert "2,000 sign-ups are waiting, which is the limit" in page
    assert "dropped since yesterday" not in page
    assert "The limit is reached" in client.get("/admin/").content.decode()


def test_a_sign_up_above_the_limit_is_dropped_and_staff_read_how_many_were() -> None:
    client = sign_in("data")
    fill_up()
    assert screen_a_suspicious_signup() is SignupOutcome.DROPPED
    assert HeldSignup.objects.count() == MAX_HELD_SIGNUPS
    assert "sign-ups were dropped since yesterday" in client.get(HELD).content.decode()
    HeldSignup.objects.all().delete()
    assert screen_a_suspicious_signup() is SignupOutcome.HELD
    assert "were dropped since yesterday" in client.get(HELD).content.decode()


def test_staff_get_one_mail_a_day_while_the_queue_is_full(publication: Publication) -> None:
    sign_in("data")
    sign_in("writer")
    fill_up(people=MAX_HELD_SIGNUPS - 1)
    notify_held_signups_full(now=NOW)
    assert not StaffNotice.objects.exists()
    hold("last@example.org")
    for hours in (0, 1, 2, 24):
        notify_held_signups_full(now=NOW + timedelta(hours=hours))
    notices = StaffNotice.objects.order_by("pk")
    assert [notice.person.username for notice in notices] == ["data@example.org"] * 2
    assert "further ones are dropped" in notices[0].subject
    assert Client().get(urlsplit(notices[0].link).path).status_code == 302
    assert sign_in("admin").get(urlsplit(notices[0].link).path).status_code == 200
