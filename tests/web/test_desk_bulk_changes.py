"""Changing many people at once: the number is shown and confirmed first, and each change leaves its record."""

import lxml.html
import pytest
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from subscribers.models import ConsentEvent, EndReason, ExportRequest, ImportBatch, MailingList, Subscriber, Topic
from subscribers.segments.attributes import read_attributes
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.desk import PASSWORD, list_messages, sign_in
from tests.support.people import make_list, make_member, subscribe

pytestmark = pytest.mark.django_db
ALL = "/admin/people/change/?q=harbour.org"


@pytest.fixture
def weekly() -> MailingList:
    weekly = make_list()
    for number in range(3):
        make_member(weekly, f"reader{number}@harbour.org")
    make_member(weekly, "other@meadow.org")
    return weekly


@pytest.fixture
def rights() -> Topic:
    return Topic.objects.create(slug="rights", name="Rights")


def change(
    client: Client, name: str, *, people: int = 3, path: str = ALL, sure: bool = True, **fields: object
) -> object:
    given = {f"{name}-{key}": value for key, value in fields.items()}
    confirmed = {"sure": "1"} if sure else {}
    return client.post(path, {"change": name, "people": str(people), **given, **confirmed}, follow=True)


def readers() -> list[Subscriber]:
    return list(Subscriber.objects.filter(email__endswith="@harbour.org").order_by("email"))


def test_the_page_shows_the_number_of_people_first(weekly: MailingList) -> None:
    client = sign_in("data")
    assert ALL in client.get("/admin/people/?q=harbour.org").content.decode()
    page = client.get(ALL).content.decode()
    assert "3 people" in page
    assert "found for “harbour.org”" in page


def test_ticked_people_are_the_only_ones_changed(weekly: MailingList) -> None:
    chosen = readers()[:2]
    path = "/admin/people/change/?" + "&".join(f"person={person.pk}" for person in chosen)
    change(sign_in("data"), "end", people=2, path=path, mailing_list=weekly.pk)
    on_list = Subscriber.objects.filter(subscriptions__ended_at__isnull=True).values_list("email", flat=True)
    assert set(on_list) == {"reader2@harbour.org", "other@meadow.org"}


def test_nothing_changes_if_the_number_has_changed(weekly: MailingList, rights: Topic) -> None:
    answer = change(sign_in("data"), "end", people=2, mailing_list=weekly.pk)
    assert "Nothing was changed" in list_messages(answer)[0]
    assert not weekly.subscriptions.filter(ended_at__isnull=False).exists()


def test_typed_text_stays_if_the_number_has_changed(weekly: MailingList) -> None:
    fields = {"mailing_list": weekly.pk, "why": "consent", "evidence": "The sheet of the spring fair"}
    page = change(sign_in("data"), "join", people=2, **fields).content.decode()  # type: ignore[attr-defined]
    assert "The sheet of the spring fair</textarea>" in page
    page = change(
        sign_in("data", email="other@example.org"), "export", people=2, reason="For the audit"
    ).content.decode()  # type: ignore[attr-defined]
    assert 'value="For the audit"' in page


def test_a_topic_is_added_only_to_people_who_chose_topics(weekly: MailingList, rights: Topic) -> None:
    health = Topic.objects.create(slug="health", name="Health")
    chooser = readers()[0]
    chooser.topics.add(health)
    answer = change(sign_in("data"), "add-topic", topic=rights.pk)
    assert list_messages(answer) == ["1 of 3 people changed."]
    assert set(chooser.topics.all()) == {rights, health}
    assert not readers()[1].topics.exists()


def test_a_persons_only_topic_is_not_removed(weekly: MailingList, rights: Topic) -> None:
    health = Topic.objects.create(slug="health", name="Health")
    first, second = readers()[:2]
    first.topics.add(rights, health)
    second.topics.add(rights)
    change(sign_in("data"), "remove-topic", topic=rights.pk)
    assert (list(first.topics.all()), list(second.topics.all())) == ([health], [rights])


