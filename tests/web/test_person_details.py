"""Staff change the choices of a person who asks them to."""

from datetime import timedelta

import lxml.html
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from subscribers.models import (
    ConsentEvent,
    EndReason,
    Frequency,
    Giving,
    MailingList,
    StayQuestion,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people.locations import get_location_row, locate
from subscribers.people.preferences import pause_mail, paused_until, save_preferences
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import make_publication
from tests.support.people import NOW, make_list, make_member, make_topic

pytestmark = pytest.mark.django_db
Typed = dict[str, str | list[str]]


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


@pytest.fixture
def ann(weekly: MailingList) -> Subscriber:
    make_publication()
    person = make_member(weekly, "ann@example.org", place=get_location_row(locate(town="Leeds", country="GB")))
    person.topics.add(make_topic("prisons"), make_topic("courts"))
    return person


def details_path(person: Subscriber) -> str:
    return reverse("subscribers_details", args=[person.pk])


def open_form(client: Client, person: Subscriber) -> Typed:
    """Return what a browser would post if nobody changed anything."""
    page = lxml.html.fromstring(client.get(details_path(person)).content.decode())
    form = next(form for form in page.forms if "initial-town" in form.fields)
    values: dict[str, list[str]] = {}
    for name, value in form.form_values():
        values.setdefault(name, []).append(value)
    return dict(values)


def save(client: Client, person: Subscriber, shown: Typed, **typed: str | list[str]) -> list[str]:
    return list_messages(client.post(details_path(person), {**shown, **typed}, follow=True))


def list_recorded(person: Subscriber) -> list[dict[str, object]]:
    return [event.data for event in ConsentEvent.objects.filter(subscriber=person).exclude(by="").order_by("pk")]


def test_staff_change_the_town_of_a_person(ann: Subscriber) -> None:
    client = sign_in("data")
    messages = save(client, ann, open_form(client, ann), town="York, England")
    ann.refresh_from_db()
    assert str(ann.place) == "York, England, United Kingdom"
    assert messages == ["The details are saved. They apply from the next issue."]
    assert len(list_recorded(ann)) == 1


def test_staff_change_how_often_a_list_mails_a_person(ann: Subscriber) -> None:
    client = sign_in("data")
    often = f"often_{Subscription.objects.get().mailing_list_id}"
    save(client, ann, open_form(client, ann), **{often: "events"})
    assert Subscription.objects.get().frequency == Frequency.EVENTS
    assert list_recorded(ann) == [{"frequency": {"weekly": "events"}}]


def test_staff_pause_the_mail_of_a_person_and_end_the_pause(ann: Subscriber) -> None:
    client = sign_in("data")
    save(client, ann, open_form(client, ann), pause="30")
    until = paused_until(ann, now=timezone.now())
    assert until is not None
    assert until - timezone.now() > timedelta(days=29)
    save(client, ann, open_form(client, ann), pause="0")
    assert paused_until(ann, now=timezone.now()) is None


def test_staff_change_topics_language_distance_and_giving(ann: Subscriber) -> None:
    client, wanted = sign_in("data"), make_topic("asylum")
    save(client, ann, open_form(client, ann), topics=[str(wanted.pk)], language="es", radius="150", giving="monthly")
    ann.refresh_from_db()
    assert (list(ann.topics.all()), ann.language, ann.radius_km, ann.giving) == ([wanted], "es", 150, Giving.MONTHLY)


def test_saving_the_details_unchanged_records_nothing(ann: Subscriber) -> None:
    client = sign_in("data")
    assert save(client, ann, open_form(client, ann)) == ["Nothing was changed."]
    assert list_recorded(ann) == []


def test_what_a_person_changed_meanwhile_stays(ann: Subscriber) -> None:
    client = sign_in("data")
    shown = open_form(client, ann)
    save_preferences(subscriber=ann, topics=[], language="de", place=None, radius_km=25, now=NOW)
    save(client, ann, shown, giving="donor")
    ann.refresh_from_db()
    assert (list(ann.topics.all()), ann.language, ann.place, ann.radius_km, ann.giving) == ([], "de", None, 25, "donor")


def test_staff_choose_between_towns_of_one_name(ann: Subscriber) -> None:
    client = sign_in("data")
    shown = open_form(client, ann)
    refused = client.post(details_path(ann), {**shown, "town": "Springfield"})
    assert refused.status_code == 400
    assert "There are several towns called “Springfield”" in refused.content.decode()
    page = lxml.html.fromstring(refused.content.decode())
    choices = page.xpath("//input[@name='meant']/@value")
    assert len(choices) > 1
    assert page.xpath("//input[@name='town']/@value") == ["Springfield"]
    save(client, ann, shown, town="Springfield", meant=choices[0])
    ann.refresh_from_db()
    assert str(ann.place).startswith("Springfield")


def test_an_unknown_town_changes_nothing_and_stays_in_the_form(ann: Subscriber) -> None:
    client = sign_in("data")
    refused = client.post(details_path(ann), {**open_form(client, ann), "town": "Nowhereville", "giving": "donor"})
    assert "We do not know a town called “Nowhereville”" in refused.content.decode()
    ann.refresh_from_db()
    assert (str(ann.place), ann.giving) == ("Leeds, England, United Kingdom", Giving.NONE)


def test_a_change_by_staff_is_no_answer_to_the_stay_question(ann: Subscriber, weekly: MailingList) -> None:
    StayQuestion.objects.create(subscriber=ann, mailing_list=weekly, asked_at=NOW)
    client = sign_in("data")
    save(client, ann, open_form(client, ann), language="es")
    assert StayQuestion.objects.open().exists()


def test_a_person_on_no_list_has_no_pause_and_no_frequency(ann: Subscriber) -> None:
    Subscription.objects.update(ended_at=NOW, end_reason="unsubscribe")
    assert {"pause", f"often_{Subscription.objects.get().mailing_list_id}"}.isdisjoint(open_form(sign_in("data"), ann))


def test_a_page_of_a_person_who_was_deleted_says_so(ann: Subscriber) -> None:
    client = sign_in("data")
    shown, path = open_form(client, ann), details_path(ann)
    Subscription.objects.all().delete()
    Subscriber.objects.all().delete()
    answer = client.post(path, shown, follow=True)
    assert "was deleted or merged with another one meanwhile" in list_messages(answer)[0]


def test_a_pause_that_runs_is_named_and_kept(ann: Subscriber) -> None:
    until = pause_mail(subscriber=ann, days=90, now=timezone.now())
    client = sign_in("data")
    shown = open_form(client, ann)
    assert shown["pause"] == ["keep"]
    save(client, ann, shown, language="es")
    assert paused_until(ann, now=timezone.now()) == until


def test_a_field_that_is_not_posted_keeps_its_value(ann: Subscriber) -> None:
    assert save(sign_in("data"), ann, {}) == ["Nothing was changed."]
    assert list_recorded(ann) == []


def test_staff_take_a_person_off_a_list_who_may_sign_up_again(ann: Subscriber, weekly: MailingList) -> None:
    client = sign_in("data")
    save(client, ann, open_form(client, ann), **{f"often_{weekly.pk}": "off"})
    assert Subscription.objects.get().end_reason == EndReason.STAFF
    assert not Suppression.objects.exists()
