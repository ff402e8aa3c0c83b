"""Sends whose database was restored from a backup: what went out since is mailed to nobody again."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter.models import AccountMove, Attempt, Batch, Delivery, DeliveryException, Issue, Send
from newsletter.sending.adapters import account_label, current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due, run_send
from newsletter.sending.freezing.start import prepare_requested_sends, request_send, start_send
from newsletter.sending.limits.split_batches import derive_key, split_off
from newsletter.sending.settling.account_moves import move_by_hand
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain, release_after_restore
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import cancel_send
from newsletter.sending.settling.sweep import settle_expired_leases, sweep
from newsletter.sending.settling.uncertain_batches import send_again
from tests.support.accounts import count_over_accounts, make_issue_with_second
from tests.support.fixtures import NOW, make_approver
from tests.support.provider_faults import answer
from tests.support.sends import Clock, make_ready_issue, start_ready_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PEOPLE = 30
SOON = NOW + timedelta(minutes=1)
of_each_replaying_provider = pytest.mark.parametrize("replaying", ["resend", "brevo"], indirect=True)
"""They differ in how they name the key of a call and for how long they know it."""


@pytest.fixture
def replaying(request, fake_provider, settings):
    scheme = getattr(request, "param", "resend")
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of(scheme) + "&max_batch=10"
    return fake_provider


@pytest.fixture
def with_second(replaying, second_provider, settings):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": second_provider.provider_url + "&max_batch=10"}
    return replaying, second_provider


def back_up() -> Callable[[], None]:
    """Return a function that puts back the batches, attempts and sends as they are now."""
    batches, attempts = list(Batch.objects.all()), list(Attempt.objects.all())
    sends = list(Send.objects.all())

    def restore() -> None:
        AccountMove.objects.all().delete()
        DeliveryException.objects.all().delete()
        Attempt.objects.all().delete()
        Attempt.objects.bulk_create(attempts)
        for row in (*batches, *sends):
            row.save()

    return restore


def run(clock: Clock | None = None) -> Send:
    clock = clock or Clock()
    return run_send(send=Send.objects.get(), adapter=current_adapter(), clock=clock, sleep=clock.nap)


def send_one(*, at=NOW) -> None:
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: at), limit=1)


def send_all_again(clock: Clock) -> Send:
    """Sweep and send for two days, as the workers do once the hold is released."""
    for _ in range(4):
        sweep(adapter=current_adapter(), clock=clock)
        run(clock)
        clock.now += timedelta(hours=12)
    return Send.objects.get()


@pytest.mark.parametrize("state", ["failed", "running", "untried"])
def test_people_moved_after_the_backup_are_mailed_once(with_second, state):
    first, second = with_second
    send = start_send(issue=make_issue_with_second(PEOPLE), now=NOW)
    first.stop_listening()
    if state == "failed":
        send_one()
        assert Attempt.objects.get().outcome == "not_sent"
    elif state == "running":
        assert claim_batch(batch_id=send.batches.order_by("seq")[0].pk, provider=account_label(), now=NOW)
    restore = back_up()
    if state == "running":
        Attempt.objects.update(ended_at=NOW, outcome="not_sent")
        Batch.objects.filter(state="submitting").update(state="pending", handed_to="", lease_until=None)
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    assert run().state == Send.State.SUBMITTED
    assert len(second.accepted_counts()) == PEOPLE
    restore()
    first.start_listening()
    mark_open_batches_uncertain(now=SOON)
    release_after_restore(now=SOON)
    clock = Clock()
    clock.now = SOON
    send = send_all_again(clock)
    assert set(count_over_accounts(first, second).values()) == {1}
    assert first.ledger == []
    assert send.state == Send.State.NEEDS_ATTENTION
    assert make_receipt(send).deliveries["uncertain"] == PEOPLE


def test_batches_that_stay_with_their_account_are_replayed_there(with_second):
    """It may have been taken before the backup, so it cannot have moved since."""
    first, second = with_second
    send = start_send(issue=make_issue_with_second(10), now=NOW)
    assert claim_batch(batch_id=Batch.objects.get().pk, provider=account_label(), now=NOW) is not None
    settle_expired_leases(now=NOW + timedelta(minutes=5))
    Batch.objects.update(state="pending", settled_at=None)
    mark_open_batches_uncertain(now=NOW + timedelta(minutes=6))
    release_after_restore(now=NOW + timedelta(minutes=6))
    clock = Clock()
    clock.now = NOW + timedelta(minutes=7)
    send = send_all_again(clock)
    assert send.state == Send.State.SUBMITTED
    assert len(first.accepted_counts()) == 10
    assert second.ledger == []


@of_each_replaying_provider
def test_one_account_is_called_again_under_the_same_key(replaying):
    start_ready_send(recipients=10)
    replaying.stop_listening()
    send_one()
    restore = back_up()
    replaying.start_listening()
    assert run().state == Send.State.SUBMITTED
    restore()
    mark_open_batches_uncertain(now=SOON)
    release_after_restore(now=SOON)
    clock = Clock()
    clock.now = SOON
    assert send_all_again(clock).state == Send.State.SUBMITTED
    assert set(replaying.accepted_counts().values()) == {1}


@of_each_replaying_provider
def test_people_of_a_batch_halved_since_the_backup_are_mailed_once(replaying):
    """The repeat is refused and halved as before: its halves have the keys that they had."""
    start_ready_send(recipients=10)
    replaying.stop_listening()
    send_one()
    restore = back_up()
    places = dict(Delivery.objects.values_list("pk", "batch"))
    replaying.start_listening()
    replaying.fault_for("person3@example.com", answer(400, b'{"code": "invalid_parameter", "message": "no"}'))
    run()
    assert Batch.objects.count() > 2
    assert len(replaying.accepted_counts()) == 9
    for delivery, batch in places.items():
        Delivery.objects.filter(pk=delivery).update(batch=batch)
    restore()
    Batch.objects.exclude(pk__in=places.values()).delete()
    mark_open_batches_uncertain(now=SOON)
    release_after_restore(now=SOON)
    clock = Clock()
    clock.now = SOON
    send_all_again(clock)
    assert Batch.objects.count() > 2
    assert set(replaying.accepted_counts().values()) == {1}


def test_a_batch_that_loses_people_twice_gives_each_part_its_own_key(replaying):
    start_ready_send(recipients=10)
    batch, people = Batch.objects.get(), list(Delivery.objects.values_list("pk", flat=True))
    keys = {
        split_off(batch=batch, deliveries=[person], not_before=None, key=derive_key(batch, "retried")).key
        for person in people[:2]
    }
    assert len(keys) == 2
    assert derive_key(batch, "retried") in keys


@of_each_replaying_provider
def test_one_account_is_not_called_once_it_forgot_the_key(replaying):
    """The sweep chose the batch in time, but a worker gets to it a day later."""
    start_ready_send(recipients=10)
    replaying.stop_listening()
    send_one()
    mark_open_batches_uncertain(now=SOON)
    release_after_restore(now=SOON)
    replaying.start_listening()
    sweep(adapter=current_adapter(), clock=lambda: SOON)
    assert Batch.objects.get().state == Batch.State.PENDING
    send_one(at=NOW + timedelta(days=2))
    assert Batch.objects.get().state == Batch.State.UNCERTAIN
    assert replaying.ledger == []


def test_untried_batches_of_one_account_wait_for_staff(replaying):
    send = start_ready_send(recipients=10)
    mark_open_batches_uncertain(now=SOON)
    release_after_restore(now=SOON)
    clock = Clock()
    clock.now = SOON
    assert send_all_again(clock).state == Send.State.NEEDS_ATTENTION
    send_again(batch=Batch.objects.get(), by=make_approver(), now=clock.now)
    assert run(clock).state == Send.State.SUBMITTED
    assert len(replaying.ledger) == 1
    assert make_receipt(send).deliveries["accepted"] == 10


def test_a_repeat_cancelled_after_a_restore_leaves_them_uncertain(replaying):
    send = start_ready_send(recipients=10)
    mark_open_batches_uncertain(now=SOON)
    by = make_approver()
    send_again(batch=Batch.objects.get(), by=by, now=SOON)
    cancel_send(send=Send.objects.get(), by=by, now=SOON)
    assert make_receipt(send).deliveries["uncertain"] == 10


def test_restored_batches_do_not_count_as_failures(replaying):
    send = start_ready_send(recipients=PEOPLE)
    mark_open_batches_uncertain(now=SOON)
    send.refresh_from_db()
    assert send.resumed_after_attempt == Attempt.objects.latest("pk").pk
    assert Attempt.objects.filter(provider="", outcome="uncertain").count() == 3


def test_a_send_that_had_not_started_yet_mails_nobody_again(replaying):
    send = start_ready_send(recipients=10)
    Send.objects.update(state=Send.State.READY, started_at=None)
    Issue.objects.update(state=Issue.State.APPROVED)
    found = mark_open_batches_uncertain(now=SOON)
    assert (found.batches, found.people) == (1, 10)
    release_after_restore(now=SOON)
    clock = Clock()
    clock.now = NOW + timedelta(minutes=5)
    assert send_all_again(clock).state == Send.State.NEEDS_ATTENTION
    assert replaying.ledger == []
    assert make_receipt(send).deliveries["uncertain"] == 10


def test_a_send_without_its_audience_is_cancelled_and_held(replaying):
    issue = make_ready_issue(recipients=10)
    send = request_send(issue=issue, by=make_approver(), now=NOW)
    assert mark_open_batches_uncertain(now=SOON).issues == [issue.reference]
    release_after_restore(now=SOON)
    prepare_requested_sends(now=NOW + timedelta(minutes=5))
    sweep(adapter=current_adapter(), clock=lambda: NOW + timedelta(minutes=5))
    send.refresh_from_db()
    assert (send.state, send.ended_at) == (Send.State.CANCELLED, SOON)
    assert Issue.objects.get().held
    assert replaying.ledger == []
