"""The page of a person lists the issues that they were sent, when, with what outcome and why."""

import pytest
from django.urls import reverse
from wagtail.users.models import UserProfile

from newsletter.models import Batch, Delivery, DeliveryException, Send
from subscribers.models import Subscriber
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.page_html import compact_html
from tests.support.people import make_list, make_member
from tests.support.sends import start_send

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Subscriber:
    publication = make_publication()
    make_story("The first verdict")
    (person,) = add_subscribers(publication, 1)
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    Batch.objects.update(state=Batch.State.ACCEPTED, settled_at=NOW)
    return person


def read_page(person: Subscriber, role: str = "data") -> str:
    return compact_html(sign_in(role).get(reverse("subscribers_person", args=[person.pk])).content.decode())


@pytest.mark.parametrize(
    ("provider", "outcome"), [("mailgun", "Accepted by the provider"), ("outbox", "Written to a file; not sent")]
)
def test_a_person_shows_which_issue_they_got_when_and_why(person: Subscriber, provider: str, outcome: str) -> None:
    Send.objects.update(provider=provider)
    page = read_page(person)
    issue = Delivery.objects.get().issue
    assert str(issue) in page
    assert outcome in page
    assert f"On the list {issue.publication.mailing_list} since" in page


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"bounced_at": NOW}, "Bounced"),
        ({"complained_at": NOW, "bounced_at": NOW}, "Reported as spam"),
        ({"unsubscribed_at": NOW, "complained_at": NOW}, "Unsubscribed by a link of this email"),
        ({"state": "uncertain"}, "Uncertain: no clear answer from the provider"),
        ({"state": "skipped"}, "Not sent: unsubscribed, paused or suppressed just before"),
    ],
)
def test_a_persons_own_outcome_overrides_that_of_the_batch(
    person: Subscriber, facts: dict[str, object], expected: str
) -> None:
    DeliveryException.objects.create(delivery=Delivery.objects.get(), at=NOW, **facts)
    assert f">{expected}<" in read_page(person)


def test_only_staff_who_may_open_issues_get_a_link_to_one(person: Subscriber) -> None:
    link = reverse("newsletter_issue_overview", args=[Delivery.objects.get().issue_id])
    assert f'href="{link}"' not in read_page(person)
    assert f'href="{link}"' in read_page(person, "admin")


def test_the_version_of_a_mail_is_in_the_language_of_who_reads_it(person: Subscriber) -> None:
    client = sign_in("data")
    page = reverse("subscribers_person", args=[person.pk])
    assert "The same for everybody" in client.get(page).content.decode()
    UserProfile.objects.update_or_create(user_id=client.session["_auth_user_id"], defaults={"preferred_language": "es"})
    assert "Lo mismo para todo el mundo" in client.get(page).content.decode()


def test_staff_correct_a_name_and_the_person_is_found_by_it() -> None:
    client = sign_in("data")
    person = make_member(make_list())
    page = f"/admin/people/{person.pk}/"
    assert f'action="{page}name/"' in client.get(page).content.decode()
    shown = client.post(f"{page}name/", {"name": "  Zoë\tQuill "}, follow=True).content.decode()
    assert "The name is saved." in shown
    person.refresh_from_db()
    assert person.name == "Zoë Quill"
    assert "Zoë Quill" in client.get("/admin/people/", {"q": "zoe quill"}).content.decode()
    sign_in("approver").post(f"{page}name/", {"name": "x"})
    assert Subscriber.objects.get().name == "Zoë Quill"
