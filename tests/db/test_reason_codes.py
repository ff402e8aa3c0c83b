"""Codes, not sentences, decide: the database keeps them closed, and a reworded sentence changes no decision."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from newsletter.feedback.automatic_pause import record_refusals
from newsletter.jobs.notices.about_sends import notify_stopped_sends
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Send, StaffNotice
from newsletter.models.feedback import Bounce
from newsletter.sending.adapters import account_label, current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.settling.reconcile import is_repeat_safe
from newsletter.sending.settling.render_failures import count_render_failures, was_stopped_by_render_failures
from newsletter.sending.settling.send_controls import (
    pause_send,
    resume_send,
)
from newsletter.sending.settling.sweep import finish_sends
from newsletter.sending.settling.uncertain_batches import send_again
from newsletter.sending.settling.uncertain_recipients import settle_unsubscribed
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.sends import start_send

pytestmark = pytest.mark.django_db(transaction=True)
REWORDED = "a sentence that nobody wrote before"
CODED: tuple[type[models.Model], ...] = (Send, Batch, Attempt, DeliveryException)


def start(people: int = 5) -> Send:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, people)
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def make_uncertain(batch: Batch, *, at: datetime = NOW) -> None:
    """Claim a batch and lose its worker during the call."""
    assert claim_batch(batch_id=batch.pk, provider=account_label(), now=at)
    Attempt.objects.filter(batch=batch, ended_at=None).update(ended_at=at, outcome="uncertain")
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.UNCERTAIN, settled_at=at)
    batch.refresh_from_db()


def is_safe(batch: Batch) -> bool:
    batch.refresh_from_db()
    return is_repeat_safe(
        batch=batch,
        attempt_number=batch.attempt_number + 1,
        account=account_label(),
        capabilities=current_adapter().capabilities,
        now=NOW + timedelta(minutes=5),
    )


@pytest.mark.parametrize("model", CODED, ids=lambda model: model.__name__)
def test_the_database_refuses_an_unknown_code(model: type[models.Model]) -> None:
    send = start()
    batch = send.batches.get()
    make_uncertain(batch)
    DeliveryException.objects.create(delivery=Delivery.objects.filter(batch=batch)[0], at=NOW)
    rows = model._default_manager.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(code="unknown")
    for code in model.Code.values:  # type: ignore[attr-defined]
        assert rows.update(code=code)


def test_only_the_code_allows_a_repeat_after_staff_sent_it_again(fake_provider: Any, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    send = start()
    batch = send.batches.get()
    make_uncertain(batch)
    assert not is_safe(batch)
    send_again(batch=batch, by=make_approver(), now=NOW)
    Attempt.objects.update(detail=REWORDED)
    assert is_safe(batch)
    Attempt.objects.update(code="", detail="sent again by approver@example.org, at the risk of a second mail")
    assert not is_safe(batch)


def test_render_failures_are_found_by_their_code() -> None:
    send = start()
    batch = send.batches.get()
    make_uncertain(batch)
    Attempt.objects.update(code=Attempt.Code.RENDER_STOP, detail=REWORDED)
    assert was_stopped_by_render_failures(batch, before=2)
    failed = DeliveryException.objects.create(
        delivery=Delivery.objects.filter(batch=batch)[0],
        state="rejected",
        code="render_failure",
        reason=REWORDED,
        at=NOW,
    )
    assert count_render_failures(send) == 1
    DeliveryException.objects.filter(pk=failed.pk).update(code="", reason="the mail could not be made for this person")
    assert count_render_failures(send) == 0


def test_only_the_code_settles_people_who_unsubscribed() -> None:
    send = start()
    batch = send.batches.get()
    make_uncertain(batch)
    first, second = Delivery.objects.filter(batch=batch).order_by("pk")[:2]
    later = NOW + timedelta(minutes=1)
    for delivery, code in ((first, "unsubscribed"), (second, "")):
        DeliveryException.objects.create(delivery=delivery, state="uncertain", code=code, reason=REWORDED, at=later)
    Batch.objects.update(state=Batch.State.ACCEPTED)
    finish_sends(now=later)
    send.refresh_from_db()
    assert "1 person unsubscribed during the send" in send.reason
    assert settle_unsubscribed([batch.pk]) == 1
    assert DeliveryException.objects.get(state="uncertain").delivery_id == second.pk


def test_a_refusal_of_the_sender_replaces_only_its_own_reason() -> None:
    send = start()
    Bounce.objects.create(delivery=Delivery.objects.all()[0], bounce_class="block", status="5.7.1", at=NOW)
    record_refusals(send_ids=[send.pk])
    send.refresh_from_db()
    assert (send.code, "1 so far (5.7.1)" in send.reason) == (Send.Code.SENDER_REFUSED, True)
    Send.objects.update(reason=REWORDED)
    record_refusals(send_ids=[send.pk])
    send.refresh_from_db()
    assert send.reason != REWORDED
    pause_send(send=send, by=make_approver(), reason="a bad subject")
    record_refusals(send_ids=[send.pk])
    send.refresh_from_db()
    assert (send.code, "a bad subject" in send.reason) == (Send.Code.PAUSED_BY_STAFF, True)


def test_staff_get_no_notice_of_a_send_that_they_paused() -> None:
    send = start()
    pause_send(send=send, by=make_approver())
    Send.objects.update(reason=REWORDED)
    notify_stopped_sends(now=NOW)
    assert not StaffNotice.objects.exists()
    resume_send(send=send, by=make_approver())
    assert send.code == Send.Code.NONE
    Send.objects.update(state=Send.State.PAUSED, reason="paused by nobody")
    notify_stopped_sends(now=NOW)
    assert StaffNotice.objects.exists()


def test_a_stored_reason_keeps_its_template_and_values() -> None:
    send = start()
    pause_send(send=send, by=make_approver(), reason="x" * 600)
    send.refresh_from_db()
    assert send.reason.template == "paused by %(by)s: %(reason)s"
    assert send.reason.values["reason"] == "x" * 600
