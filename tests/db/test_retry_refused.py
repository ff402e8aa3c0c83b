"""Staff retry people whom the provider refused: nobody gets a second mail, and the receipt adds up."""

import pytest
from django.contrib.auth.models import User

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Issue, Send, Story
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.limits.split_batches import split_off
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.retry_refused import list_refusals, retry_refused
from subscribers.models import Subscriber
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.provider_faults import answer
from tests.support.sends import Clock, check_against_ledger, start_send

pytestmark = pytest.mark.django_db(transaction=True)


def run(send: Send, clock: Clock) -> Send:
    return run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)


def send_with_refused(provider: FakeProvider, settings: object, *, scheme: str = "postmark") -> tuple[Send, Clock]:
    """Send to 20 people, of whom the provider refuses the first three."""
    settings.NEWSLETTER_PROVIDER_URL = provider.url_of(scheme) + "&max_batch=10"  # type: ignore[attr-defined]
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 20)
    for number in range(3):
        refuse(provider, number, scheme=scheme)
    clock = Clock()
    return run(start_send(issue=make_issue(publication, approved=True), now=clock()), clock), clock


def refuse(provider: FakeProvider, number: int, *, scheme: str = "postmark") -> None:
    if scheme == "postmark":
        provider.refuse_person(address_of(number), 300)
    else:
        provider.fault_for(address_of(number), answer(400, b'{"message": "free accounts are for testing"}'))


def address_of(number: int) -> str:
    return Subscriber.objects.order_by("pk")[number].email


def keys_of(send: Send) -> list[str]:
    return [refusal.key for refusal in list_refusals(send)]


@pytest.mark.parametrize("scheme", ["postmark", "mailgun"])
def test_refused_people_get_the_mail_once_the_cause_is_gone(
    fake_provider: FakeProvider, settings: object, scheme: str
) -> None:
    send, clock = send_with_refused(fake_provider, settings, scheme=scheme)
    assert [refusal.people for refusal in list_refusals(send)] == [3]
    assert make_receipt(send).deliveries["rejected"] == 3
    fake_provider.stop_refusing()
    assert retry_refused(send=send, keys=keys_of(send), by=make_approver(), now=clock()) == 3
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
    ended = run(send, clock)
    assert ended.state == Send.State.SUBMITTED
    receipt = check_against_ledger(ended, fake_provider, recipients=20)
    assert (receipt.deliveries["accepted"], receipt.deliveries["rejected"]) == (20, 0)
    assert set(fake_provider.accepted_counts().values()) == {1}
    assert Issue.objects.get().state == Issue.State.SENT
    assert not list_refusals(ended)


def test_people_refused_again_stay_refused_and_can_be_retried(fake_provider: FakeProvider, settings: object) -> None:
    send, clock = send_with_refused(fake_provider, settings)
    for _ in range(2):
        retry_refused(send=send, keys=keys_of(send), by=make_approver(), now=clock())
        send.refresh_from_db()
        send = run(send, clock)
        assert [refusal.people for refusal in list_refusals(send)] == [3]
    assert make_receipt(send).deliveries == {
        "pending": 0,
        "accepted": 17,
        "rejected": 3,
        "skipped": 0,
        "uncertain": 0,
    }


def test_only_the_chosen_reason_is_tried_again(fake_provider: FakeProvider, settings: object) -> None:
    send, clock = send_with_refused(fake_provider, settings)
    other = DeliveryException.objects.filter(state="rejected").first()
    DeliveryException.objects.filter(pk=other.pk).update(reason="the address is not valid")  # type: ignore[union-attr]
    common, rare = list_refusals(send)
    assert (common.people, rare.people, rare.reason) == (2, 1, "the address is not valid")
    fake_provider.stop_refusing()
    assert retry_refused(send=send, keys=[common.key], by=make_approver(), now=clock()) == 2
    send.refresh_from_db()
    assert make_receipt(run(send, clock)).deliveries["rejected"] == 1


def test_whoever_unsubscribed_since_is_skipped(fake_provider: FakeProvider, settings: object) -> None:
    send, clock = send_with_refused(fake_provider, settings)
    fake_provider.stop_refusing()
    gone = Subscriber.objects.order_by("pk")[0]
    unsubscribe_from_list(subscriber=gone, mailing_list=send.issue.publication.mailing_list, now=clock())
    retry_refused(send=send, keys=keys_of(send), by=make_approver(), now=clock())
    send.refresh_from_db()
    receipt = make_receipt(run(send, clock))
    assert (receipt.deliveries["accepted"], receipt.deliveries["skipped"]) == (19, 1)
    assert gone.email not in fake_provider.accepted_counts()


def test_whoever_may_have_an_earlier_mail_is_not_tried_again(fake_provider: FakeProvider, settings: object) -> None:
    send, clock = send_with_refused(fake_provider, settings)
    Attempt.objects.update(outcome="uncertain")
    assert not list_refusals(send)
    with pytest.raises(NotReady, match="nobody left"):
        retry_refused(send=send, keys=["any"], by=make_approver(), now=clock())


def test_parts_of_a_batch_that_may_be_taken_are_not_tried_again(fake_provider: FakeProvider, settings: object) -> None:
    """An earlier call of the whole batch may have mailed them. The part has none of its attempts."""
    send, clock = send_with_refused(fake_provider, settings)
    refused = Delivery.objects.filter(exception__state="rejected")
    batch = Batch.objects.get(deliveries=refused[0])
    people = list(refused.filter(batch=batch).values_list("pk", flat=True))
    part = split_off(batch=batch, deliveries=people, not_before=None, handed_to=batch.account)
    Batch.objects.filter(pk=part.pk).update(state="partial")
    again = split_off(batch=part, deliveries=people[:1], not_before=None)
    Batch.objects.filter(pk=again.pk).update(state="partial")
    assert len(people) == 3
    assert not list_refusals(send)
    with pytest.raises(NotReady, match="nobody left"):
        retry_refused(send=send, keys=["any"], by=make_approver(), now=clock())


def test_a_second_press_finds_nobody(fake_provider: FakeProvider, settings: object) -> None:
    send, clock = send_with_refused(fake_provider, settings)
    keys, by = keys_of(send), make_approver()
    retry_refused(send=send, keys=keys, by=by, now=clock())
    with pytest.raises(WrongState, match="Wait until it ends"):
        retry_refused(send=send, keys=keys, by=by, now=clock())
    assert Batch.objects.filter(state="pending").count() == 1


def test_a_withdrawn_story_is_not_sent_to_those_refused(fake_provider: FakeProvider, settings: object) -> None:
    send, clock = send_with_refused(fake_provider, settings)
    fake_provider.stop_refusing()
    Story.objects.update(consent_needed=True, withdrawn_at=clock())
    retry_refused(send=send, keys=keys_of(send), by=make_approver(), now=clock())
    send.refresh_from_db()
    send = run(send, clock)
    assert send.state == Send.State.PAUSED
    assert len(fake_provider.accepted_counts()) == 17


def test_staff_without_the_right_try_nobody_again(fake_provider: FakeProvider, settings: object) -> None:
    send, clock = send_with_refused(fake_provider, settings)
    with pytest.raises(NotAllowed, match="approver"):
        retry_refused(send=send, keys=keys_of(send), by=User.objects.create(username="kim"), now=clock())
