"""A mail that the provider did not send because of its own list suppresses people, and pauses no send."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.feedback.apply import apply_due_events
from newsletter.feedback.automatic_pause import count_problems
from newsletter.feedback.receive import store_feedback
from newsletter.models import Batch, Delivery, DeliveryException, ProviderEvent, Send
from newsletter.models.feedback import Bounce
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.providers.sendgrid.webhooks import SENDGRID
from newsletter.sending.settling.receipt import make_receipt
from subscribers.identity import identify
from subscribers.models import MailingList, Reason, Subscription, Suppression
from subscribers.unsubscribing.suppression import remove_suppression, suppress
from tests.support.feedback_reports import (
    LATER,
    address_of,
    apply_reports,
    deliveries_of,
    find_suppressions,
    is_subscribed,
    make_send,
)
from tests.support.fixtures import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("S1")]


def apply_sendgrid(*events: dict[str, Any], now: datetime = LATER) -> None:
    """Store and apply reports whose signature was checked."""
    store_feedback(SENDGRID.parse(WebhookRequest(json.dumps(events).encode())), now=now)
    apply_due_events(clock=lambda: now)


def dropped(delivery: Delivery, reason: str, **more: Any) -> dict[str, Any]:
    """Return SendGrid's report of a mail that it did not send."""
    ours = {"delivery": str(delivery.pk), "batch": delivery.batch.key}
    at = int(LATER.timestamp())
    return {"event": "dropped", "reason": reason, "email": address_of(delivery), "timestamp": at, **ours, **more}


def test_the_reason_that_a_provider_names_is_kept_here_too() -> None:
    one, two, three, four = deliveries_of(make_send(recipients=4))
    apply_sendgrid(
        dropped(one, "Bounced Address"), dropped(two, "Spam Reporting Address"), dropped(three, "Unsubscribed Address")
    )
    assert [find_suppressions(each) for each in (one, two, three, four)] == [
        {Reason.HARD},
        {Reason.COMPLAINT},
        {Reason.UNSUBSCRIBE},
        set(),
    ]
    assert [is_subscribed(each) for each in (two, three, four)] == [False, False, True]
    assert set(Bounce.objects.values_list("bounce_class", flat=True)) == {"suppressed"}
    assert not any(ProviderEvent.objects.values_list("body", flat=True))


def test_earlier_complaints_and_bounces_do_not_pause_this_send() -> None:
    """Five real complaints of six people pause it: the test beside this one."""
    send = make_send(recipients=6)
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING)
    apply_sendgrid(
        *(dropped(each, "Spam Reporting Address") for each in deliveries_of(send)[:5]),
        dropped(deliveries_of(send)[5], "Bounced Address"),
    )
    send.refresh_from_db()
    counts = count_problems(send)
    assert (send.state, counts.complained, counts.hard, counts.refused) == (Send.State.SUBMITTING, 0, 0, 0)
    receipt = make_receipt(send)
    assert (receipt.complained, receipt.unsubscribed, receipt.bounced, receipt.unsent) == (0, 0, 0, 6)


def test_real_complaints_pause_the_same_send() -> None:
    send = make_send(recipients=6)
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING)
    real = [{**dropped(each, ""), "event": "spamreport"} for each in deliveries_of(send)[:5]]
    apply_sendgrid(*real)
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED


def test_sparkposts_policy_code_for_its_list_refuses_no_sender() -> None:
    """The code 5.7.1 would count as a refusal of the sender: 20 such mails slow or pause a send."""
    send = make_send(recipients=25)
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING)
    why = "554 5.7.1 [internal] recipient address was suppressed due to customer policy"
    events = [
        {
            "type": "bounce",
            "event_id": str(each.pk),
            "bounce_class": "25",
            "raw_reason": why,
            "raw_rcpt_to": address_of(each),
            "rcpt_meta": {"delivery": str(each.pk), "batch": each.batch.key},
        }
        for each in deliveries_of(send)
    ]
    apply_reports(*({"msys": {"message_event": event}} for event in events), provider="sparkpost")
    send.refresh_from_db()
    assert (send.state, count_problems(send).refused) == (Send.State.SUBMITTING, 0)
    assert Bounce.objects.filter(bounce_class="suppressed").count() == 25
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("reason", [Reason.HARD, Reason.COMPLAINT])
def test_a_suppression_that_staff_removed_is_not_added_again(reason: Reason) -> None:
    one, _, _ = deliveries_of(make_send())
    suppress(address_hash=identify(address_of(one)), reason=reason, now=NOW)
    remove_suppression(suppression=Suppression.objects.get(), by="Ana", reason="It works again", now=NOW)
    why = {Reason.HARD: "Bounced Address", Reason.COMPLAINT: "Spam Reporting Address"}[reason]
    apply_sendgrid(dropped(one, why))
    assert find_suppressions(one) == set()


def test_an_unsent_mail_counts_beside_an_unsubscribe_from_one_list() -> None:
    one, _, _ = deliveries_of(make_send())
    other = MailingList.objects.create(name="Other", slug="other")
    suppress(address_hash=identify(address_of(one)), reason=Reason.UNSUBSCRIBE, now=NOW, mailing_list=other)
    apply_sendgrid(dropped(one, "Unsubscribed Address"))
    assert not is_subscribed(one)


