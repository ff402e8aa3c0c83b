"""A send stops by itself where going on would harm, says why, and is not stopped again for what a person saw (B2, B3, B5)."""

from datetime import timedelta
from typing import Any

import pytest

from newsletter.feedback.automatic_pause import SendCounts, find_broken_rules
from newsletter.feedback.event_retention import delete_old_events, list_topics_to_confirm
from newsletter.models import ProviderEvent, Send
from newsletter.models.feedback import AutomaticPause
from tests.db.test_feedback_apply import apply, brevo, make_send, people, suppressed
from tests.support.fixtures import NOW

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _large_batches(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=500"


def counts(**changes: int) -> SendCounts:
    return SendCounts(**{"accepted": 0, "delivered": 0, "hard": 0, "complained": 0, "unproven": 0, **changes})


@pytest.mark.parametrize(
    ("numbers", "rules"),
    [
        ({"accepted": 499, "hard": 400}, []),
        ({"accepted": 500, "hard": 24}, []),
        ({"accepted": 500, "hard": 25}, ["hard"]),
        ({"accepted": 100_000, "hard": 4_999}, []),
        ({"accepted": 900, "delivered": 900, "complained": 2}, []),
        ({"accepted": 900, "delivered": 900, "complained": 3}, ["complaints"]),
        ({"accepted": 5_000, "delivered": 1_000, "complained": 3}, ["complaints"]),
        ({"accepted": 5_000, "delivered": 5_000, "complained": 14}, []),
        ({"accepted": 5_000, "delivered": 5_000, "complained": 15}, ["complaints"]),
        ({"accepted": 5_000, "delivered": 0, "complained": 14}, []),
        ({"accepted": 1_000, "unproven": 19}, []),
        ({"accepted": 400, "unproven": 20}, ["authentication"]),
        ({"accepted": 401, "unproven": 20}, []),
        ({"accepted": 500, "hard": 25, "delivered": 475, "complained": 3}, ["complaints", "hard"]),
        ({"complained": 3}, ["complaints"]),
    ],
)
def test_each_rule_has_its_limit(numbers: dict[str, int], rules: list[str]) -> None:
    """B2, B3."""
    assert [rule for rule, _, _ in find_broken_rules(counts(**numbers))] == rules


def hard(count: int, send: Send, *, start: int = 0) -> list[dict[str, Any]]:
    return [brevo("hard_bounce", each, reason="550 5.1.1 unknown") for each in people(send)[start : start + count]]


def test_a_send_to_an_old_list_pauses_with_numbers_and_advice() -> None:
    """B3."""
    send = make_send(readers=500)
    apply(*hard(24, send))
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
    apply(*hard(1, send, start=24))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "25 of 500 addresses do not exist (5.0 %; the limit is 5 %)" in send.reason


def test_three_complaints_pause_a_small_send() -> None:
    """B2."""
    send = make_send(readers=20)
    apply(*(brevo("delivered", each) for each in people(send)), *(brevo("spam", each) for each in people(send)[:3]))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "3 of 20 recipients reported this issue as spam (15.0 %" in send.reason


def test_refused_authentication_pauses_and_suppresses_nobody() -> None:
    """B5."""
    send = make_send(readers=40)
    apply(*(brevo("hard_bounce", each, reason="550 5.7.26 unauthenticated") for each in people(send)[:20]))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "SPF, DKIM, DMARC" in send.reason
    assert suppressed(people(send)[0]) == set()


def test_a_resumed_send_pauses_again_only_at_twice_the_cases() -> None:
    send = make_send(readers=20)
    apply(*(brevo("spam", each) for each in people(send)[:3]))
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING, reason="")
    apply(*(brevo("spam", each) for each in people(send)[3:5]), now=LATER + timedelta(minutes=1))
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
    apply(brevo("spam", people(send)[5]), now=LATER + timedelta(minutes=2))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert AutomaticPause.objects.get().cases == 6


def test_an_overridden_rule_does_not_hide_another_one() -> None:
    send = make_send(readers=500)
    apply(*(brevo("spam", each) for each in people(send)[:3]))
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING, reason="")
    apply(*hard(25, send, start=10), now=LATER + timedelta(minutes=1))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert set(AutomaticPause.objects.values_list("rule", flat=True)) == {"complaints", "hard"}


@pytest.mark.parametrize("state", [Send.State.PAUSED, Send.State.SUBMITTED, Send.State.CANCELLED])
def test_a_send_that_is_not_running_is_left_alone(state: str) -> None:
    send = make_send(readers=20)
    Send.objects.filter(pk=send.pk).update(state=state, reason="as it was")
    apply(*(brevo("spam", each) for each in people(send)[:3]))
    send.refresh_from_db()
    assert (send.state, send.reason) == (state, "as it was")


def test_old_events_are_deleted_and_waiting_ones_are_kept() -> None:
    """W2: longer than a week."""
    send = make_send()
    one, two, _ = people(send)
    apply(brevo("spam", one))
    waiting = {"provider": "brevo", "kind": "delivered", "body": {}, "received_at": LATER, "retry_at": LATER}
    ProviderEvent.objects.create(key="waits", **waiting)
    ProviderEvent.objects.create(key="asks", **{**waiting, "kind": "subscription", "applied_at": LATER})
    ProviderEvent.objects.create(key="token", once="used", **{**waiting, "applied_at": LATER})
    assert delete_old_events(now=LATER + timedelta(hours=47)) == 0
    assert delete_old_events(now=LATER + timedelta(days=13)) == 1
    assert delete_old_events(now=LATER + timedelta(days=15)) == 1
    assert set(ProviderEvent.objects.values_list("key", flat=True)) == {"waits", "asks"}
    assert [event.key for event in list_topics_to_confirm()] == ["asks"]
