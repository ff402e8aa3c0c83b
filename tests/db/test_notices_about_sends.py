"""Staff get one notice when something is settled, or when only they can settle it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.issues.approval.hold import hold_issue, release_issue
from newsletter.issues.approval.write_notices import notify_hold
from newsletter.jobs.heartbeat import find_trouble
from newsletter.jobs.notices.about_sends import ENQUIRY_NOTICE_DELAY, notify_send_warnings, notify_stopped_sends
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.models import Batch, Delivery, DeliveryException, Send, StaffNotice
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.outcome import pause_failing_send
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.awaited_reports import REPORTS_AWAITED
from newsletter.sending.settling.reconcile import ASK_PROVIDER_FOR
from newsletter.sending.settling.send_controls import resume_send
from newsletter.sending.settling.sweep import sweep
from newsletter.sending.settling.uncertain_batches import settle_as_accepted
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.provider_faults import Fault

pytestmark = pytest.mark.django_db(transaction=True)

BATCHES = 12
APPROVER = "approver@example.org"


@pytest.fixture
def mailgun(fake_provider: Any, settings: Any) -> Any:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=2"
    return fake_provider


class Hours:
    """Lets time pass: every few seconds of it the jobs of a worker and of the scheduler run once."""

    def __init__(self) -> None:
        self.now = NOW
        self._dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: self.now)

    def pass_by(self, span: timedelta, *, every: timedelta = timedelta(seconds=10)) -> None:
        end = self.now + span
        while self.now < end:
            self.now += every
            dispatch_due(dispatcher=self._dispatcher)
            sweep(adapter=current_adapter(), clock=lambda: self.now)
            notify_stopped_sends(now=self.now)
            send_due_notices(now=self.now)


def begin(readers: int = 2 * BATCHES) -> Send:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, readers)
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def lose_all_answers(provider: Any, batches: int = BATCHES) -> None:
    """The provider takes every batch and answers none; it has no record of any yet."""
    provider.fault_next(*[Fault("reset_after_accepting")] * batches)
    provider.unrecorded = {f"person{number}@example.com" for number in range(2 * batches)}


def mails_to_staff(provider: Any) -> list[str]:
    return [mail.subject.removeprefix("The send of The weekly letter No. 1 ") for mail in provider.mailbox(APPROVER)]


@pytest.mark.long
def test_staff_get_no_notice_while_the_provider_still_answers(mailgun: Any) -> None:
    """Records come one after the other; the number of the uncertain falls again and again."""
    lose_all_answers(mailgun)
    send, hours = begin(), Hours()
    hours.pass_by(timedelta(seconds=80))
    assert Batch.objects.filter(state=Batch.State.UNCERTAIN).count() == BATCHES
    assert find_trouble(now=hours.now) == ""
    for _ in range(4):
        mailgun.unrecorded = set(sorted(mailgun.unrecorded)[6:])
        hours.pass_by(timedelta(seconds=90))
    hours.pass_by(timedelta(minutes=30), every=timedelta(minutes=1))
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTED
    assert mails_to_staff(mailgun) == []
    assert set(mailgun.accepted_counts().values()) == {1}


@pytest.mark.long
def test_staff_get_one_notice_at_first_and_one_when_they_must_act(mailgun: Any) -> None:
    lose_all_answers(mailgun)
    begin()
    hours = Hours()
    hours.pass_by(ENQUIRY_NOTICE_DELAY + timedelta(minutes=1), every=timedelta(seconds=30))
    assert mails_to_staff(mailgun) == ["is being checked"]
    mailgun.unrecorded = set(sorted(mailgun.unrecorded)[12:])
    hours.pass_by(timedelta(hours=3), every=timedelta(minutes=6))
    assert Batch.objects.filter(state=Batch.State.ACCEPTED).count() == 6
    assert mails_to_staff(mailgun) == ["is being checked"]
    hours.pass_by(ASK_PROVIDER_FOR, every=timedelta(minutes=30))
    assert mails_to_staff(mailgun) == ["is being checked", "needs your decision"]
    assert "for 12 people we do not know" in mailgun.mailbox(APPROVER)[-1].text
    assert "waits for a person" in find_trouble(now=hours.now)
    settle_as_accepted(
        batch=Batch.objects.filter(state=Batch.State.UNCERTAIN).first(), by=make_approver(), now=hours.now
    )
    hours.pass_by(timedelta(hours=1), every=timedelta(minutes=6))
    assert len(mails_to_staff(mailgun)) == 2


def test_staff_notified_of_the_enquiry_hear_that_it_is_settled(mailgun: Any) -> None:
    lose_all_answers(mailgun)
    begin()
    hours = Hours()
    hours.pass_by(ENQUIRY_NOTICE_DELAY + timedelta(minutes=1), every=timedelta(seconds=30))
    mailgun.unrecorded = set()
    hours.pass_by(timedelta(hours=2), every=timedelta(minutes=6))
    assert mails_to_staff(mailgun) == ["is being checked", "is settled"]


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["postmark", "sparkpost"])
def test_another_provider_with_records_is_asked_before_staff(fake_provider: Any, settings: Any, scheme: str) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of(scheme) + "&max_batch=2"
    lose_all_answers(fake_provider)
    send, hours = begin(), Hours()
    hours.pass_by(ENQUIRY_NOTICE_DELAY - timedelta(minutes=1), every=timedelta(seconds=30))
    assert mails_to_staff(fake_provider) == []
    hours.pass_by(timedelta(minutes=2))
    assert mails_to_staff(fake_provider) == ["is being checked"]
    fake_provider.unrecorded = {"person0@example.com", "person1@example.com"}
    hours.pass_by(timedelta(hours=3), every=timedelta(minutes=6))
    assert Batch.objects.filter(state=Batch.State.ACCEPTED).count() == BATCHES - 1
    assert mails_to_staff(fake_provider) == ["is being checked"]
    hours.pass_by(ASK_PROVIDER_FOR, every=timedelta(minutes=30))
    assert mails_to_staff(fake_provider) == ["is being checked", "needs your decision"]
    send.refresh_from_db()
    assert send.state == Send.State.NEEDS_ATTENTION


def test_a_successful_replay_causes_no_notice(fake_provider: Any, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("resend") + "&max_batch=2"
    lose_all_answers(fake_provider, 4)
    send, hours = begin(), Hours()
    hours.pass_by(timedelta(minutes=5))
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTED
    assert mails_to_staff(fake_provider) == []
    assert set(fake_provider.accepted_counts().values()) == {1}


@pytest.mark.long
def test_staff_are_notified_after_an_hour_without_reports(fake_provider: Any, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("sendgrid") + "&max_batch=2"
    lose_all_answers(fake_provider, 3)
    begin(6)
    hours = Hours()
    hours.pass_by(REPORTS_AWAITED - timedelta(minutes=1), every=timedelta(minutes=1))
    assert mails_to_staff(fake_provider) == ["is being checked"]
    hours.pass_by(timedelta(minutes=5), every=timedelta(minutes=1))
    assert mails_to_staff(fake_provider) == ["is being checked", "needs your decision"]


@pytest.mark.long
def test_a_refusal_is_reported_at_once_and_uncertain_people_later(mailgun: Any) -> None:
    send, hours = begin(4), Hours()
    first, second = Batch.objects.order_by("pk")
    Batch.objects.filter(pk=first.pk).update(state=Batch.State.REJECTED, reason="no", settled_at=NOW)
    mailgun.fault_next(Fault("reset_after_accepting"))
    mailgun.unrecorded = {f"person{number}@example.com" for number in range(4)}
    hours.pass_by(timedelta(minutes=9), every=timedelta(minutes=1))
    assert mails_to_staff(mailgun) == ["needs your decision"]
    hours.pass_by(ASK_PROVIDER_FOR, every=timedelta(minutes=30))
    assert mails_to_staff(mailgun) == ["needs your decision", "needs your decision"]
    send.refresh_from_db()
    assert send.state == Send.State.NEEDS_ATTENTION
    assert Batch.objects.get(pk=second.pk).state == Batch.State.UNCERTAIN


def test_a_paused_send_is_reported_once(mailgun: Any) -> None:
    lose_all_answers(mailgun, 3)
    send, hours = begin(6), Hours()
    hours.pass_by(timedelta(seconds=20))
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTING)
    send.refresh_from_db()
    pause_failing_send(send=send, reason="The account is closed")
    for batch in Batch.objects.filter(state=Batch.State.UNCERTAIN):
        notify_stopped_sends(now=hours.now)
        Batch.objects.filter(pk=batch.pk).update(state=Batch.State.ACCEPTED)
    notify_stopped_sends(now=hours.now)
    assert sum(notice.subject.endswith("stopped") for notice in StaffNotice.objects.all()) == 1


def test_a_send_that_pauses_again_after_a_resume_is_reported_again(mailgun: Any) -> None:
    send = begin(6)
    pause_failing_send(send=send, reason="The account is closed")
    notify_stopped_sends(now=NOW)
    resume_send(send=send, by=make_approver())
    pause_failing_send(send=send, reason="Its events are over")
    notify_stopped_sends(now=NOW)
    notify_stopped_sends(now=NOW)
    assert sum(notice.subject.endswith("stopped") for notice in StaffNotice.objects.all()) == 2


def test_an_issue_held_again_for_another_reason_is_reported_again() -> None:
    publication = make_publication()
    make_story("The first verdict")
    issue = make_issue(publication)
    make_approver()
    for reason in ("It is late", "It is late", "A consent ran out"):
        hold_issue(issue=issue, reason=reason)
        notify_hold(issue, now=NOW)
        release_issue(issue=issue)
    assert StaffNotice.objects.count() == 2


def test_a_send_paused_by_complaints_gets_no_warning_too(mailgun: Any) -> None:
    send, hours = begin(6), Hours()
    hours.pass_by(timedelta(seconds=20))
    complain(Delivery.objects.all()[:3], at=NOW)
    Send.objects.filter(pk=send.pk).update(state=Send.State.PAUSED, reason="Stopped by itself: spam")
    AutomaticPause.objects.create(send=send, rule=AutomaticPause.Rule.COMPLAINTS, cases=3, at=NOW)
    for _ in range(2):
        notify_stopped_sends(now=hours.now)
        notify_send_warnings(now=hours.now)
    assert list(StaffNotice.objects.values_list("subject", flat=True)) == [f"The send of {send.issue} stopped"]


def complain(deliveries: Iterable[Delivery], *, at: datetime) -> None:
    for delivery in deliveries:
        DeliveryException.objects.create(delivery=delivery, at=at, complained_at=at)
