"""Events of providers are applied once, in any order, to the right people."""

import itertools
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from newsletter.feedback.apply import _LOCK, apply_due_events, apply_events
from newsletter.models import Batch, Delivered, Delivery, DeliveryException, ProviderEvent, Send
from newsletter.models.feedback import Bounce
from newsletter.sending.settling.delivered_bitmap import (
    DeliveredBits,
    Handover,
    count_delivered,
    find_delivered,
    mark_delivered,
)
from newsletter.sending.settling.receipt import list_deliveries, make_receipt
from newsletter.sending.settling.sweep import finish_sends
from subscribers.identity import identify
from subscribers.models import ConsentEvent, Reason, Subscriber, Subscription, Suppression
from subscribers.unsubscribing.suppression import remove_suppression, suppress
from tests.support.feedback_reports import (
    LATER,
    address_of,
    apply_reports,
    brevo_event,
    deliveries_of,
    find_suppressions,
    is_subscribed,
    make_send,
    postmark_event,
    store_reports,
)
from tests.support.fixtures import NOW

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.requirement("S1"),
    pytest.mark.requirement("S4"),
    pytest.mark.requirement("S5"),
]


@pytest.fixture(autouse=True)
def _small_batches(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=10"


HARD = {"reason": "550 5.1.1 <person0@example.com> User unknown"}


def test_the_receipt_counts_what_the_provider_reported() -> None:
    send = make_send(recipients=5)
    one, two, three, four, _ = deliveries_of(send)
    apply_reports(
        *(brevo_event("delivered", each) for each in (one, two, three)),
        brevo_event("hard_bounce", four, **HARD),
        brevo_event("spam", one),
        brevo_event("unsubscribed", two),
    )
    receipt = make_receipt(send)
    assert (receipt.delivered, receipt.bounced, receipt.complained, receipt.unsubscribed) == (3, 1, 1, 1)
    assert receipt.deliveries["accepted"] == 5


def test_an_applied_event_keeps_nothing_about_the_person() -> None:
    (one, *_) = deliveries_of(make_send())
    apply_reports(brevo_event("hard_bounce", one, **HARD))
    event = ProviderEvent.objects.get()
    assert (event.body, event.result, event.applied_at) == ({}, "applied", LATER)
    bounce = Bounce.objects.get()
    assert (bounce.bounce_class, bounce.status, bounce.reason) == (
        "hard",
        "5.1.1",
        "550 5.1.1 <(address)> User unknown",
    )


@pytest.mark.requirement("S2")
def test_a_hard_bounce_suppresses_the_address_at_once() -> None:
    one, two, _ = deliveries_of(make_send())
    apply_reports(brevo_event("hard_bounce", one, **HARD))
    assert find_suppressions(one) == {Reason.HARD}
    assert find_suppressions(two) == set()
    assert "(address)" in Suppression.objects.get().note


@pytest.mark.requirement("S3")
def test_a_complaint_suppresses_and_ends_the_subscription() -> None:
    one, _, _ = deliveries_of(make_send())
    apply_reports(brevo_event("spam", one))
    assert find_suppressions(one) == {Reason.COMPLAINT}
    assert not is_subscribed(one)


def test_unsubscribing_at_the_provider_ends_the_issues_subscription() -> None:
    one, _, _ = deliveries_of(make_send())
    apply_reports(brevo_event("unsubscribed", one))
    assert find_suppressions(one) == {Reason.UNSUBSCRIBE}
    assert Suppression.objects.get().scope == "list"
    assert not is_subscribed(one)


def test_a_late_unsubscribe_does_not_end_a_newer_subscription() -> None:
    one, _, _ = deliveries_of(make_send())
    Subscription.objects.filter(subscriber=one.subscriber_id).update(requested_at=LATER + timedelta(hours=1))
    apply_reports(brevo_event("unsubscribed", one), now=LATER + timedelta(hours=2))
    assert is_subscribed(one)


def test_an_erased_person_who_unsubscribes_stays_suppressed_by_hash() -> None:
    one, _, _ = deliveries_of(make_send())
    told = brevo_event("unsubscribed", one)
    ConsentEvent.objects.all()._raw_delete(using="default")
    Subscriber.objects.filter(pk=one.subscriber_id).delete()
    apply_reports(told)
    assert find_suppressions(one) == {Reason.UNSUBSCRIBE}


@pytest.mark.parametrize(
    "words", ["550 5.7.1 rejected by policy", "550 5.7.26 not authenticated", "blocked by our list"]
)
@pytest.mark.requirement("B5")
def test_a_refusal_of_the_sender_never_suppresses_the_recipient(words: str) -> None:
    send = make_send()
    one, _, _ = deliveries_of(send)
    apply_reports(brevo_event("hard_bounce", one, reason=words))
    assert find_suppressions(one) == set()
    assert Bounce.objects.get().bounce_class == "block"


def test_a_send_shows_that_its_sender_is_refused() -> None:
    send = make_send()
    one, two, _ = deliveries_of(send)
    apply_reports(brevo_event("hard_bounce", one, reason="550 5.7.26 not authenticated"))
    apply_reports(brevo_event("hard_bounce", two, reason="550 5.7.1 policy"), now=LATER + timedelta(minutes=1))
    send.refresh_from_db()
    assert "because of the sender, not the recipient: 2 so far (5.7.1, 5.7.26)" in send.reason
    assert send.state == Send.State.SUBMITTING


def test_a_more_serious_reason_is_not_replaced() -> None:
    send = make_send()
    Send.objects.filter(pk=send.pk).update(reason="a person stopped it")
    apply_reports(brevo_event("hard_bounce", deliveries_of(send)[0], reason="550 5.7.26 not authenticated"))
    send.refresh_from_db()
    assert send.reason == "a person stopped it"


def test_a_repeated_event_is_applied_once() -> None:
    """This holds also if a person decided otherwise before."""
    one, _, _ = deliveries_of(make_send())
    apply_reports(brevo_event("hard_bounce", one, **HARD))
    remove_suppression(
        suppression=Suppression.objects.get(), by="staff@example.org", reason="they wrote to us", now=LATER
    )
    again = LATER + timedelta(minutes=1)
    apply_reports(brevo_event("hard_bounce", one, **HARD), now=again)
    apply_reports(brevo_event("hard_bounce", one, **HARD, at=again), now=again)
    assert find_suppressions(one) == set()
    assert apply_events(now=again) == 0


def five_events(delivery: Delivery) -> list[dict[str, Any]]:
    def at(minutes: int) -> datetime:
        return NOW + timedelta(minutes=minutes)

    return [
        brevo_event("request", delivery, at=at(1)),
        brevo_event("soft_bounce", delivery, at=at(2), reason="452 4.2.2 mailbox full"),
        brevo_event("delivered", delivery, at=at(3)),
        brevo_event("hard_bounce", delivery, at=at(4), reason="550 5.1.1 unknown"),
        brevo_event("spam", delivery, at=at(5)),
    ]


@pytest.mark.requirement("W7")
@pytest.mark.requirement("S6")
def test_five_events_give_the_same_rows_in_any_order() -> None:
    """120 orders, one event at a time."""
    send = make_send(recipients=120)
    columns = ("state", "bounced_at", "complained_at", "unsubscribed_at")
    wanted = deliveries_of(send)
    orders = list(itertools.permutations(range(5)))
    for step in range(5):
        store_reports(*(five_events(each)[order[step]] for each, order in zip(wanted, orders, strict=True)))
        apply_due_events(clock=lambda: LATER)
    assert set(DeliveryException.objects.values_list(*columns)) == {
        ("", NOW + timedelta(minutes=2), NOW + timedelta(minutes=5), None)
    }
    assert DeliveryException.objects.count() == 120
    assert count_delivered(send) == 120
    assert set(Bounce.objects.values_list("bounce_class", "status", "at")) == {
        ("hard", "5.1.1", NOW + timedelta(minutes=4))
    }
    assert {frozenset(find_suppressions(each)) for each in wanted} == {frozenset({"hard", "complaint"})}


@pytest.mark.requirement("F8")
def test_shuffled_and_repeated_events_end_as_one_by_one() -> None:
    one, two, _ = deliveries_of(make_send())
    apply_reports(*five_events(one), *reversed(five_events(one)))
    for told in five_events(two):
        apply_reports(told)
    columns = ("bounced_at", "complained_at")
    assert DeliveryException.objects.values_list(*columns).distinct().count() == 1
    assert Bounce.objects.values_list("bounce_class", "status", "reason", "at").distinct().count() == 1


def test_an_event_from_the_future_counts_as_now() -> None:
    one, _, _ = deliveries_of(make_send())
    apply_reports(brevo_event("spam", one, at=LATER + timedelta(days=400)))
    assert DeliveryException.objects.get().complained_at == LATER


def test_an_event_without_a_time_counts_when_it_arrived() -> None:
    one, _, _ = deliveries_of(make_send())
    apply_reports({**brevo_event("spam", one), "ts_epoch": None})
    assert DeliveryException.objects.get().complained_at == LATER


# Who has it


@pytest.mark.requirement("W7")
def test_a_delivered_mail_sets_a_bit_and_adds_no_row() -> None:
    """A million of them are 123 rows; repeated in other orders by two rounds at once, they are the same bits."""
    send = make_send(recipients=30)
    wanted = deliveries_of(send)
    apply_reports(*(brevo_event("delivered", each) for each in wanted[:20]))
    apply_reports(*(brevo_event("delivered", each) for each in reversed(wanted[10:])), brevo_event("opened", wanted[0]))
    row = Delivered.objects.get()
    assert (row.people, count_delivered(send), len(bytes(row.bits))) == (30, 30, 1024)
    assert not ProviderEvent.objects.exists()
    assert not DeliveryException.objects.exists()
    apply_reports(*(brevo_event("delivered", each) for each in wanted), now=LATER + timedelta(days=1))
    assert Delivered.objects.get().last_at == LATER


def test_the_list_of_deliveries_shows_who_has_the_mail() -> None:
    send = make_send(recipients=3)
    one, two, three = deliveries_of(send)
    apply_reports(
        brevo_event("delivered", one),
        brevo_event("soft_bounce", two, reason="452 4.2.2 full"),
        brevo_event("delivered", two),
    )
    told = {row[0]: row[5:7] for row in list_deliveries(send)}
    assert told == {one.pk: ["yes", ""], two.pk: ["yes", LATER.isoformat()], three.pk: ["", ""]}


def test_deliveries_across_a_boundary_are_in_two_parts() -> None:
    send = make_send(recipients=2)
    numbers = {8191: send.pk, 8192: send.pk, 16384: send.pk}
    handover = Handover(send.pk, "default")
    mark_delivered(dict.fromkeys(numbers, handover), at=LATER)
    mark_delivered({8191: handover, 5: handover}, at=LATER + timedelta(hours=1))
    assert list(Delivered.objects.order_by("part").values_list("part", "people")) == [(0, 2), (1, 1), (2, 1)]
    assert find_delivered({**numbers, 8190: send.pk, 8193: send.pk}) == set(numbers)
    bits = DeliveredBits(send)
    assert [n for n in (4, 5, 8191, 8192, 8193, 16384, 90_000) if n in bits] == [5, 8191, 8192, 16384]


def test_delivered_mails_are_counted_by_account_and_each_once() -> None:
    send = make_send(recipients=2)
    default, backup = Handover(send.pk, "default"), Handover(send.pk, "backup")
    mark_delivered({1: default, 2: backup, 3: backup}, at=LATER)
    mark_delivered({1: backup, 3: default, 8192: default}, at=LATER)
    assert (count_delivered(send, accounts=["default"]), count_delivered(send, accounts=["backup"])) == (2, 2)
    assert (count_delivered(send, accounts=["backup", "default"]), count_delivered(send)) == (4, 4)
    assert find_delivered(dict.fromkeys((0, 1, 2, 3, 4, 8192), send.pk)) == {1, 2, 3, 8192}
    bits = DeliveredBits(send)
    assert [n for n in (0, 1, 2, 3, 4, 8192) if n in bits] == [1, 2, 3, 8192]


def test_a_delivery_reported_during_the_call_is_not_uncertain() -> None:
    send = make_send(recipients=3, state=Batch.State.UNCERTAIN)
    one, two, three = deliveries_of(send)
    mark_delivered({one.pk: Handover(send.pk, "default")}, at=LATER)
    apply_reports(postmark_event("Delivery", two), provider="postmark")
    assert list(DeliveryException.objects.values_list("delivery", "state")) == [(three.pk, "uncertain")]


# Evidence


def test_one_report_proves_the_whole_batch_of_an_atomic_provider() -> None:
    send = make_send(recipients=15, state=Batch.State.UNCERTAIN)
    first = deliveries_of(send)[0]
    apply_reports(brevo_event("request", first))
    assert dict(send.batches.values_list("size", "state")) == {10: "accepted", 5: "uncertain"}
    assert not DeliveryException.objects.exists()
    assert make_receipt(send).deliveries["accepted"] == 10


def test_a_send_ends_when_its_last_uncertain_person_is_settled() -> None:
    send = make_send(state=Batch.State.UNCERTAIN)
    finish_sends(now=NOW)
    send.refresh_from_db()
    assert send.state == Send.State.NEEDS_ATTENTION
    apply_reports(brevo_event("opened", deliveries_of(send)[0]))
    finish_sends(now=LATER)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTED


def test_a_report_of_another_provider_proves_only_its_own_mail() -> None:
    send = make_send(recipients=4, state=Batch.State.UNCERTAIN)
    one, two, _, _ = deliveries_of(send)
    apply_reports(postmark_event("Delivery", one), provider="postmark")
    assert make_receipt(send).deliveries == {"pending": 0, "accepted": 1, "rejected": 0, "skipped": 0, "uncertain": 3}
    apply_reports(postmark_event("Open", two), provider="postmark", now=LATER + timedelta(minutes=1))
    assert make_receipt(send).deliveries["uncertain"] == 2
    assert list(send.batches.values_list("state", flat=True)) == [Batch.State.PARTIAL]


def test_skipped_people_stay_skipped_when_the_batch_is_proven() -> None:
    send = make_send(recipients=3, state=Batch.State.UNCERTAIN)
    one, two, _ = deliveries_of(send)
    DeliveryException.objects.create(delivery=two, state="skipped", reason="left", at=NOW)
    apply_reports(postmark_event("Delivery", one), provider="postmark")
    assert make_receipt(send).deliveries == {"pending": 0, "accepted": 1, "rejected": 0, "skipped": 1, "uncertain": 1}


def test_a_pending_batch_with_a_report_is_not_sent_again() -> None:
    """A backup was restored, or "not sent" was wrong: nobody is mailed twice."""
    send = make_send(state=Batch.State.PENDING)
    apply_reports(brevo_event("delivered", deliveries_of(send)[0]))
    assert list(send.batches.values_list("state", flat=True)) == [Batch.State.ACCEPTED]


def test_a_report_during_the_call_waits_for_its_end() -> None:
    """The worker may die during the call; then the report is what proves the batch."""
    send = make_send(state=Batch.State.SUBMITTING)
    store_reports(brevo_event("request", deliveries_of(send)[0]))
    assert apply_events(now=LATER) == 1
    assert apply_events(now=LATER) == 0
    assert list(send.batches.values_list("state", flat=True)) == [Batch.State.SUBMITTING]
    send.batches.update(state=Batch.State.UNCERTAIN)
    assert apply_events(now=LATER + timedelta(minutes=2)) == 1
    assert list(send.batches.values_list("state", flat=True)) == [Batch.State.ACCEPTED]
    assert not ProviderEvent.objects.exists()


def test_time_does_not_settle_an_uncertain_batch() -> None:
    send = make_send(state=Batch.State.UNCERTAIN)
    apply_reports(brevo_event("list_addition", deliveries_of(send)[0]))
    assert list(send.batches.values_list("state", flat=True)) == [Batch.State.UNCERTAIN]


def test_two_workers_do_not_apply_the_same_events_at_once() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    (one, *_) = deliveries_of(make_send())
    store_reports(brevo_event("spam", one))
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        assert apply_events(now=LATER) == 0
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    other.close()
    assert apply_events(now=LATER) == 1


@pytest.mark.requirement("W5")
def test_a_worker_killed_during_a_round_changed_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The effect happens once, when the next worker comes."""
    (one, *_) = deliveries_of(make_send(state=Batch.State.UNCERTAIN))
    store_reports(brevo_event("hard_bounce", one, **HARD))

    def die(**_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("newsletter.feedback.apply.pause_failing_sends", die)
        with pytest.raises(SystemExit):
            apply_events(now=LATER)
    assert find_suppressions(one) == set()
    assert not DeliveryException.objects.exists()
    assert apply_events(now=LATER) == 1
    assert find_suppressions(one) == {Reason.HARD}
    assert ConsentEvent.objects.filter(kind=ConsentEvent.Kind.SUPPRESSED).count() == 1


def test_a_round_uses_few_statements(django_assert_max_num_queries: Any) -> None:
    send = make_send(recipients=100)
    store_reports(*(brevo_event("delivered", each) for each in deliveries_of(send)))
    with django_assert_max_num_queries(25):
        assert apply_events(now=LATER) == 100


# Whose event it is


@pytest.mark.requirement("W6")
def test_an_event_before_its_delivery_waits_for_it() -> None:
    send = make_send()
    one, _, _ = deliveries_of(send)
    told = brevo_event("delivered", one)
    key = one.batch.key
    Batch.objects.filter(pk=one.batch_id).update(key="not-there-yet")
    store_reports(told)
    assert apply_events(now=LATER) == 1
    assert count_delivered(send) == 0
    Batch.objects.filter(pk=one.batch_id).update(key=key)
    assert apply_events(now=LATER + timedelta(seconds=29)) == 0
    assert apply_events(now=LATER + timedelta(seconds=31)) == 1
    assert count_delivered(send) == 1


@pytest.mark.requirement("W6")
def test_an_event_without_a_delivery_is_given_up_after_15_minutes() -> None:
    (one, *_) = deliveries_of(make_send())
    store_reports(
        {
            **brevo_event("spam", one),
            "email": "",
            "X-Mailin-custom": '{"delivery": "987654", "batch": "elsewhere"}',
        }
    )
    apply_due_events(clock=lambda: LATER)
    assert ProviderEvent.objects.get().result == ""
    apply_due_events(clock=lambda: LATER + timedelta(minutes=15))
    assert ProviderEvent.objects.get().result == "orphan"
    assert not DeliveryException.objects.exists()


def test_a_delivery_id_of_another_installation_is_not_ours() -> None:
    one, _, _ = deliveries_of(make_send())
    apply_reports(
        {
            **brevo_event("delivered", one),
            "X-Mailin-custom": json.dumps({"delivery": str(one.pk), "batch": "theirs"}),
        }
    )
    assert not Delivered.objects.exists()


@pytest.mark.requirement("W4")
def test_our_id_with_another_address_suppresses_nobody() -> None:
    one, _, _ = deliveries_of(make_send())
    apply_reports({**brevo_event("spam", one), "email": "somebody@example.net"})
    apply_reports({**brevo_event("spam", one), "email": "somebody@example.net"}, now=LATER + timedelta(hours=1))
    assert find_suppressions(one) == set()


@pytest.mark.requirement("F15")
def test_a_report_from_a_changed_address_is_about_the_same_mail() -> None:
    one, two, _ = deliveries_of(make_send())
    at = "moved@example.net"
    Subscriber.objects.filter(pk=one.subscriber_id).update(email=at, address_hash=identify(at))
    apply_reports(brevo_event("delivered", one), {**brevo_event("delivered", two), "email": at})
    assert find_delivered({each.pk: each.batch.send_id for each in (one, two)}) == {one.pk}


def test_an_event_without_our_id_is_found_by_batch_and_address() -> None:
    one, _, _ = deliveries_of(make_send())
    apply_reports({**brevo_event("delivered", one), "X-Mailin-custom": json.dumps({"batch": one.batch.key})})
    assert [one.pk in DeliveredBits(one.batch.send_id), Delivered.objects.get().people] == [True, 1]


def test_an_event_with_only_our_id_counts_if_the_address_is_right() -> None:
    one, two, _ = deliveries_of(make_send())
    apply_reports({**brevo_event("delivered", one), "X-Mailin-custom": json.dumps({"delivery": one.pk})})
    apply_reports({**brevo_event("delivered", two), "email": "", "X-Mailin-custom": json.dumps({"delivery": two.pk})})
    assert find_delivered({each.pk: each.batch.send_id for each in (one, two)}) == {one.pk}


@pytest.mark.requirement("S3")
def test_a_complaint_about_another_mail_counts_too() -> None:
    """A question to confirm, say, which has no delivery."""
    one, two, three = deliveries_of(make_send())
    apply_reports(
        {**brevo_event("spam", one), "X-Mailin-custom": ""},
        {**brevo_event("hard_bounce", two, **HARD), "X-Mailin-custom": ""},
        {**brevo_event("unsubscribed", three), "X-Mailin-custom": ""},
        {**brevo_event("spam", one), "email": "stranger@example.net", "X-Mailin-custom": ""},
        {**brevo_event("spam", one), "email": "no address", "X-Mailin-custom": ""},
    )
    assert [find_suppressions(each) for each in (one, two, three)] == [{"complaint"}, {"hard"}, {"unsubscribe"}]
    assert not Suppression.objects.filter(address_hash=identify("stranger@example.net")).exists()
    assert not is_subscribed(three)
    assert set(ProviderEvent.objects.values_list("result", flat=True)) == {"orphan"}


@pytest.mark.requirement("W9")
def test_resubscribing_at_the_provider_brings_nobody_back() -> None:
    one, _, _ = deliveries_of(make_send())
    suppress(address_hash=identify(address_of(one)), reason=Reason.HARD, now=NOW)
    back = postmark_event(
        "SubscriptionChange", one, SuppressSending=False, Origin="Recipient", ChangedAt=LATER.isoformat()
    )
    apply_reports(back, postmark_event("Delivery", one), provider="postmark")
    assert find_suppressions(one) == {Reason.HARD}
    event = ProviderEvent.objects.get()
    assert (event.result, event.body) == ("noted", {}), "it is never applied, so nothing would empty it"


def test_a_report_that_waits_by_a_clock_that_was_ahead_is_applied() -> None:
    one, *_ = deliveries_of(make_send())
    store_reports(brevo_event("spam", one))
    ProviderEvent.objects.update(retry_at=LATER + timedelta(days=400))
    assert apply_events(now=LATER) == 1
    assert find_suppressions(one) == {Reason.COMPLAINT}
