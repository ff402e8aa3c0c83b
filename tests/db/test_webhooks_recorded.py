"""Events for other systems are recorded in the transaction of the fact, with their actor and without an address."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from newsletter.api_keys import make_key
from newsletter.feedback.gifts import ReportedGift, record_gifts
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.hold import hold_issue
from newsletter.models import Publication, Send
from newsletter.organisation.accounts.staff import add_staff
from newsletter.outbound.endpoints import turn_off
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.sweep import finish_sends
from newsletter.sending.withdraw_story import withdraw_story
from subscribers.consent.signup import SignupRequest, request_subscription
from subscribers.erasing.erasure import erase_person
from subscribers.models import EventKind, OutboundEvent, Reason, WebhookDelivery, WebhookEndpoint
from subscribers.outbound_events import IMPORT, acting_through
from subscribers.people.bulk_actions import take_off_list
from subscribers.people.merge import merge_people
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.fixtures import add_subscribers, make_approver, make_issue, make_story
from tests.support.people import NOW, make_list, make_member
from tests.support.webhooks import make_endpoint

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def kinds() -> list[str]:
    return list(OutboundEvent.objects.order_by("pk").values_list("kind", flat=True))


def make_editor() -> User:
    add_staff(email="editor@example.org", role="editor", password="a quiet harbour at dawn")
    return User.objects.get(username="editor@example.org")


def test_without_a_webhook_nothing_is_recorded() -> None:
    weekly = make_list()
    unsubscribe_from_list(subscriber=make_member(weekly), mailing_list=weekly, now=NOW)
    assert not OutboundEvent.objects.exists()


def test_an_unsubscribe_is_recorded_once_with_its_list() -> None:
    make_endpoint()
    weekly = make_list()
    ada = make_member(weekly)
    for _ in range(2):
        unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW)
    event = OutboundEvent.objects.get()
    assert (event.kind, event.person, event.data) == ("person.unsubscribed", ada.pk, {"list": "weekly"})
    assert event.origin == "self"
    assert event.deliveries.get().state == "pending"


def test_a_fact_that_is_rolled_back_is_not_reported() -> None:
    make_endpoint()
    weekly = make_list()
    ada = make_member(weekly)
    with transaction.atomic():
        unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW)
        assert OutboundEvent.objects.exists()
        transaction.set_rollback(True)
    assert not OutboundEvent.objects.exists()


def test_a_fact_is_undone_if_it_cannot_be_recorded() -> None:
    make_endpoint()
    weekly = make_list()
    ada = make_member(weekly)
    with (
        patch("subscribers.unsubscribing.bulk_unsubscribe.record_person_events", side_effect=RuntimeError),
        pytest.raises(RuntimeError),
    ):
        unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW)
    assert unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW)


def test_each_change_of_a_person_has_its_kind() -> None:
    make_endpoint()
    weekly = make_list()
    request_subscription(
        SignupRequest(email="new@example.org", mailing_list=weekly, wording="Send me it.", source="page"), now=NOW
    )
    ada, bea, cleo = (make_member(weekly, f"{name}@example.org") for name in ("ada", "bea", "cleo"))
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.COMPLAINT, now=NOW)
    suppress(address_hash=bytes(bea.address_hash), reason=Reason.HARD, now=NOW)
    take_off_list(people=[cleo.pk], mailing_list=weekly, by="staff", now=NOW)
    absorbed = bea.pk
    merge_people(keep=ada, absorb=bea, now=NOW)
    unsubscribe_from_all(subscriber=cleo, now=NOW)
    gone = cleo.pk
    erase_person(subscriber=cleo, by="staff", now=NOW)
    assert kinds() == [
        "person.signed_up",
        "person.complained",
        "person.bounced",
        "person.subscription_ended",
        "person.merged",
        "person.unsubscribed_from_all",
        "person.erased",
    ]
    assert OutboundEvent.objects.get(kind="person.erased").person == gone
    assert OutboundEvent.objects.get(kind="person.merged").data == {"absorbed": absorbed}
    assert "@" not in str(list(OutboundEvent.objects.values()))


def test_joining_without_confirming_is_reported_as_confirmed() -> None:
    make_endpoint()
    plain = make_list("plain", double_opt_in=False)
    request_subscription(
        SignupRequest(email="new@example.org", mailing_list=plain, wording="Send me it.", source="page"), now=NOW
    )
    assert kinds() == ["person.confirmed"]


def test_waiting_events_of_a_merged_person_move_to_the_other() -> None:
    make_endpoint()
    weekly = make_list()
    ada, bea = make_member(weekly), make_member(weekly, "bea@example.org")
    unsubscribe_from_list(subscriber=bea, mailing_list=weekly, now=NOW)
    merge_people(keep=ada, absorb=bea, now=NOW)
    assert set(WebhookDelivery.objects.values_list("person", flat=True)) == {ada.pk}


def test_an_origin_says_which_entrance_a_change_took() -> None:
    make_endpoint()
    weekly = make_list()
    ada, bea = make_member(weekly), make_member(weekly, "bea@example.org")
    with acting_through(IMPORT):
        unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW)
    take_off_list(people=[bea.pk], mailing_list=weekly, by="the system", now=NOW)
    assert list(OutboundEvent.objects.order_by("pk").values_list("origin", flat=True)) == ["import", "system"]


def test_a_change_by_the_api_names_its_key(client) -> None:
    make_endpoint()
    make_member(make_list())
    _, text = make_key(name="Donor database", scope="people", by="admin", now=NOW + timedelta(days=1), days=0)
    for path, body in (
        ("stop", {"email": "ada@example.org", "list": "weekly"}),
        ("stop", {"email": "ada@example.org"}),
    ):
        answer = client.post(
            f"/api/v1/people/{path}", body, content_type="application/json", headers={"Authorization": f"Bearer {text}"}
        )
        assert answer.json() == {"changed": True}
    assert set(OutboundEvent.objects.values_list("origin", flat=True)) == {"api:Donor database"}


def test_an_endpoint_gets_only_the_events_it_chose() -> None:
    some = make_endpoint(name="some", kinds=[EventKind.PERSON_ERASED])
    everything = make_endpoint(name="everything")
    off = make_endpoint(name="off")
    turn_off(endpoint=off)
    weekly = make_list()
    unsubscribe_from_list(subscriber=make_member(weekly), mailing_list=weekly, now=NOW)
    assert [delivery.endpoint for delivery in WebhookDelivery.objects.all()] == [everything]
    erase_person(subscriber=make_member(weekly, "bea@example.org"), by="staff", now=NOW)
    assert some.deliveries.count() == 1
    assert everything.deliveries.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_issue_is_reported_from_its_draft_to_its_receipt(publication: Publication) -> None:
    make_endpoint()
    story = make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    hold_issue(issue=issue, reason="a check")
    issue.held = False
    issue.save()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = start_send(issue=issue, now=NOW)
    send.batches.update(state="accepted", settled_at=NOW)
    finish_sends(now=NOW)
    assert kinds() == ["issue.assembled", "issue.held", "issue.approved", "issue.sent", "send.finished"]
    finished = OutboundEvent.objects.get(kind="send.finished").data
    assert finished["issue"]["reference"] == "weekly/1"
    assert finished["send"] == {"id": Send.objects.get().pk, "state": "submitted"}
    assert finished["receipt"]["deliveries"]["accepted"] == 2
    gift = ReportedGift(reference="G1", amount=10, currency="GBP", given_on=NOW.date(), campaign="weekly-1")
    record_gifts([gift, gift], by="api", now=NOW)
    record_gifts([gift], by="api", now=NOW)
    withdraw_story(
        story=story,
        by=make_editor(),
        reason="asked",
        now=NOW,
    )
    assert kinds()[5:] == ["gift.matched", "story.withdrawn"]
    assert "clinic" not in str(list(OutboundEvent.objects.values()))


def test_a_secret_and_a_state_hold_in_the_database() -> None:
    endpoint = make_endpoint()
    for bad in (
        {"state": "dead"},
        {"state": "stopped"},
        {"sealed_secret": ""},
        {"old_secret_until": NOW},
        {"failures": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**bad)
