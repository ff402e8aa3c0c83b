"""A send is slowed step by step while a mailbox provider refuses its sender, raised when that stops, paused if it goes on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from newsletter.common.errors import NotReady
from newsletter.feedback.adjust_pace import adjust_pace, adjust_paces, describe_slowing
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, PaceStep, ProviderAccount, Send, SenderDelay
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.limits.rate_limit import find_pace_wait, reserve_pace, set_pace
from newsletter.sending.settling.send_controls import resume_send
from newsletter.sending.settling.sweep import clear_far_future_times
from subscribers.identity import identify
from subscribers.models import Subscriber
from tests.support.feedback_reports import apply_reports, brevo_event, deliveries_of, make_send
from tests.support.fixtures import NOW, make_approver
from tests.support.repeated_rows import repeat_rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
RATE = "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail"
REPORTED = NOW + timedelta(minutes=5)
PEOPLE = 400


@pytest.fixture(autouse=True)
def _small_batches(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=50"


@pytest.fixture
def send() -> Send:
    return make_send_with_gmail()


@repeat_rows
def make_send_with_gmail() -> Send:
    """Half of the people at Gmail, all mails accepted in the first five minutes."""
    made = make_send(recipients=PEOPLE)
    ids = list(Subscriber.objects.order_by("pk").values_list("pk", flat=True))[::2]
    for number, pk in enumerate(ids):
        email = f"person{pk}@{'gmail' if number % 2 else 'googlemail'}.com"
        Subscriber.objects.filter(pk=pk).update(email=email, address_hash=identify(email))
        for delivery in Delivery.objects.filter(subscriber_id=pk):
            size = len(bytes(delivery.address_hash))
            Delivery.objects.filter(pk=delivery.pk).update(address_hash=identify(email)[:size])
    made.batches.update(settled_at=NOW + timedelta(minutes=4))
    return made


def report(
    send: Send, count: int, *, start: int = 0, at: datetime = REPORTED, domain: str = "mail.com", reason: str = RATE
) -> None:
    """Report so many mails as delayed, of people whose domain ends so."""
    ids = set(Subscriber.objects.filter(email__endswith=domain).values_list("pk", flat=True))
    people = [each for each in deliveries_of(send) if each.subscriber_id in ids]
    events = [brevo_event("deferred", each, reason=reason, at=at) for each in people[start : start + count]]
    apply_reports(*events, now=at)


def step(send: Send, *, minutes: float) -> PaceStep | None:
    return adjust_pace(Send.objects.get(pk=send.pk), now=NOW + timedelta(minutes=minutes))


def describe(found: PaceStep | None) -> tuple[Any, ...]:
    assert found is not None
    return found.number, found.code, found.mailbox, found.status, found.reports, found.mails, found.people_per_minute


def hand_over(send: Send, *, minutes: float) -> None:
    """Let all mails count as accepted at this moment and none as reported, so that a later step has some to judge."""
    SenderDelay.objects.all().delete()
    send.batches.update(settled_at=NOW + timedelta(minutes=minutes))


def test_too_many_reports_of_one_mailbox_provider_halve_the_pace(send: Send) -> None:
    report(send, 5)
    assert describe(step(send, minutes=6)) == (1, "slowed", "Gmail", "4.7.28", 5, 200, 33)
    kept = Send.objects.get(pk=send.pk)
    assert (kept.people_per_minute, kept.state) == (33, Send.State.SUBMITTING)


@pytest.mark.parametrize("count", [0, 4])
def test_few_reports_change_nothing(send: Send, count: int) -> None:
    report(send, count)
    assert step(send, minutes=6) is None


def test_a_small_share_changes_nothing(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.feedback.adjust_pace.MAX_SHARE", 0.025)
    report(send, 5)
    assert step(send, minutes=6) is None


def test_a_policy_without_a_known_cause_changes_nothing(send: Send) -> None:
    report(send, 10, reason="450 4.7.1 refused by policy of this server")
    assert step(send, minutes=6) is None


def test_refusals_count_like_delays_and_each_mail_once(send: Send) -> None:
    ids = set(Subscriber.objects.filter(email__endswith="mail.com").values_list("pk", flat=True))
    people = [each for each in deliveries_of(send) if each.subscriber_id in ids][:5]
    report(send, 5)
    refused = [brevo_event("hard_bounce", each, reason="550 5.7.515 access denied", at=REPORTED) for each in people]
    apply_reports(*refused, now=REPORTED)
    found = step(send, minutes=6)
    assert describe(found)[2:6] == ("Gmail", "5.7.515", 5, 200)
    assert found is not None
    assert "SPF, DKIM, DMARC" in describe_slowing(found)


def test_reports_of_several_mailbox_providers_do_not_add_up(send: Send) -> None:
    report(send, 4)
    report(send, 4, domain="example.com")
    assert step(send, minutes=6) is None


def test_a_domain_of_its_own_is_a_mailbox_provider(send: Send) -> None:
    report(send, 6, domain="example.com")
    assert describe(step(send, minutes=6))[2:6] == ("example.com", "4.7.28", 6, 200)


def test_a_step_is_judged_only_after_reports_had_time_to_come(send: Send) -> None:
    report(send, 5)
    step(send, minutes=6)
    hand_over(send, minutes=7)
    report(send, 5, start=5, at=NOW + timedelta(minutes=8))
    assert step(send, minutes=15) is None
    assert describe(step(send, minutes=16))[:2] == (2, "slowed")


def test_old_reports_do_not_count_again(send: Send) -> None:
    report(send, 5)
    step(send, minutes=6)
    assert step(send, minutes=17) is None
    assert PaceStep.objects.count() == 1


def test_late_reports_about_old_mails_slow_no_send_again(send: Send) -> None:
    report(send, 5)
    step(send, minutes=6)
    new = send.batches.order_by("-seq")[0]
    send.batches.filter(pk=new.pk).update(settled_at=NOW + timedelta(minutes=15))
    old = [each for each in deliveries_of(send) if each.batch_id != new.pk]
    apply_reports(*(brevo_event("deferred", each, reason=RATE, at=REPORTED) for each in old[5:15]), now=REPORTED)
    SenderDelay.objects.update(at=NOW + timedelta(minutes=16))
    assert step(send, minutes=17) is None
    assert Send.objects.get(pk=send.pk).state == Send.State.SUBMITTING


def test_late_reports_slow_no_send_that_sent_nothing_since(send: Send) -> None:
    report(send, 5)
    step(send, minutes=6)
    report(send, 10, start=5, at=NOW + timedelta(minutes=20))
    assert step(send, minutes=21) is None
    assert PaceStep.objects.count() == 1


def test_mails_that_the_provider_did_not_take_are_not_counted(send: Send) -> None:
    ids = set(Subscriber.objects.filter(email__endswith="mail.com").values_list("pk", flat=True))
    people = [each for each in deliveries_of(send) if each.subscriber_id in ids]
    rejected = [DeliveryException(delivery=each, state="rejected", at=NOW) for each in people[100:]]
    DeliveryException.objects.bulk_create(rejected)
    report(send, 5)
    assert describe(step(send, minutes=6))[4:6] == (5, 100)


def test_a_refusal_without_a_known_cause_keeps_the_delay_before(send: Send) -> None:
    report(send, 5)
    ids = set(Subscriber.objects.filter(email__endswith="mail.com").values_list("pk", flat=True))
    people = [each for each in deliveries_of(send) if each.subscriber_id in ids][:5]
    refused = [brevo_event("hard_bounce", each, reason="550 5.7.1 policy", at=REPORTED) for each in people]
    apply_reports(*refused, now=REPORTED)
    assert describe(step(send, minutes=6))[2:6] == ("Gmail", "4.7.28", 5, 200)


def slow_three_times(send: Send) -> None:
    for number in range(3):
        hand_over(send, minutes=11 * number + 4)
        report(send, 5, start=5 * number, at=NOW + timedelta(minutes=11 * number + 5))
        assert describe(step(send, minutes=11 * number + 6))[1] == "slowed"
    send.refresh_from_db()


def test_continued_reports_pause_the_send(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.feedback.automatic_pause.MIN_REFUSED", 1000)
    slow_three_times(send)
    assert send.people_per_minute == 10
    hand_over(send, minutes=37)
    report(send, 5, start=15, at=NOW + timedelta(minutes=38))
    assert describe(step(send, minutes=39))[:3] == (4, "paused", "Gmail")
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "Gmail refused or delayed 5 of 200 mails because of the sender (4.7.28)" in send.reason
    assert "smaller daily limit" in send.reason
    assert AutomaticPause.objects.get().rule == AutomaticPause.Rule.PACE
    resume_send(send=send, by=make_approver(), now=NOW)
    assert Send.objects.get(pk=send.pk).people_per_minute == 10
    report(send, 5, start=20, at=NOW + timedelta(minutes=50))
    assert step(send, minutes=51) is None


def test_a_pause_by_all_reports_keeps_the_pace_from_no_pause(send: Send) -> None:
    slow_three_times(send)
    AutomaticPause.objects.create(send=send, rule="sender", cases=100, at=NOW + timedelta(minutes=30))
    hand_over(send, minutes=37)
    report(send, 5, start=15, at=NOW + timedelta(minutes=41))
    assert describe(step(send, minutes=42))[:2] == (4, "paused")


def test_reports_before_a_pause_that_staff_lifted_change_no_pace(send: Send) -> None:
    report(send, 5)
    AutomaticPause.objects.create(send=send, rule="sender", cases=20, at=NOW + timedelta(minutes=5))
    assert step(send, minutes=6) is None


def test_a_resumed_send_pauses_for_no_report_that_staff_knew(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_three_times(send)
    hand_over(send, minutes=37)
    with monkeypatch.context() as patch:
        patch.setattr("newsletter.feedback.automatic_pause.MIN_REFUSED", 1000)
        report(send, 25, start=15, at=NOW + timedelta(minutes=38))
    assert describe(step(send, minutes=39))[:2] == (4, "paused")
    assert dict(AutomaticPause.objects.values_list("rule", "cases")) == {"pace": 25, "sender": 25}
    resume_send(send=Send.objects.get(pk=send.pk), by=make_approver(), now=NOW + timedelta(minutes=40))
    report(send, 1, start=45, at=NOW + timedelta(minutes=41))
    assert step(send, minutes=51) is None
    assert Send.objects.get(pk=send.pk).state == Send.State.SUBMITTING


def test_the_pace_rises_again_when_reports_stop(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.feedback.automatic_pause.MIN_REFUSED", 1000)
    report(send, 5)
    step(send, minutes=6)
    hand_over(send, minutes=16)
    report(send, 5, start=5, at=NOW + timedelta(minutes=17))
    assert describe(step(send, minutes=18))[1:] == ("slowed", "Gmail", "4.7.28", 5, 200, 16)
    hand_over(send, minutes=30)
    assert step(send, minutes=47) is None
    assert describe(step(send, minutes=48)) == (3, "raised", "", "", 0, 0, 32)
    hand_over(send, minutes=60)
    assert step(send, minutes=77) is None
    assert describe(step(send, minutes=78)) == (4, "ended", "", "", 0, 0, None)
    assert Send.objects.get(pk=send.pk).people_per_minute is None
    assert step(send, minutes=200) is None


def test_a_clock_that_was_set_back_stops_no_step(send: Send) -> None:
    report(send, 5)
    step(send, minutes=6)
    Send.objects.filter(pk=send.pk).update(next_call_at=(NOW + timedelta(days=40)).timestamp())
    PaceStep.objects.update(at=NOW + timedelta(days=40))
    clear_far_future_times(now=NOW)
    assert Send.objects.get(pk=send.pk).next_call_at == NOW.timestamp()
    hand_over(send, minutes=15)
    report(send, 5, start=5, at=NOW + timedelta(minutes=16))
    assert describe(step(send, minutes=17))[:2] == (2, "slowed")


def test_a_clock_that_was_set_back_keeps_no_send_slow(send: Send) -> None:
    report(send, 5)
    step(send, minutes=6)
    PaceStep.objects.update(at=NOW + timedelta(days=40))
    hand_over(send, minutes=40)
    assert describe(step(send, minutes=60))[:2] == (2, "ended")


def test_hours_without_mail_do_not_raise_the_pace(send: Send) -> None:
    report(send, 5)
    step(send, minutes=6)
    assert step(send, minutes=600) is None
    hand_over(send, minutes=601)
    assert step(send, minutes=610) is None
    assert describe(step(send, minutes=611))[:2] == (2, "ended")


@pytest.mark.parametrize(("elsewhere", "code"), [(201, None), (200, "ended")])
def test_mails_to_others_raise_the_pace_only_if_they_are_many(
    send: Send, monkeypatch: pytest.MonkeyPatch, elsewhere: int, code: str | None
) -> None:
    monkeypatch.setattr("newsletter.feedback.adjust_pace.MIN_QUIET_MAILS_ELSEWHERE", elsewhere)
    report(send, 5)
    step(send, minutes=6)
    hand_over(send, minutes=10)
    for pk in Subscriber.objects.filter(email__endswith="mail.com").values_list("pk", flat=True):
        Delivery.objects.filter(subscriber_id=pk).update(proof=True)
    found = step(send, minutes=60)
    assert (found.code if found else None) == code


def test_a_send_that_handed_nothing_over_is_not_slowed(send: Send) -> None:
    report(send, 5)
    send.batches.update(settled_at=None)
    assert step(send, minutes=6) is None


def test_only_running_sends_are_adjusted(send: Send) -> None:
    report(send, 5)
    Send.objects.update(state=Send.State.PAUSED)
    assert adjust_paces(now=NOW + timedelta(minutes=6)) == []
    Send.objects.update(state=Send.State.SUBMITTING)
    assert [one.code for one in adjust_paces(now=NOW + timedelta(minutes=6))] == ["slowed"]


@pytest.mark.parametrize("error", [DatabaseError("locked"), NotReady("No pace.")])
def test_an_error_in_one_send_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    first = make_send(recipients=1)
    moved = "moved@example.org"
    Subscriber.objects.update(email=moved, address_hash=identify(moved))
    second = make_send(recipients=1, slug="other")
    seen: list[int] = []

    def fail_once(found: Send, *, since: datetime) -> None:
        seen.append(found.pk)
        if found.pk == first.pk:
            raise error

    monkeypatch.setattr("newsletter.feedback.adjust_pace._find_worst", fail_once)
    assert adjust_paces(now=NOW + timedelta(minutes=6)) == []
    assert seen == [first.pk, second.pk]
    assert f"The pace of send {first.pk} was not adjusted" in caplog.text


def test_many_reports_make_no_query_longer(send: Send) -> None:
    ids = Delivery.objects.filter(batch__send=send).values_list("pk", flat=True)
    SenderDelay.objects.bulk_create(SenderDelay(delivery_id=pk, status="4.7.28", at=REPORTED) for pk in ids)
    with CaptureQueriesContext(connection) as captured:
        assert step(send, minutes=6) is not None
    assert max(query["sql"].count(",") for query in captured.captured_queries) < 100


def test_two_processes_take_a_step_once(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    report(send, 5)
    first, second = (Send.objects.get(pk=send.pk) for _ in range(2))
    assert adjust_pace(first, now=NOW + timedelta(minutes=6)) is not None
    monkeypatch.setattr("newsletter.feedback.adjust_pace._find_last", lambda send: None)
    assert adjust_pace(second, now=NOW + timedelta(minutes=6)) is None
    assert PaceStep.objects.count() == 1


def make_batch(size: int = 30) -> Batch:
    send = make_send(recipients=size, state=Batch.State.PENDING)
    send.batches.update(attempt_number=0)
    return Batch.objects.select_related("send").get(send=send)


def reload(batch: Batch) -> Batch:
    return Batch.objects.select_related("send").get(pk=batch.pk)


def test_a_slowed_send_waits_for_the_people_before() -> None:
    batch = make_batch()
    set_pace(batch.send, people_per_minute=10, now=NOW)
    batch = reload(batch)
    assert find_pace_wait(batch, now=NOW) is None
    assert reserve_pace(batch, now=NOW) is None
    assert find_pace_wait(batch, now=NOW) == NOW + timedelta(minutes=3)
    assert reserve_pace(batch, now=NOW) == NOW + timedelta(minutes=3)
    assert find_pace_wait(batch, now=NOW + timedelta(minutes=3)) is None


def test_a_send_at_full_pace_reserves_nothing() -> None:
    batch = make_batch()
    assert (find_pace_wait(batch, now=NOW), reserve_pace(batch, now=NOW)) == (None, None)
    assert Send.objects.get().next_call_at == 0


def test_a_worker_that_does_not_know_of_the_end_continues() -> None:
    batch = make_batch()
    set_pace(batch.send, people_per_minute=10, now=NOW)
    stale = reload(batch)
    set_pace(batch.send, people_per_minute=None, now=NOW)
    assert (find_pace_wait(stale, now=NOW), reserve_pace(stale, now=NOW)) == (None, None)


def test_a_restarted_worker_keeps_the_pace(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=10"
    send = make_send(recipients=20, state=Batch.State.PENDING)
    send.batches.update(attempt_number=0)
    set_pace(send, people_per_minute=10, now=NOW)
    first, second = send.batches.order_by("seq")
    for worker in range(2):
        dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: NOW)
        assert dispatcher.dispatch(first.pk if worker == 0 else second.pk) == (worker == 0)
    second.refresh_from_db()
    assert (second.state, second.not_before) == (Batch.State.PENDING, NOW + timedelta(minutes=1))
    later = Dispatcher(adapter=current_adapter(), clock=lambda: NOW + timedelta(minutes=1))
    assert later.dispatch(second.pk)


def test_the_accounts_rate_holds_beside_the_pace(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=10&people_per_second=1"
    send = make_send(recipients=10, state=Batch.State.PENDING)
    send.batches.update(attempt_number=0)
    set_pace(send, people_per_minute=100_000, now=NOW)
    adapter = current_adapter()
    name = adapter.capabilities.name
    ProviderAccount.objects.create(name=name, next_at=(NOW + timedelta(hours=1)).timestamp())
    assert not Dispatcher(adapter=adapter, clock=lambda: NOW).dispatch(send.batches.get().pk)
    assert Send.objects.get().next_call_at == NOW.timestamp()


def test_a_new_pace_frees_the_batches_that_waited_for_the_old() -> None:
    batch = make_batch()
    Batch.objects.update(not_before=NOW + timedelta(hours=9))
    set_pace(batch.send, people_per_minute=20, now=NOW)
    assert reload(batch).not_before is None


@pytest.mark.parametrize(
    "values",
    [
        {"code": "slowed", "people_per_minute": 10},
        {"code": "slowed", "mailbox": "Gmail", "status": "4.7.28", "reports": 5},
        {"code": "ended", "people_per_minute": 10},
        {"code": "raised"},
        {"code": "other", "people_per_minute": 10},
    ],
)
def test_the_database_takes_no_step_without_its_reason(values: dict[str, Any]) -> None:
    send = make_send(recipients=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaceStep.objects.create(send=send, number=1, at=NOW, **values)


def make_attempt(send: Send, number: int, *, minutes: float) -> Attempt:
    at = NOW + timedelta(minutes=minutes)
    batch = send.batches.order_by("seq")[0]
    return Attempt.objects.create(batch=batch, number=number, people=50, outcome="accepted", started_at=at, ended_at=at)


def test_the_pace_is_measured_from_the_first_call_after_quiet_hours(send: Send) -> None:
    """All mails went in the last four minutes."""
    Send.objects.update(started_at=NOW - timedelta(hours=9))
    make_attempt(send, 1, minutes=2)
    report(send, 5)
    assert describe(step(send, minutes=6))[6] == PEOPLE / 4 / 2


def test_calls_before_a_pause_do_not_lower_the_measured_pace(send: Send) -> None:
    before = make_attempt(send, 1, minutes=0)
    make_attempt(send, 2, minutes=2)
    Send.objects.update(resumed_after_attempt=before.pk)
    report(send, 5)
    assert describe(step(send, minutes=6))[6] == PEOPLE / 4 / 2
