"""A reader's page may be older than the choices on it. No choice that staff removed since stops a form without a word."""

import pytest
from django.test import Client

from subscribers.links.signed_links import Purpose
from subscribers.models import Frequency, MailingList, Segment, Subscriber, Subscription, Topic
from tests.support.api import call, create_key
from tests.support.people import make_list, make_member, make_topic, path_to
from tests.support.signup import join

pytestmark = pytest.mark.django_db
GONE = "A choice that you made is no longer offered, so nothing was saved. Check your choices below and save again."


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


@pytest.fixture
def topics() -> list[Topic]:
    """A topic that there still is, and one that staff have deleted."""
    topics = [make_topic(slug, slug.title()) for slug in ("law", "water", "schools")]
    Topic.objects.filter(slug="schools").delete()
    return topics


def test_a_sign_up_keeps_the_topics_that_there_still_are(
    client: Client, weekly: MailingList, topics: list[Topic]
) -> None:
    answer = join(client, weekly, name="Ada", topics=[topic.pk for topic in topics[1:]])
    assert answer.status_code == 200
    assert list(Subscriber.objects.get().topics.all()) == [topics[1]]


def test_a_sign_up_in_a_language_that_is_gone_goes_by_the_page(client: Client, weekly: MailingList) -> None:
    Segment.objects.create(slug="spanish", name="Spanish", rule={"language": "es"})
    MailingList.objects.update(ask_language=True)
    answer = join(client, weekly, language="tlh", headers={"accept-language": "es"})
    assert answer.status_code == 200
    assert Subscriber.objects.get().language == "es"


def test_a_form_on_another_site_shows_the_topics_that_there_are(
    client: Client, weekly: MailingList, topics: list[Topic]
) -> None:
    typed = {"email": "ada@example.org", "name": "Ada", "topics": [topic.pk for topic in topics[1:]]}
    answer = client.post("/join/weekly", typed)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Almost done. Please check your details" in page
    assert f'value="{topics[1].pk}" checked' in " ".join(page.split())
    assert f'value="{topics[0].pk}" checked' not in " ".join(page.split())


def test_a_sign_up_by_the_api_keeps_the_topics_that_there_still_are(weekly: MailingList, topics: list[Topic]) -> None:
    Segment.objects.create(slug="spanish", name="Spanish", rule={"language": "es"})
    MailingList.objects.update(ask_language=True)
    key = create_key("website")
    wording = call("get", "sign-up-forms/weekly", key=key).json()["wording"]
    filled = {"email": "ada@example.org", "wording": wording, "visitor": "203.0.113.7", "language": "tlh"}
    answer = call("post", "sign-up-forms/weekly", {**filled, "topics": ["water", "schools"]}, key=key).json()
    assert (answer["accepted"], answer["errors"]) == (True, [])
    assert list(Subscriber.objects.get().topics.all()) == [topics[1]]


def test_the_preferences_keep_the_topics_that_there_still_are(
    client: Client, weekly: MailingList, topics: list[Topic]
) -> None:
    ada = make_member(weekly)
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    answer = client.post(page, {"lists": [weekly.pk], "topics": [topic.pk for topic in topics[1:]]})
    assert answer.status_code == 200
    assert list(ada.topics.all()) == [topics[1]]


def test_the_preferences_say_that_a_list_is_no_longer_offered(client: Client, weekly: MailingList) -> None:
    ada = make_member(weekly)
    events = make_list("events", name="Events")
    typed = {"lists": [weekly.pk, events.pk], "town": "Leeds, GB", "language": "fr"}
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    MailingList.objects.filter(pk=events.pk).update(public=False)
    answer = client.post(page, typed)
    assert answer.status_code == 400
    text = answer.content.decode()
    assert GONE in " ".join(text.split())
    assert "Correct the fields with an error" not in text
    assert 'value="Leeds, GB"' in text
    assert client.post(page, {**typed, "lists": [weekly.pk]}).status_code == 200
    ada.refresh_from_db()
    assert (str(ada.place), ada.language) == ("Leeds, England, United Kingdom", "fr")


@pytest.mark.parametrize(("field", "value"), [("radius", "77"), ("language", "tlh"), ("pause", "9"), ("often", "gone")])
def test_the_preferences_say_that_another_choice_is_gone(
    client: Client, weekly: MailingList, field: str, value: str
) -> None:
    ada = make_member(weekly)
    name = f"often_{weekly.pk}" if field == "often" else field
    answer = client.post(path_to(ada, weekly, Purpose.PREFERENCES), {"lists": [weekly.pk], name: value})
    assert answer.status_code == 400
    assert GONE in " ".join(answer.content.decode().split())
    assert Subscription.objects.get().frequency == Frequency.EVERY
