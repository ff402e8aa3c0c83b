"""The uncertain batches of a send in the desk: who is in them, what the provider's log is searched for, and the choices."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.models import Batch, Delivery, DeliveryException, Issue, Publication, Send
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.retention import RETENTION, delete_old_deliveries
from subscribers.models import Subscriber
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story
from tests.support.sends import start_send

pytestmark = pytest.mark.django_db


@pytest.fixture
def uncertain(publication: Publication) -> Batch:
    """An uncertain batch of 12 people, the only one of its send."""
    make_story("The clinic opens its doors")
    add_subscribers(publication, 12)
    send = start_send(issue=make_issue(publication, approved=True), now=timezone.now())
    send.batches.update(state="uncertain", reason="the worker was lost", settled_at=timezone.now(), provider_id="abc-1")
    Send.objects.update(state="needs_attention", reason="for 12 people we do not know")
    return send.batches.select_related("send__issue").get()


def read_overview(issue: Issue, client: Client) -> str:
    return client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()


def post_step(batch: Batch, step: str, client: Client) -> list[str]:
    address = f"/admin/issues/{batch.send.issue_id}/batches/{batch.pk}/{step}/"
    return list_messages(client.post(address, follow=True))


def ask_to_stop(send: Send) -> str:
    return sign_in("approver").get(f"/admin/issues/{send.issue_id}/send/cancel/sure/").content.decode()


def split_batch(batch: Batch, *, people: int, **changes: object) -> Batch:
    """Move some people of the batch to a new batch with these changes, and return it."""
    moved = Batch.objects.create(
        send=batch.send, seq=99, variant=batch.variant, part=9, size=people, key="other", **changes
    )
    rows = Delivery.objects.filter(batch=batch).order_by("-pk")[:people].values_list("pk", flat=True)
    Delivery.objects.filter(pk__in=list(rows)).update(batch=moved)
    Batch.objects.filter(pk=batch.pk).update(size=batch.size - people)
    return moved


def list_linked_people(page: str) -> list[int]:
    return [int(person) for person in re.findall(r'href="/admin/people/(\d+)/">p•••@', page)]


def test_the_page_names_what_a_provider_log_is_searched_for(uncertain: Batch) -> None:
    page = read_overview(uncertain.send.issue, sign_in("admin"))
    people = Subscriber.objects.order_by("pk")
    assert list_linked_people(page) == [person.pk for person in people[:10]]
    assert "and 2 more" in page
    assert "abc-1" in page
    assert uncertain.key in page
    assert all(person.email not in page for person in people)


def test_people_who_certainly_got_no_mail_are_not_named_as_uncertain(uncertain: Batch) -> None:
    first = Delivery.objects.order_by("pk")[0]
    DeliveryException.objects.create(delivery=first, state="skipped", reason="left", at=NOW)
    linked = list_linked_people(read_overview(uncertain.send.issue, sign_in("admin")))
    assert (first.subscriber_id in linked, len(linked)) == (False, 10)


def test_staff_who_may_not_see_people_read_who_can_name_them(uncertain: Batch) -> None:
    page = read_overview(uncertain.send.issue, sign_in("approver"))
    assert list_linked_people(page) == []
    assert "Staff who may see subscribers find some of them here" in page


def test_leaving_a_batch_uncertain_asks_first(uncertain: Batch) -> None:
    client = sign_in("approver")
    address = f"/admin/issues/{uncertain.send.issue_id}/batches/{uncertain.pk}/leave/"
    assert f'href="{address}sure/"' in read_overview(uncertain.send.issue, client)
    question = client.get(f"{address}sure/").content.decode()
    assert "If the provider did not accept these mails, 12 people will miss" in question
    assert f'action="{address}"' in question
    uncertain.refresh_from_db()
    assert uncertain.state == "uncertain"


def test_the_page_says_why_nothing_is_sent_again_after_a_stop(uncertain: Batch) -> None:
    client, why = sign_in("approver"), "The send was stopped permanently, so none of these can be sent again."
    assert why not in read_overview(uncertain.send.issue, client)
    Send.objects.update(state="cancelled")
    assert why in read_overview(uncertain.send.issue, client)


def test_the_reason_follows_each_decision_at_once(uncertain: Batch) -> None:
    other = split_batch(uncertain, people=2, state="uncertain", reason="no answer")
    client = sign_in("approver")
    post_step(other, "leave", client)
    page = read_overview(uncertain.send.issue, client)
    assert "For 10 people we do not know whether the provider accepted the mail." in page
    assert "10 uncertain recipients" in page


def test_the_question_before_a_stop_counts_people_and_not_batches(uncertain: Batch) -> None:
    Batch.objects.update(state="partial")
    for delivery in Delivery.objects.order_by("pk")[:4]:
        DeliveryException.objects.create(delivery=delivery, state="rejected", reason="refused", at=NOW)
    for delivery in Delivery.objects.order_by("pk")[4:7]:
        DeliveryException.objects.create(delivery=delivery, state="uncertain", reason="unknown", at=NOW)
    question = ask_to_stop(uncertain.send)
    assert "Already sent to 5 people." in question
    assert "3 people may have it: the provider gave no clear answer." in question
    assert "You can still mark them as accepted" not in question


def test_the_question_before_a_stop_does_not_say_that_nobody_is_left(uncertain: Batch) -> None:
    assert "Nobody is left to send to." not in ask_to_stop(uncertain.send)
    Batch.objects.update(state="accepted")
    assert "Nobody is left to send to." in ask_to_stop(uncertain.send)


def test_people_of_an_open_call_wait_for_the_providers_answer(uncertain: Batch) -> None:
    Batch.objects.update(state="pending")
    split_batch(uncertain, people=5, state="submitting", handed_to="default", account="default")
    Send.objects.update(state="paused", reason="")
    receipt = make_receipt(uncertain.send)
    assert (receipt.deliveries["pending"], receipt.unanswered) == (12, 5)
    page = read_overview(uncertain.send.issue, sign_in("approver"))
    assert '<td>5</td><th scope="row">waiting for the provider’s answer</th>' in page
    assert '<td>7</td><th scope="row">still to send</th>' in page
    question = ask_to_stop(uncertain.send)
    assert "5 people may still get it: we wait for the provider’s answer." in question
    assert "Will not be sent to 7 people." in question


def test_a_silent_provider_is_not_taken_for_a_stopped_worker(uncertain: Batch) -> None:
    Batch.objects.update(state="pending")
    split_batch(uncertain, people=5, state="submitting", handed_to="default", account="default")
    Send.objects.update(state="submitting", reason="", started_at=timezone.now() - RETENTION)
    told = sign_in("approver").get(f"/admin/issues/{uncertain.send.issue_id}/send/progress/").json()
    assert told["note"] == "Waiting for the provider’s answer for 5 people."


def test_nothing_is_decided_once_the_recipients_are_deleted(uncertain: Batch) -> None:
    ended_at = timezone.now() - RETENTION * 2
    Send.objects.update(state="cancelled", ended_at=ended_at)
    client = sign_in("approver")
    delete_old_deliveries(now=timezone.now())
    assert "uncertain recipients</h3>" not in " ".join(read_overview(uncertain.send.issue, client).split())
    assert "its delivery summary is final. Nothing was changed." in post_step(uncertain, "took", client)[-1]
    uncertain.refresh_from_db()
    assert uncertain.state == "uncertain"
