"""Soft bounces suppress an address only if they go on for days without a delivery."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.models import Delivery
from subscribers.models import Reason, Subscriber
from tests.support.feedback_reports import (
    apply_reports,
    brevo_event,
    deliveries_of,
    find_suppressions,
    make_send,
)
from tests.support.fixtures import NOW

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.requirement("S1"),
    pytest.mark.requirement("S4"),
    pytest.mark.requirement("S5"),
]


@pytest.fixture(autouse=True)
def _small_batches(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=10"


def soft_issue(reader: Subscriber, number: int, *, at: datetime, event: str = "soft_bounce", **more: Any) -> Delivery:
    """One more issue to one reader, and what became of it."""
    last = Delivery.objects.filter(subscriber_id=reader.pk).order_by("pk").last()
    assert last is not None
    issue = last.issue
    issue.pk, issue.number, issue.public_id, issue.slot = None, 100 + number, f"soft{number}", None
    issue._state.adding = True
    issue.save()
    send, batch = last.batch.send, last.batch
    send.pk, send.issue = None, issue
    send._state.adding = True
    send.save()
    batch.pk, batch.send, batch.key = None, send, f"soft-{number}"
    batch._state.adding = True
    batch.save()
    delivery = Delivery.objects.create(
        issue=issue, batch=batch, subscriber_id=reader.pk, address_hash=last.address_hash
    )
    if event:
        apply_reports(brevo_event(event, delivery, at=at, **more), now=at)
    return delivery


FULL = {"reason": "452 4.2.2 mailbox full"}


@pytest.fixture
def reader() -> Subscriber:
    send = make_send(recipients=1)
    (first,) = deliveries_of(send)
    apply_reports(brevo_event("delivered", first))
    return Subscriber.objects.get()


@pytest.mark.requirement("S2")
def test_three_soft_bounces_over_fifteen_days_suppress(reader: Subscriber) -> None:
    for number, day in enumerate((7, 14)):
        soft_issue(reader, number, at=NOW + timedelta(days=day), **FULL)
    third = soft_issue(reader, 2, at=NOW + timedelta(days=21), **FULL)
    assert find_suppressions(third) == set()
    fourth = soft_issue(reader, 3, at=NOW + timedelta(days=28), **FULL)
    assert find_suppressions(fourth) == {Reason.SOFT_LIMIT}


def test_two_soft_bounces_far_apart_suppress_nobody(reader: Subscriber) -> None:
    soft_issue(reader, 0, at=NOW + timedelta(days=7), **FULL)
    second = soft_issue(reader, 1, at=NOW + timedelta(days=60), **FULL)
    assert find_suppressions(second) == set()


@pytest.mark.requirement("S2")
def test_one_delivery_starts_the_count_again(reader: Subscriber) -> None:
    soft_issue(reader, 0, at=NOW + timedelta(days=7), **FULL)
    soft_issue(reader, 1, at=NOW + timedelta(days=14), **FULL)
    soft_issue(reader, 2, at=NOW + timedelta(days=21), event="delivered")
    last = soft_issue(reader, 3, at=NOW + timedelta(days=28), **FULL)
    assert find_suppressions(last) == set()


def test_a_refusal_of_the_sender_neither_counts_nor_interrupts(reader: Subscriber) -> None:
    soft_issue(reader, 0, at=NOW + timedelta(days=7), **FULL)
    soft_issue(reader, 1, at=NOW + timedelta(days=14), **FULL)
    blocked = soft_issue(reader, 2, at=NOW + timedelta(days=21), event="blocked", reason="listed")
    assert find_suppressions(blocked) == set()
    last = soft_issue(reader, 3, at=NOW + timedelta(days=28), **FULL)
    assert find_suppressions(last) == {Reason.SOFT_LIMIT}


def test_only_an_older_issue_without_a_report_interrupts_the_count(reader: Subscriber) -> None:
    for number, day in enumerate((7, 14, 21)):
        soft_issue(reader, number, at=NOW + timedelta(days=day), **FULL)
    silent = soft_issue(reader, 3, at=NOW, event="")
    late = Delivery.objects.get(batch__key="soft-2")
    apply_reports(brevo_event("soft_bounce", late, at=NOW + timedelta(days=29), **FULL), now=NOW + timedelta(days=29))
    assert find_suppressions(silent) == set()
    last = soft_issue(reader, 4, at=NOW + timedelta(days=35), **FULL)
    assert find_suppressions(last) == set()
