"""Refusals and delays because of the sender pause the send and leave no mark on its recipients."""

import pytest

from newsletter.feedback.automatic_pause import count_refusals
from newsletter.models import DeliveryException, Send, SenderDelay
from newsletter.models.feedback import Bounce
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.providers.base.webhooks.sender_refusal_codes import SenderCause
from tests.support.feedback_reports import (
    LATER,
    apply_reports,
    brevo_event,
    deliveries_of,
    find_suppressions,
    is_subscribed,
    make_send,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("B5"), pytest.mark.postgres]
RATE = "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail"


def test_delays_because_of_the_rate_pause_the_send_and_say_what_to_change() -> None:
    send = make_send(recipients=25)
    people = deliveries_of(send)
    apply_reports(*(brevo_event("deferred", each, reason=RATE) for each in people[:19]))
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
    assert "because of the sender, not the recipient: 19 so far (4.7.28)" in send.reason
    assert "smaller daily limit" in send.reason
    apply_reports(brevo_event("deferred", people[19], reason=RATE))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "refused or delayed 20 of 25 mails because of the sender" in send.reason
    assert AutomaticPause.objects.get().rule == AutomaticPause.Rule.SENDER


def test_nobody_is_marked_because_of_the_sender() -> None:
    send = make_send(recipients=3)
    delayed, refused, _ = deliveries_of(send)
    apply_reports(
        brevo_event("deferred", delayed, reason=RATE),
        brevo_event("hard_bounce", refused, reason="550 5.7.28 unusual rate of mail"),
    )
    for one in (delayed, refused):
        assert (find_suppressions(one), is_subscribed(one)) == (set(), True)
    assert not DeliveryException.objects.filter(delivery=delayed).exists()
    assert Bounce.objects.get().delivery_id == refused.pk


def test_a_mail_counts_once_however_often_it_is_delayed() -> None:
    send = make_send(recipients=2)
    one, _ = deliveries_of(send)
    for minute in range(3):
        apply_reports(brevo_event("deferred", one, reason=RATE, ts_epoch=int(LATER.timestamp() * 1000) - minute))
    apply_reports(brevo_event("soft_bounce", one, reason="550 5.7.515 access denied"))
    assert SenderDelay.objects.count() == 1
    refusals = count_refusals(send)
    assert refusals.by_cause == {SenderCause.AUTHENTICATION: 1}
    assert refusals.statuses == {"5.7.515"}


def test_delays_because_of_authentication_pause_by_that_rule() -> None:
    send = make_send(recipients=20)
    reply = "421-4.7.26 rate limited because it is unauthenticated"
    apply_reports(*(brevo_event("deferred", each, reason=reply) for each in deliveries_of(send)))
    assert AutomaticPause.objects.get(send=send).rule == AutomaticPause.Rule.AUTHENTICATION


def test_greylisting_pauses_nothing() -> None:
    send = make_send(recipients=20)
    apply_reports(*(brevo_event("deferred", each, reason="450 4.7.1 Greylisted") for each in deliveries_of(send)))
    send.refresh_from_db()
    assert (send.state, send.reason) == (Send.State.SUBMITTING, "")
    assert not SenderDelay.objects.exists()


def test_a_delay_of_a_proof_counts_for_no_send() -> None:
    send = make_send(recipients=1)
    (one,) = deliveries_of(send)
    type(one).objects.filter(pk=one.pk).update(proof=True)
    apply_reports(brevo_event("deferred", one, reason=RATE))
    assert not SenderDelay.objects.exists()
