"""The page “Do you still want our emails?”, and what staff and the preference centre say of a person who rests."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.models import MailLimits
from subscribers.links.signed_links import Purpose
from subscribers.models import ConsentEvent, MailingList, Reply, StayQuestion, Subscriber, Subscription
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from subscribers.web import preference_page
from tests.support.desk import sign_in
from tests.support.fixtures import add_subscribers, make_publication
from tests.support.people import make_list, path_to, subscribe

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Subscriber:
    """Return a person who rests since ten days."""
    (person,) = add_subscribers(make_publication(), 1)
    now = timezone.now()
    StayQuestion.objects.create(
        subscriber=person,
        mailing_list=MailingList.objects.get(),
        asked_at=now - timedelta(days=40),
        sent_at=now - timedelta(days=40),
        resting_since=now - timedelta(days=10),
    )
    return person


def stay_path(person: Subscriber) -> str:
    return path_to(person, MailingList.objects.get(), Purpose.STAY)


def test_opening_the_link_changes_nothing_and_its_button_ends_the_rest(person: Subscriber) -> None:
    client = Client()
    page = client.get(stay_path(person)).content.decode()
    assert "Yes, keep sending them" in page
    assert StayQuestion.objects.resting().exists()
    thanks = client.post(stay_path(person)).content.decode()
    assert "Thank you. We keep sending them." in thanks
    assert all("For " in shown and "•••@" in shown for shown in (page, thanks))
    assert not StayQuestion.objects.resting().exists()
    event = ConsentEvent.objects.latest("pk")
    assert (event.kind, event.data) == ("preferences", {"stays": True})
    text, button = event.wording.split("\n")
    assert text.startswith("Press the button, and you get your newsletters as before.")
    assert text in page
    assert button == "Yes, keep sending them"
    assert client.post(stay_path(person)).status_code == 200


def test_the_link_works_for_years(person: Subscriber) -> None:
    path = stay_path(person)
    StayQuestion.objects.update(resting_since=timezone.now())
    assert Client().post(path).status_code == 200


def test_somebody_who_unsubscribed_reads_that_they_did(person: Subscriber) -> None:
    path = stay_path(person)
    unsubscribe_from_all(subscriber=person, now=timezone.now(), source="test")
    shown = Client().post(path).content.decode()
    assert "You unsubscribed, so you get no newsletters from us." in shown
    assert StayQuestion.objects.resting().exists()
    person.delete()
    assert "This link no longer leads to you" in Client().get(path).content.decode()


def test_the_preference_centre_offers_to_start_again(person: Subscriber) -> None:
    shown = Client().get(path_to(person, MailingList.objects.get(), Purpose.PREFERENCES)).content.decode()
    assert "because you did not answer whether you still want them" in shown
    path, form = shown.split('<form method="post" action="/stay/')[1].split('"', 1)
    assert '<input type="hidden" name="shown" value="rest">' in form
    Client().post(f"/stay/{path}", {"shown": "rest"})
    text, button = ConsentEvent.objects.latest("pk").wording.split("\n")
    assert text.startswith("You have got no newsletters since ")
    assert text in shown
    assert button == "Send them again"
    shown = Client().get(path_to(person, MailingList.objects.get(), Purpose.PREFERENCES)).content.decode()
    assert "because you did not answer" not in shown


def test_a_second_press_of_send_them_again_adds_no_event(person: Subscriber) -> None:
    path = stay_path(person)
    for _ in range(2):
        answer = Client().post(path, {"shown": "rest"})
        assert "Thank you. We keep sending them." in answer.content.decode()
    (event,) = ConsentEvent.objects.filter(kind="preferences")
    assert event.wording.endswith("\nSend them again")


@pytest.mark.requirement("N9")
def test_saving_choices_as_they_are_ends_the_rest_and_is_recorded_once(person: Subscriber) -> None:
    path = path_to(person, MailingList.objects.get(), Purpose.PREFERENCES)
    choices = {"lists": [MailingList.objects.get().pk], "town": str(person.place or "")}
    for _ in range(2):
        shown = Client().post(path, choices).content.decode()
        assert "Saved." in shown
        assert "because you did not answer" not in shown
    (event,) = ConsentEvent.objects.filter(kind="preferences")
    assert (event.data, event.by) == ({"stays": True}, "")
    assert event.wording == "Chosen on the page “Your mail from us”."


def test_saving_after_leaving_another_list_the_same_day_ends_the_rest(person: Subscriber) -> None:
    kept, left = MailingList.objects.get(), make_list("events")
    subscribe(person, left)
    unsubscribe_from_list(subscriber=person, mailing_list=left, now=timezone.now())
    assert StayQuestion.objects.resting().exists()
    Client().post(path_to(person, kept, Purpose.PREFERENCES), {"lists": [kept.pk], "town": str(person.place or "")})
    assert not StayQuestion.objects.resting().exists()


def test_saving_without_any_list_does_not_end_the_rest(person: Subscriber) -> None:
    Subscription.objects.all().delete()
    Client().post(path_to(person, MailingList.objects.get(), Purpose.PREFERENCES), {"town": str(person.place or "")})
    assert StayQuestion.objects.resting().exists()


def test_the_field_of_the_notice_is_the_one_that_its_press_is_read_by(
    person: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preference_page, "SHOWN_FIELD", "beside")
    monkeypatch.setattr(preference_page, "SHOWN_NOTICE", "notice")
    shown = Client().get(path_to(person, MailingList.objects.get(), Purpose.PREFERENCES)).content.decode()
    assert '<input type="hidden" name="beside" value="notice">' in shown


def test_the_page_of_a_person_says_why_they_get_no_newsletters(person: Subscriber) -> None:
    shown = sign_in("data").get(f"/admin/people/{person.pk}/").content.decode()
    assert "did not answer whether they still want mail" in shown


def test_a_reply_on_record_answers_the_question(person: Subscriber) -> None:
    client = sign_in("data")
    page = f"/admin/people/{person.pk}/"
    today = timezone.localdate().isoformat()
    assert "record the reply: it is their answer" in client.get(page).content.decode()
    shown = client.post(f"{page}reply/", {"replied_on": today}, follow=True).content.decode()
    assert "this person still wants our emails" in shown
    assert "record the reply: it is their answer" not in shown
    assert not StayQuestion.objects.open().exists()
    event = ConsentEvent.objects.latest("pk")
    assert (event.kind, event.by, event.data) == ("preferences", "data@example.org", {"stays": True})
    assert "on record already" in client.post(f"{page}reply/", {"replied_on": today}, follow=True).content.decode()
    assert ConsentEvent.objects.latest("pk") == event


def test_staff_record_a_reply_of_anybody_at_any_time() -> None:
    (person,) = add_subscribers(make_publication(), 1)
    client = sign_in("data")
    page = f"/admin/people/{person.pk}/"
    assert "No reply is on record." in client.get(page).content.decode()
    shown = client.post(f"{page}reply/", {"replied_on": "2025-03-31"}, follow=True).content.decode()
    assert "The reply is on record." in shown
    assert "31 Mar 2025" in shown
    assert "data@example.org" in shown
    assert not ConsentEvent.objects.filter(kind="preferences").exists()


@pytest.mark.parametrize("day", ["2999-01-01", "yesterday", ""])
def test_a_day_that_cannot_be_is_refused(person: Subscriber, day: str) -> None:
    shown = sign_in("data").post(f"/admin/people/{person.pk}/reply/", {"replied_on": day}, follow=True).content.decode()
    assert "Nothing was recorded." in shown
    assert not Reply.objects.exists()


def test_staff_count_the_silent_before_they_turn_it_on() -> None:
    people = add_subscribers(make_publication(), 3)
    long_ago = timezone.now() - timedelta(days=500)
    Subscriber.objects.update(created_at=long_ago)
    Subscription.objects.exclude(subscriber=people[0]).update(requested_at=long_ago, confirmed_at=long_ago)
    Subscription.objects.filter(subscriber=people[0]).update(requested_at=timezone.now())
    typed = {"mails_in_7_days": "", "silent_months": "12", "questions_per_day": "500"}
    client = sign_in("admin")
    counted = client.post("/admin/limits/", {**typed, "count": "yes"}).content.decode()
    assert "Silent for 12 months" in counted
    assert "2 people would be asked whether they still want mail." in counted
    assert not MailLimits.objects.exists()
    client.post("/admin/limits/", typed)
    assert MailLimits.objects.get().silent_months == 12
    assert "2 people would be asked" in client.get("/admin/limits/").content.decode()


@pytest.mark.parametrize("months", ["5", "121"])
def test_a_short_or_endless_silence_is_refused(months: str) -> None:
    make_publication()
    typed = {"mails_in_7_days": "", "silent_months": months, "questions_per_day": "500"}
    shown = sign_in("admin").post("/admin/limits/", typed).content.decode()
    assert "Wait at least 6 months" in shown or "less than or equal to 120" in shown
    assert not MailLimits.objects.exists()
