"""A difference from the provider's counts that is still there on the seventh day is found, at whatever hour the send ended."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.feedback.comparing.compare import compare_due_sends
from newsletter.feedback.comparing.compare_counts import find_persisting_differences
from newsletter.models import CountComparison, Send
from newsletter.sending.adapters import find_issue_counters, provider_label
from tests.support.fake_provider import FakeProvider
from tests.support.feedback_reports import make_send
from tests.support.provider_faults import answer
from tests.support.provider_issue_counts import CountedIssue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("W8")]
MIDNIGHT = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.fixture
def provider(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("sendgrid")
    return fake_provider


def make_ended_send(ended_at: datetime) -> Send:
    send = make_send(recipients=4)
    Send.objects.filter(pk=send.pk).update(
        state=Send.State.SUBMITTED,
        started_at=ended_at - timedelta(hours=1),
        ended_at=ended_at,
        provider=provider_label(),
    )
    return Send.objects.get(pk=send.pk)


@pytest.mark.parametrize("minutes", [0, 5, 30, 61, 12 * 60, 23 * 60 + 59])
def test_a_difference_is_found_at_whatever_hour_the_send_ended(provider: FakeProvider, minutes: int) -> None:
    """Comparisons run just after midnight UTC, which is before the full hours of a day are over for a send that ended later."""
    ended_at = MIDNIGHT + timedelta(minutes=minutes)
    send = make_ended_send(ended_at)
    provider.counted[send.issue.public_id] = CountedIssue(accepted=3)
    found: list[int] = []
    for day in range(9):
        now = MIDNIGHT + timedelta(days=day, minutes=10)
        compare_due_sends(counters=find_issue_counters(), now=now)
        if find_persisting_differences(now=now):
            found.append(day)
    assert found == [6, 7, 8]


def test_a_send_is_compared_until_the_end_of_day_seven(provider: FakeProvider) -> None:
    send = make_ended_send(MIDNIGHT + timedelta(minutes=5))
    provider.counted[send.issue.public_id] = CountedIssue(accepted=4)
    counters = find_issue_counters()
    assert compare_due_sends(counters=counters, now=MIDNIGHT + timedelta(days=7, hours=23, minutes=59)) == 1
    assert compare_due_sends(counters=counters, now=MIDNIGHT + timedelta(days=8)) == 0
    assert CountComparison.objects.count() == 1


def compare_until(day: int, *, provider: FakeProvider, send: Send, counted: dict[int, int | None]) -> list[str]:
    """Compare each day until ``day`` with the accepted mails of that day, None for no answer. Return what is found then."""
    now = MIDNIGHT
    for number in range(day + 1):
        now = MIDNIGHT + timedelta(days=number, hours=12)
        accepted = counted.get(number, 3)
        provider.query_fault = answer(500) if accepted is None else None
        provider.counted[send.issue.public_id] = CountedIssue(accepted=accepted or 0)
        compare_due_sends(counters=find_issue_counters(), now=now)
    return [row.result for row in find_persisting_differences(now=now)]


@pytest.mark.parametrize(
    ("counted", "result"),
    [
        ({7: None}, ["fewer_at_provider"]),
        ({6: None, 7: None}, ["fewer_at_provider"]),
        ({5: None, 6: None, 7: None}, []),
        ({7: 4}, []),
        ({6: 4, 7: None}, []),
    ],
)
def test_a_failed_call_at_the_end_hides_no_difference(
    provider: FakeProvider, counted: dict[int, int | None], result: list[str]
) -> None:
    send = make_ended_send(MIDNIGHT + timedelta(hours=1))
    assert compare_until(7, provider=provider, send=send, counted=counted) == result


def test_a_difference_of_the_sixth_day_waits_for_the_seventh(provider: FakeProvider) -> None:
    send = make_ended_send(MIDNIGHT + timedelta(hours=1))
    assert compare_until(5, provider=provider, send=send, counted={}) == []


def test_an_issue_that_the_provider_does_not_know_is_found(provider: FakeProvider) -> None:
    send = make_ended_send(MIDNIGHT + timedelta(hours=1))
    provider.counted.pop(send.issue.public_id, None)
    now = MIDNIGHT + timedelta(days=6, hours=12)
    compare_due_sends(counters=find_issue_counters(), now=now)
    assert [row.failure for row in find_persisting_differences(now=now)] == ["unknown_issue"]
