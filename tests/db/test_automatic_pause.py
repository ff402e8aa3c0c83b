"""A send pauses automatically if going on would harm, and not again for what staff have seen."""

from datetime import timedelta
from typing import Any

import pytest

from newsletter.feedback.automatic_pause import SendCounts, find_broken_rules
from newsletter.feedback.event_retention import delete_old_events
from newsletter.jobs.notices.about_sends import notify_stopped_sends
from newsletter.models import ProviderEvent, Send, StaffNotice
from newsletter.models.sending.automatic_pauses import AutomaticPause
from tests.support.feedback_reports import (
    apply_reports,
    brevo_event,
    deliveries_of,
    find_suppressions,
    make_send,
)
from tests.support.fixtures import NOW, make_approver

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _large_batches(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=500"


def counts(**changes: int) -> SendCounts:
    return SendCounts(
        **{"accepted": 0, "having_the_mail": 0, "hard": 0, "complained": 0, "unauthenticated": 0, **changes}
    )


@pytest.mark.parametrize(
    ("numbers", "rules"),
    [
        ({"accepted": 499, "hard": 400}, []),
        ({"accepted": 500, "hard": 24}, []),
        ({"accepted": 500, "hard": 25}, ["hard"]),
        ({"accepted": 100_000, "hard": 4_999}, []),
        ({"accepted": 900, "having_the_mail": 900, "complained": 2}, []),
        ({"accepted": 900, "having_the_mail": 900, "complained": 3}, ["complaints"]),
        ({"accepted": 5_000, "having_the_mail": 1_000, "complained": 3}, ["complaints"]),
        ({"accepted": 5_000, "having_the_mail": 5_000, "complained": 14}, []),
        ({"accepted": 5_000, "having_the_mail": 5_000, "complained": 15}, ["complaints"]),
        ({"accepted": 1_000, "unauthenticated": 19}, []),
        ({"accepted": 400, "unauthenticated": 20}, ["authentication"]),
        ({"accepted": 401, "unauthenticated": 20}, []),
        ({"accepted": 500, "hard": 25, "having_the_mail": 475, "complained": 3}, ["complaints", "hard"]),
        ({"complained": 3}, ["complaints"]),
    ],
)
@pytest.mark.requirement("B2")
@pytest.mark.requirement("B3")
def test_each_rule_has_its_limit(numbers: dict[str, int], rules: list[str]) -> None:
    assert [rule for rule, _, _ in find_broken_rules(counts(**numbers))] == rules


def hard(count: int, send: Send, *, start: int = 0) -> list[dict[str, Any]]:
    return [
        brevo_event("hard_bounce", each, reason="550 5.1.1 unknown")
        for each in deliveries_of(send)[start : start + count]
    ]


@pytest.mark.requirement("B3")
def test_a_send_to_an_old_list_pauses_with_numbers_and_advice() -> None:
    send = make_send(recipients=500)
    apply_reports(*hard(24, send))
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
    apply_reports(*hard(1, send, start=24))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "25 of 500 addresses do not exist (5.0 %; the limit is 5 %)" in send.reason


@pytest.mark.requirement("B2")
def test_three_complaints_pause_a_small_send() -> None:
    send = make_send(recipients=20)
    apply_reports(
        *(brevo_event("delivered", each) for each in deliveries_of(send)),
        *(brevo_event("spam", each) for each in deliveries_of(send)[:3]),
    )
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "3 of 20 recipients reported this issue as spam (15.0 %" in send.reason


@pytest.mark.requirement("B5")
def test_the_mail_about_a_pause_ends_each_sentence_once() -> None:
    make_approver()
    send = make_send(recipients=3)
    apply_reports(*[brevo_event("spam", delivery) for delivery in deliveries_of(send)])
    notify_stopped_sends(now=LATER)
    why, *_ = StaffNotice.objects.get().paragraphs
    assert why.startswith("Why: Stopped automatically: 3 of 3 recipients")
    assert why.endswith("how they joined.")
    Send.objects.filter(pk=send.pk).update(reason="the provider is away")
    notify_stopped_sends(now=LATER)
    assert StaffNotice.objects.latest("pk").paragraphs[0] == "Why: the provider is away."


def test_refused_authentication_pauses_and_suppresses_nobody() -> None:
    send = make_send(recipients=40)
    apply_reports(
        *(brevo_event("hard_bounce", each, reason="550 5.7.26 unauthenticated") for each in deliveries_of(send)[:20])
    )
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "SPF, DKIM, DMARC" in send.reason
    assert find_suppressions(deliveries_of(send)[0]) == set()


def test_a_resumed_send_pauses_again_only_at_twice_the_cases() -> None:
    send = make_send(recipients=20)
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING, reason="")
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[3:5]), now=LATER + timedelta(minutes=1))
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
    apply_reports(brevo_event("spam", deliveries_of(send)[5]), now=LATER + timedelta(minutes=2))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert AutomaticPause.objects.get().cases == 6


def test_an_overridden_rule_does_not_hide_another_one() -> None:
    send = make_send(recipients=500)
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING, reason="")
    apply_reports(*hard(25, send, start=10), now=LATER + timedelta(minutes=1))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert set(AutomaticPause.objects.values_list("rule", flat=True)) == {"complaints", "hard"}


@pytest.mark.parametrize("state", [Send.State.PAUSED, Send.State.SUBMITTED, Send.State.CANCELLED])
def test_a_send_that_is_not_running_is_left_alone(state: str) -> None:
    send = make_send(recipients=20)
    Send.objects.filter(pk=send.pk).update(state=state, reason="as it was")
    apply_reports(*(brevo_event("spam", each) for each in deliveries_of(send)[:3]))
    send.refresh_from_db()
    assert (send.state, send.reason) == (state, "as it was")


@pytest.mark.requirement("W2")
def test_old_events_are_deleted_and_waiting_ones_are_kept() -> None:
    """Longer than a week."""
    send = make_send()
    one, two, _ = deliveries_of(send)
    apply_reports(brevo_event("spam", one))
    waiting = {"provider": "brevo", "kind": "delivered", "body": {}, "received_at": LATER, "retry_at": LATER}
    ProviderEvent.objects.create(key="waits", **waiting)
    ProviderEvent.objects.create(key="asks", **{**waiting, "kind": "subscription", "applied_at": LATER})
    ProviderEvent.objects.create(key="token", once="used", **{**waiting, "applied_at": LATER})
    assert delete_old_events(now=LATER + timedelta(hours=47)) == 0
    assert delete_old_events(now=LATER + timedelta(days=13)) == 1
    assert delete_old_events(now=LATER + timedelta(days=15)) == 1
    assert set(ProviderEvent.objects.values_list("key", flat=True)) == {"waits", "asks"}
