"""The desk shows whom the provider refused, by reason, and tries again for those whose cause is gone."""

from typing import Any

import pytest

from newsletter.models import Delivery, DeliveryException, Publication, Send
from newsletter.sending.settling.retry_refused import list_refusals
from subscribers.models import Subscriber, Subscription
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story
from tests.support.sends import start_send

pytestmark = pytest.mark.django_db


def test_the_page_groups_those_refused_and_tries_them_again(publication: Publication) -> None:
    send = refused_send(publication, {"The account is suspended.": 2, "The domain is not verified.": 1})
    approver = sign_in("approver")
    page = " ".join(approver.get(f"/admin/issues/{send.issue_id}/overview/").content.decode().split())
    assert "The provider refused the mail of 3 people. They did not get it." in page
    assert "<strong>2 people</strong>: The account is suspended." in page
    retry = f"/admin/issues/{send.issue_id}/send/retry/"
    assert retry in page
    assert "Tick at least one reason." in approver.post(retry, {}).content.decode()
    common = list_refusals(send)[0]
    assert list_messages(approver.post(retry, {"reasons": [common.key]}, follow=True)) == [
        "Trying again for 2 people. This page shows the progress."
    ]
    send.refresh_from_db()
    assert (send.state, send.batches.filter(state="pending").count()) == ("submitting", 1)
    refused = approver.post(retry, {"reasons": [common.key]}).content.decode()
    assert "Select a valid choice" in refused or "Wait until it ends" in refused


def test_a_writer_sees_those_refused_and_cannot_try_again(publication: Publication) -> None:
    send = refused_send(publication, {"The account is suspended.": 1})
    writer = sign_in("writer")
    page = writer.get(f"/admin/issues/{send.issue_id}/overview/").content.decode()
    assert "The account is suspended." in page
    assert "/send/retry/" not in page
    assert writer.get(f"/admin/issues/{send.issue_id}/send/retry/").status_code == 302


def test_the_page_names_the_refused_masked_with_a_link(publication: Publication) -> None:
    send = refused_send(publication, {"The mailbox does not exist.": 1, "The account is suspended.": 2})
    people = Subscriber.objects.in_bulk(
        DeliveryException.objects.values_list("delivery__subscriber_id", flat=True)
    ).values()
    page = sign_in("admin").get(f"/admin/issues/{send.issue_id}/overview/").content.decode()
    for person in people:
        assert f'<a href="/admin/people/{person.pk}/">p•••@e•••.com</a>' in page
        assert person.email not in page
    page = sign_in("writer").get(f"/admin/issues/{send.issue_id}/overview/").content.decode()
    assert "p•••@e•••.com" in page
    assert f"/admin/people/{person.pk}/" not in page


def test_a_retry_that_can_reach_nobody_is_not_offered(publication: Publication) -> None:
    send = refused_send(publication, {"The mailbox does not exist.": 1, "The account is suspended.": 1})
    approver = sign_in("approver")
    overview, retry = f"/admin/issues/{send.issue_id}/overview/", f"/admin/issues/{send.issue_id}/send/retry/"
    gone, other = DeliveryException.objects.order_by("pk").values_list("delivery__subscriber_id", flat=True)
    Subscription.objects.filter(subscriber=gone).update(ended_at=NOW, end_reason="unsubscribe")
    assert retry in approver.get(overview).content.decode()
    page = approver.get(retry).content.decode()
    assert "The account is suspended." in page
    assert "The mailbox does not exist." not in page
    Subscriber.objects.filter(pk=other).update(email="no address")
    page = approver.get(overview).content.decode()
    assert retry not in page
    assert "Trying again cannot reach anybody." in page


@pytest.mark.parametrize(
    ("url", "is_offered"),
    [("mailgun://a-key@news.example.org", False), ("smtps://user:secret@mail.example.org", True)],
)
def test_a_retry_needs_an_address_that_the_provider_takes(
    publication: Publication, settings: Any, url: str, *, is_offered: bool
) -> None:
    send = refused_send(publication, {"It is not a plain email address.": 1})
    person = DeliveryException.objects.get().delivery.subscriber_id
    Subscriber.objects.filter(pk=person).update(email="josé@example.org")
    settings.NEWSLETTER_PROVIDER_URL = url
    page = sign_in("approver").get(f"/admin/issues/{send.issue_id}/overview/").content.decode()
    assert (f"/admin/issues/{send.issue_id}/send/retry/" in page) == is_offered


def refused_send(publication: Publication, reasons: dict[str, int]) -> Send:
    """Return an ended send of five people, of whom so many were refused, by reason."""
    make_story("The first verdict", published_at=NOW)
    add_subscribers(publication, 5)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    send.batches.update(state="partial", settled_at=NOW)
    Send.objects.filter(pk=send.pk).update(state="submitted", ended_at=NOW)
    deliveries = iter(Delivery.objects.filter(batch__send=send).order_by("pk"))
    for reason, people in reasons.items():
        for _ in range(people):
            DeliveryException.objects.create(delivery=next(deliveries), state="rejected", reason=reason, at=NOW)
    send.refresh_from_db()
    return send
