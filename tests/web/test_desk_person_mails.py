"""The page of a person lists the issues that they were sent, when, with what outcome and why."""

import pytest
from django.urls import reverse

from newsletter.models import Batch, Delivery, DeliveryException
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story

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
    return sign_in(role).get(reverse("subscribers_person", args=[person.pk])).content.decode()


def test_a_person_shows_which_issue_they_got_when_and_why(person: Subscriber) -> None:
    page = read_page(person)
    issue = Delivery.objects.get().issue
    assert str(issue) in page
    assert "Accepted by the provider" in page
    assert f"On the list {issue.publication.mailing_list} since" in page


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"bounced_at": NOW}, "Bounced"),
        ({"complained_at": NOW, "bounced_at": NOW}, "Reported as spam"),
        ({"unsubscribed_at": NOW, "complained_at": NOW}, "Unsubscribed by a link of this email"),
        ({"state": "uncertain"}, "Uncertain: no clear answer from the provider"),
        ({"state": "skipped"}, "Not sent: unsubscribed or suppressed just before"),
    ],
)
def test_a_persons_own_outcome_stands_before_that_of_the_batch(
    person: Subscriber, facts: dict[str, object], expected: str
) -> None:
    DeliveryException.objects.create(delivery=Delivery.objects.get(), at=NOW, **facts)
    assert f"<td>{expected}</td>" in read_page(person)


def test_only_staff_who_may_open_issues_get_a_link_to_one(person: Subscriber) -> None:
    link = reverse("newsletter_issue_overview", args=[Delivery.objects.get().issue_id])
    assert f'href="{link}"' not in read_page(person)
    assert f'href="{link}"' in read_page(person, "admin")
