"""Whole sends through a mail server: nobody twice, nobody skipped, and what is not known is said."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from newsletter.inbound.settings import parse_sources
from newsletter.jobs.notices.about_sends import notify_stopped_sends
from newsletter.models import DeliveryException, Send, SenderDomain, StaffNotice
from newsletter.organisation.health.sending import check_provider, check_reports, check_sign_in
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import resume_send
from newsletter.sending.settling.uncertain_batches import send_again
from tests.support.fixtures import NOW, make_approver
from tests.support.mail_server import PASSWORD, USER, MailServer, close, once, say, serve_mail
from tests.support.sends import Clock, make_ready_issue, send_issue

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with serve_mail() as running:
        settings.NEWSLETTER_PROVIDER_URL = f"smtp://{USER}:{PASSWORD}@127.0.0.1:{running.port}"
        settings.NEWSLETTER_PRODUCTION = True
        yield running
        current_adapter().close()


def send(recipients: int = 25) -> Send:
    issue = make_ready_issue(recipients=recipients)
    domain = issue.publication.from_email.rpartition("@")[2]
    SenderDomain.objects.create(domain=domain, findings=[], provider="smtp", looked_at=timezone.now())
    return send_issue(issue)


def count_mails(server: MailServer) -> Counter[str]:
    return Counter(server.recipients())


@pytest.mark.requirement("U1")
def test_everybody_gets_the_issue_once(server: MailServer) -> None:
    done = send()
    assert done.state == Send.State.SUBMITTED
    assert make_receipt(done).deliveries["accepted"] == 25
    assert set(count_mails(server).values()) == {1}
    assert len(server.mails) == 25
    assert server.count("AUTH") < 4


@pytest.mark.requirement("U1")
def test_after_a_lost_confirmation_one_is_uncertain_and_the_rest_mailed(server: MailServer) -> None:
    server.faults["END"] = once(close, after=4)
    done = send(20)
    assert done.state == Send.State.NEEDS_ATTENTION
    receipt = make_receipt(done).deliveries
    assert (receipt["accepted"], receipt["uncertain"]) == (19, 1)
    assert count_mails(server).most_common(1)[0][1] == 1
    assert len(server.mails) == 20


def test_staff_are_notified_of_an_uncertain_recipient_at_once(server: MailServer) -> None:
    """No report and no repeat can settle it."""
    make_approver()
    server.faults["END"] = once(close)
    send(2)
    notify_stopped_sends(now=NOW, adapter=current_adapter())
    assert "needs your decision" in StaffNotice.objects.get().subject


def test_a_mail_that_staff_send_again_has_the_same_message_id(server: MailServer) -> None:
    server.faults["END"] = once(close)
    done = send(1)
    server.faults.clear()
    send_again(batch=done.batches.get(), by=make_approver(), now=NOW)
    clock = Clock()
    run_send(send=done, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    first, again = (mail.message["Message-ID"] for mail in server.mails)
    assert first == again


def test_a_refused_recipient_is_in_the_receipt_with_the_servers_words(server: MailServer) -> None:
    server.faults["RCPT TO:<person3@"] = say("550 5.1.1 User unknown")
    done = send(5)
    assert done.state == Send.State.SUBMITTED
    (refused,) = DeliveryException.objects.all()
    assert refused.state == DeliveryException.State.REJECTED
    assert "User unknown" in refused.reason
    assert make_receipt(done).deliveries["accepted"] == 4


def test_a_delayed_recipient_is_mailed_later(server: MailServer) -> None:
    greylisted = once(say("451 4.7.1 Greylisted"))
    server.faults["RCPT TO:<person3@"] = greylisted
    done = send(5)
    assert (done.state, len(server.mails)) == (Send.State.SUBMITTED, 5)
    assert set(count_mails(server).values()) == {1}


def test_a_refusal_because_of_the_sender_pauses_and_nobody_is_lost(server: MailServer) -> None:
    server.faults["RCPT"] = say("550 5.7.26 Unauthenticated mail")
    paused = send(12)
    assert paused.state == Send.State.PAUSED
    assert "5.7.26" in paused.reason
    assert not DeliveryException.objects.exists()
    server.faults.clear()
    resume_send(send=paused, by=make_approver())
    clock = Clock()
    done = run_send(send=paused, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert (done.state, len(server.mails)) == (Send.State.SUBMITTED, 12)


def test_a_wrong_password_pauses_the_send(server: MailServer, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"smtp://{USER}:wr0ng@127.0.0.1:{server.port}"
    paused = send(5)
    assert (paused.state, server.mails) == (Send.State.PAUSED, [])
    assert "wr0ng" not in paused.reason


def test_doctor_says_what_a_mail_server_cannot_do(server: MailServer, settings: Any) -> None:
    said = [finding.says for finding in check_provider(settings.NEWSLETTER_PROVIDER_URL)]
    assert any("at most once" in text for text in said)
    assert any("DKIM" in text and "doctor --message" in text for text in said)
    (reports,) = check_reports(now=NOW)
    assert (reports.level, "bounces come as mail to the return path" in reports.says) == ("warning", True)
    assert "NEWSLETTER_INBOUND" in str(reports.do)
    settings.NEWSLETTER_INBOUND = parse_sources(["imaps://news:secret@mail.example.org/INBOX"])
    (reports,) = check_reports(now=NOW)
    assert "bounces are read from mail that comes in" in reports.says


def test_doctor_signs_in_at_the_mail_server(server: MailServer, settings: Any) -> None:
    (found,) = check_sign_in(settings.NEWSLETTER_PROVIDER_URL, now=NOW)
    assert found.level == "ok"
    (found,) = check_sign_in(f"smtp://{USER}:wr0ng@127.0.0.1:{server.port}", now=NOW)
    assert (found.level, "user and password" in found.says) == ("error", True)
    assert list(check_sign_in("outbox://", now=NOW)) == list(check_sign_in("postmark://k@", now=NOW)) == []
    assert list(check_sign_in("nonsense", now=NOW)) == []