def test_an_unsent_mail_that_was_no_issue_counts_for_subscribers_only() -> None:
    """A question to confirm, say, which has no delivery."""
    one, _, _ = deliveries_of(make_send())
    stranger = {**dropped(one, "Bounced Address"), "delivery": "", "batch": "", "email": "stranger@example.net"}
    apply_sendgrid({**dropped(one, "Spam Reporting Address"), "delivery": "", "batch": ""}, stranger)
    assert find_suppressions(one) == {Reason.COMPLAINT}
    assert Suppression.objects.count() == 1


def test_a_repeat_after_all_was_deleted_does_not_undo_a_new_confirmation() -> None:
    """A provider, or somebody who presses “resend” there, may repeat a report after months."""
    one, two, three = deliveries_of(make_send())
    told = [{**dropped(each, ""), "event": name} for each, name in ((one, "spamreport"), (two, "unsubscribe"))]
    gone = {**dropped(three, "550 no such user"), "event": "bounce", "type": "bounce", "status": "5.1.1"}
    apply_sendgrid(*told, gone)
    assert [bool(find_suppressions(each)) for each in (one, two, three)] == [True, True, True]
    much_later = LATER + timedelta(days=120)
    for suppression in Suppression.objects.all():
        Suppression.objects.filter(pk=suppression.pk).update(removed_at=LATER + timedelta(days=30), removed_by="Ana")
    Subscription.objects.update(confirmed_at=LATER + timedelta(days=30), ended_at=None, end_reason="")
    hashes = [identify(address_of(each)) for each in (one, two, three)]
    ProviderEvent.objects.all().delete()
    Bounce.objects.all().delete()
    DeliveryException.objects.all().delete()
    Delivery.objects.all()._raw_delete(using="default")
    apply_sendgrid(*told, gone, now=much_later)
    apply_due_events(clock=lambda: much_later + timedelta(minutes=16))
    assert set(ProviderEvent.objects.values_list("result", flat=True)) == {"orphan"}
    assert not Suppression.objects.live().filter(address_hash__in=hashes).exists()
    assert Subscription.objects.open().count() == 3


def test_a_new_report_about_another_mail_counts_after_a_confirmation() -> None:
    one, _, _ = deliveries_of(make_send())
    Subscription.objects.update(confirmed_at=NOW)
    new = {**dropped(one, ""), "event": "spamreport", "delivery": "", "batch": ""}
    apply_sendgrid(new)
    assert find_suppressions(one) == {Reason.COMPLAINT}


def test_the_newest_of_two_reports_about_other_mails_counts() -> None:
    """In one round, a repeat of a report from before the confirmation may follow a new one."""
    one, _, _ = deliveries_of(make_send())
    Subscription.objects.update(confirmed_at=NOW)
    new = {**dropped(one, ""), "event": "spamreport", "delivery": "", "batch": ""}
    old = {**new, "timestamp": int((NOW - timedelta(days=30)).timestamp())}
    for report in (new, old):
        store_feedback(SENDGRID.parse(WebhookRequest(json.dumps([report]).encode())), now=LATER)
    apply_due_events(clock=lambda: LATER)
    assert find_suppressions(one) == {Reason.COMPLAINT}


def test_an_unsent_mail_does_not_undo_a_confirmation_since_the_last_issue() -> None:
    """The person may be on the list since before they confirmed. An address that does not exist stays so."""
    one, two, three = deliveries_of(make_send())
    Subscription.objects.update(confirmed_at=NOW - timedelta(days=1))
    apply_sendgrid(
        dropped(one, "Spam Reporting Address"), dropped(two, "Unsubscribed Address"), dropped(three, "Bounced Address")
    )
    assert [find_suppressions(each) for each in (one, two, three)] == [set(), set(), {Reason.HARD}]
    assert Subscription.objects.open().count() == 3


def test_an_unsent_mail_counts_if_earlier_issues_are_deleted() -> None:
    """Deliveries are deleted after 90 days, so nobody knows that these people got no mail since they confirmed."""
    one, two, _ = deliveries_of(make_send())
    days = {one.subscriber_id: 100, two.subscriber_id: 80}
    for person, age in days.items():
        Subscription.objects.filter(subscriber=person).update(confirmed_at=LATER - timedelta(days=age))
    apply_sendgrid(dropped(one, "Spam Reporting Address"), dropped(two, "Spam Reporting Address"))
    assert [find_suppressions(each) for each in (one, two)] == [{Reason.COMPLAINT}, set()]


def test_an_unsent_mail_counts_if_a_welcome_came_after_the_confirmation() -> None:
    """The send of a welcome is made once a month, often before the person joined."""
    one, _, _ = deliveries_of(make_send())
    Send.objects.update(made_at=NOW - timedelta(days=20))
    Batch.objects.update(settled_at=NOW)
    Subscription.objects.update(confirmed_at=NOW - timedelta(days=1))
    apply_sendgrid({**dropped(one, "Spam Reporting Address"), "delivery": "", "batch": ""})
    assert find_suppressions(one) == {Reason.COMPLAINT}


def test_an_unsent_mail_counts_if_an_issue_came_after_the_confirmation() -> None:
    one, two, _ = deliveries_of(make_send())
    Batch.objects.update(settled_at=NOW)
    Subscription.objects.update(confirmed_at=NOW - timedelta(days=1))
    later = {"delivery": "", "batch": ""}
    told = dropped(one, "Spam Reporting Address"), dropped(two, "Unsubscribed Address")
    apply_sendgrid(*({**each, **later} for each in told))
    assert [find_suppressions(each) for each in (one, two)] == [{Reason.COMPLAINT}, {Reason.UNSUBSCRIBE}]