def test_people_put_on_a_list_have_proof_and_suppressed_ones_stay_out(weekly: MailingList) -> None:
    monthly = make_list("monthly")
    gone = readers()[0]
    subscribe(gone, monthly)
    unsubscribe_from_list(subscriber=gone, mailing_list=monthly, now=timezone.now())
    answer = change(
        sign_in("data"), "join", mailing_list=monthly.pk, why="consent", evidence="Sheet of the spring fair"
    )
    assert list_messages(answer) == ["2 of 3 people changed."]
    joined = monthly.subscriptions.filter(ended_at__isnull=True)
    assert {one.evidence for one in joined} == {"Sheet of the spring fair"}
    assert gone.pk not in joined.values_list("subscriber", flat=True)
    assert ImportBatch.objects.get().mailing_list == monthly


def test_people_whose_consent_is_unknown_are_asked_by_mail(weekly: MailingList) -> None:
    monthly = make_list("monthly")
    change(sign_in("data"), "join", mailing_list=monthly.pk, why="ask", evidence="Asked at the fair")
    assert monthly.subscriptions.count() == 3
    assert not monthly.subscriptions.mailable().exists()


def test_taking_people_off_a_list_asks_first_and_counts_those_on_it(weekly: MailingList) -> None:
    weekly.subscriptions.filter(subscriber=readers()[0]).update(ended_at=timezone.now(), end_reason="unsubscribe")
    client = sign_in("data")
    page = change(client, "end", sure=False, mailing_list=weekly.pk).content.decode()  # type: ignore[attr-defined]
    assert f"Take 2 people off “{weekly}”?" in page
    assert "You cannot undo it." in page
    assert not weekly.subscriptions.filter(end_reason="staff").exists()
    fields = dict(lxml.html.fromstring(page).xpath("//section[contains(@class, 'nl-decide')]//form")[0].form_values())
    assert list_messages(client.post(ALL, fields, follow=True)) == ["2 of 3 people changed."]
    assert weekly.subscriptions.filter(end_reason="staff").count() == 2


def test_people_taken_off_a_list_have_it_on_record(weekly: MailingList) -> None:
    change(sign_in("data"), "end", mailing_list=weekly.pk)
    ended = weekly.subscriptions.filter(ended_at__isnull=False)
    assert {one.end_reason for one in ended} == {EndReason.STAFF}
    events = ConsentEvent.objects.filter(kind=ConsentEvent.Kind.ENDED)
    assert [event.by for event in events] == ["data@example.org"] * 3
    entry = ModelLogEntry.objects.get(action="subscribers.bulk")
    assert entry.data == {"change": "end", "people": 3, "changed": 3, "mailing_list": "weekly"}


def test_an_attribute_is_set_and_an_empty_value_removes_it(weekly: MailingList) -> None:
    client = sign_in("data")
    change(client, "attribute", key="Branch", value="North")
    assert [read_attributes(person) for person in readers()] == [{"branch": "North"}] * 3
    change(client, "attribute", key="branch", value="")
    assert [read_attributes(person) for person in readers()] == [{}] * 3
    assert "needs a letter" in list_messages(change(client, "attribute", key="?!", value="x"))[0]


def test_an_export_of_chosen_people_holds_only_them(weekly: MailingList) -> None:
    answer = sign_in("data").post(
        ALL, {"change": "export", "people": "3", "export-reason": "Print", "export-password": PASSWORD}
    )
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [person.email for person in readers()]


def test_an_export_of_many_chosen_people_needs_a_second_person(
    weekly: MailingList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscribers.exporting.export_requests.MAX_PEOPLE_WITHOUT_APPROVAL", 2)
    answer = sign_in("data").post(
        ALL, {"change": "export", "people": "3", "export-reason": "Print", "export-password": PASSWORD}
    )
    asked = ExportRequest.objects.get()
    assert answer.status_code == 302
    assert (asked.people_when_asked, asked.without_approval, len(asked.person_ids)) == (3, False, 3)
