"""Sends through several provider accounts: what moves, what stays, and that nobody is mailed twice or skipped."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from newsletter.common.messages import Message
from newsletter.issues.approval.write_notices import write_notice
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.models import AccountMove, Attempt, Batch, ProviderAccount, Send, StaffNotice
from newsletter.sending.accounts import AccountNotUsable
from newsletter.sending.adapters import account_label, current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.settling.account_moves import move_by_hand, move_to_second_accounts
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import resume_send
from newsletter.sending.settling.sweep import settle_expired_leases, sweep
from tests.support.accounts import (
    PEOPLE,
    SOON,
    check_everybody_once,
    run,
    send_first,
    start,
)
from tests.support.fixtures import NOW, make_approver, make_publication
from tests.support.provider_faults import Fault, answer, too_many
from tests.support.sends import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_an_issue_goes_through_the_account_its_publication_names(two_accounts):
    first, second = two_accounts
    send = run(start(account="backup", second_account="default"))
    assert send.state == Send.State.SUBMITTED
    assert send.provider == "mailgun (other.example.org)"
    assert first.ledger == []
    assert len(second.accepted_counts()) == PEOPLE
    assert set(Attempt.objects.values_list("provider", flat=True)) == {account_label("backup")}


def test_two_accounts_of_one_provider_have_rates_of_their_own(two_accounts):
    two_accounts[1].fault_always(too_many("60"))
    start(account="backup", second_account="")
    send_first(1)
    slowed = ProviderAccount.objects.get()
    assert (slowed.name, slowed.wait_until) == ("mailgun/backup", SOON.timestamp())


def test_a_refusing_account_hands_the_rest_to_the_second(two_accounts):
    first, second = two_accounts
    send = start()
    send_first(2)
    first.fault_always(answer(401, b"Forbidden"))
    make_approver()
    send = run(send)
    assert send.state == Send.State.SUBMITTED
    check_everybody_once(send, first, second)
    move = AccountMove.objects.get()
    assert (move.code, move.from_account, move.to_account, move.by) == ("refused", "default", "backup", "")
    assert (move.batches, move.people) == (4, 40)
    assert "did not accept our key" in move.reason
    assert "moved to another account" in StaffNotice.objects.get(key=f"account-move-{move.pk}").subject


def test_staff_get_the_notice_of_a_move_through_the_second_account(two_accounts):
    first, second = two_accounts
    send = start()
    first.fault_always(answer(401, b"Forbidden"))
    make_approver()
    run(send)
    first.fault_always(answer(401, b"Forbidden"))
    later = NOW + timedelta(hours=1)
    assert [send_due_notices(now=later + timedelta(seconds=wait)) for wait in (0, 1, 2)] == [0, 1, 0]
    assert first.mailbox("approver@example.org") == []
    (mail,) = second.mailbox("approver@example.org")
    assert "moved to another account" in mail.subject


def test_a_notice_waits_while_no_account_takes_it(two_accounts):
    first, second = two_accounts
    publication = make_publication(second_account="backup")
    write_notice(publication, "one", Message("Look"), [], "https://example.org/", NOW, people=[make_approver()])
    for provider in two_accounts:
        provider.fault_always(answer(401, b"Forbidden"))
    assert [send_due_notices(now=NOW + timedelta(seconds=wait)) for wait in (0, 1, 2)] == [0, 0, 0]
    assert (len(first.ledger), len(second.ledger)) == (1, 1)
    assert StaffNotice.objects.filter(sent_at__isnull=True).count() == 1
    for provider in two_accounts:
        provider.fault_always(None)
    assert send_due_notices(now=NOW + timedelta(minutes=5)) == 1
    assert StaffNotice.objects.filter(sent_at__isnull=True).count() == 0


def test_notices_that_must_wait_hold_up_no_other(two_accounts, monkeypatch):
    monkeypatch.setattr("newsletter.jobs.notices.mail_notices.BATCH_LIMIT", 2)
    first, second = two_accounts
    people = [make_approver(f"{name}@example.org") for name in ("ann", "bob", "cleo")]
    alone = make_publication(slug="alone", name="Alone")
    write_notice(alone, "one", Message("Look"), [], "https://example.org/", NOW, people=people)
    later = NOW + timedelta(minutes=1)
    write_notice(make_publication(second_account="backup"), "two", Message("Moved"), [], "", later, people=people[:1])
    first.fault_always(answer(401, b"Forbidden"))
    assert [send_due_notices(now=later + timedelta(seconds=wait)) for wait in (0, 1, 2)] == [0, 1, 0]
    assert [mail.subject for mail in second.mailbox("ann@example.org")] == ["Moved"]


def test_an_account_that_is_away_for_long_hands_the_rest_over(two_accounts, settings):
    first, second = two_accounts
    settings.NEWSLETTER_ACCOUNT_AWAY_MINUTES = 30
    send = start()
    send_first(1)
    first.stop_listening()
    clock = Clock()
    send = run(send, clock)
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.ACCOUNT_AWAY)
    assert move_to_second_accounts(now=NOW + timedelta(minutes=29)) == []
    clock.now = max(clock.now, NOW + timedelta(minutes=31))
    sweep(adapter=current_adapter(), clock=clock)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
    send = run(send, clock)
    check_everybody_once(send, first, second)
    assert AccountMove.objects.get().code == AccountMove.Code.AWAY


def test_a_running_send_moves_once_its_account_was_away_so_long(two_accounts, settings):
    first, second = two_accounts
    settings.NEWSLETTER_ACCOUNT_AWAY_MINUTES = 5
    send = start()
    first.stop_listening()
    clock = Clock()
    send = run(send, clock)
    check_everybody_once(send, first, second)
    assert send.state == Send.State.SUBMITTED
    assert clock.now - NOW >= timedelta(minutes=5)


def test_an_account_that_only_fails_hands_over_what_it_never_got(two_accounts, settings):
    first, second = two_accounts
    settings.NEWSLETTER_PROVIDER_URL = first.provider_url + "&max_batch=2"
    first.fault_always(answer(503, b"Service Unavailable"))
    first.query_fault = answer(503)
    clock = Clock()
    send = run(start(), clock)
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.ACCOUNT_AWAY)
    clock.now += timedelta(minutes=30)
    sweep(adapter=current_adapter(), clock=clock)
    send.refresh_from_db()
    send = run(send, clock)
    assert send.state == Send.State.NEEDS_ATTENTION
    check_everybody_once(send, second, uncertain=40)
    assert len(second.accepted_counts()) == 20


def test_an_absence_in_an_earlier_send_does_not_count(two_accounts):
    start()
    long_ago = NOW - timedelta(days=20)
    two_accounts[0].stop_listening()
    send_first(1)
    Attempt.objects.update(started_at=long_ago, ended_at=long_ago)
    Send.objects.update(resumed_after_attempt=Attempt.objects.get().pk)
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW + timedelta(minutes=5)), limit=1)
    assert Attempt.objects.count() == 2
    assert move_to_second_accounts(now=NOW + timedelta(hours=1)) == []


def test_lost_workers_are_no_absence(two_accounts):
    send = start()
    batch = send.batches.order_by("seq")[0]
    assert claim_batch(batch_id=batch.pk, provider=account_label(), now=NOW) is not None
    settle_expired_leases(now=NOW + timedelta(hours=1))
    Send.objects.update(state="paused", code=Send.Code.ACCOUNT_AWAY)
    assert move_to_second_accounts(now=NOW + timedelta(hours=2)) == []


def test_a_short_absence_moves_nobody(two_accounts):
    first, second = two_accounts
    send = start()
    first.stop_listening()
    send_first(3)
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"not_sent"}
    assert move_to_second_accounts(now=NOW + timedelta(hours=2)) == []
    first.start_listening()
    send = run(send)
    assert second.ledger == []
    check_everybody_once(send, first, second)


def test_nothing_moves_without_a_second_account(two_accounts):
    first, second = two_accounts
    first.fault_always(answer(401, b"Forbidden"))
    send = run(start(second_account=""))
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.ACCOUNT_REFUSED)
    assert second.ledger == []


def test_an_uncertain_batch_stays_with_its_account(two_accounts):
    first, second = two_accounts
    send = start()
    first.fault_next(Fault("close_after_accepting"), Fault("close_after_accepting"))
    send_first(2)
    first.query_fault = answer(500)
    first.fault_always(answer(401, b"Forbidden"))
    send = run(send)
    assert send.state == Send.State.NEEDS_ATTENTION
    check_everybody_once(send, first, second, uncertain=20)
    assert set(send.batches.filter(state="uncertain").values_list("account", "handed_to")) == {("default", "default")}
    first.query_fault = None
    later = SOON + timedelta(hours=1)
    sweep(adapter=current_adapter(), clock=lambda: later)
    send.refresh_from_db()
    check_everybody_once(send, first, second)


def test_uncertain_batches_of_the_second_are_asked_there(two_accounts):
    first, second = two_accounts
    second.fault_on(2, Fault("close_after_accepting"))
    send = start(account="backup", second_account="")
    send = run(send)
    sweep(adapter=current_adapter(), clock=lambda: NOW + timedelta(minutes=30))
    send.refresh_from_db()
    check_everybody_once(send, first, second)
    assert send.state == Send.State.SUBMITTED
    assert (first.queries, bool(second.queries)) == ([], True)


def test_the_database_refuses_another_account_for_what_was_handed_over(two_accounts):
    send = start()
    batch = send.batches.order_by("seq")[0]
    assert claim_batch(batch_id=batch.pk, provider=account_label(), now=NOW) is not None
    for changes in ({"account": "backup"}, {"handed_to": ""}, {"handed_to": "backup"}, {"account": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(**changes)
    settle_expired_leases(now=NOW + timedelta(minutes=2))
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(account="backup")


def test_a_batch_is_claimed_only_for_its_own_account(two_accounts):
    send = start()
    batch = send.batches.order_by("seq")[0]
    assert claim_batch(batch_id=batch.pk, provider="x", account="backup", now=NOW) is None
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    assert claim_batch(batch_id=batch.pk, provider="x", account="default", now=NOW) is None
    assert claim_batch(batch_id=batch.pk, provider="x", account="backup", now=NOW) is not None


def test_if_both_accounts_are_away_the_send_pauses_and_loses_nobody(two_accounts, settings):
    first, second = two_accounts
    settings.NEWSLETTER_ACCOUNT_AWAY_MINUTES = 5
    send = start()
    first.stop_listening()
    second.stop_listening()
    clock = Clock()
    send = run(send, clock)
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.ACCOUNT_AWAY)
    clock.now += timedelta(days=1)
    assert move_to_second_accounts(now=clock.now) == []
    assert make_receipt(send).deliveries["pending"] == PEOPLE
    second.start_listening()
    settings.NEWSLETTER_PRODUCTION = True
    resume_send(send=send, by=make_approver())
    send = run(send, clock)
    assert AccountMove.objects.count() == 1


def test_a_second_that_does_not_know_our_sender_stops_the_send(two_accounts):
    first, second = two_accounts
    first.fault_always(answer(401, b"Forbidden"))
    second.fault_always(answer(403, b'{"message": "domain is not verified"}'))
    send = run(start())
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.ACCOUNT_REFUSED)
    assert move_to_second_accounts(now=SOON) == []
    assert AccountMove.objects.count() == 1
    assert make_receipt(send).deliveries["pending"] == PEOPLE


def test_a_second_account_that_is_not_configured_takes_nothing(two_accounts, settings):
    make_approver()
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    two_accounts[0].fault_always(answer(401, b"Forbidden"))
    send = run(start())
    assert send.state == Send.State.PAUSED
    sweep(adapter=current_adapter(), clock=lambda: SOON)
    notices = StaffNotice.objects.filter(key__startswith="account-move-failed")
    assert "there is no NEWSLETTER_PROVIDER_URL_BACKUP" in str(notices.get().paragraphs[0])


def test_a_send_waits_if_the_setting_of_its_account_is_gone(two_accounts, settings):
    first, second = two_accounts
    urls = settings.NEWSLETTER_FURTHER_PROVIDER_URLS
    send = start(account="backup", second_account="")
    send_first(2)
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    send = run(send)
    assert send.state == Send.State.PAUSED
    assert "there is no NEWSLETTER_PROVIDER_URL_BACKUP" in send.reason
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = urls
    resume_send(send=send, by=make_approver())
    send = run(send)
    check_everybody_once(send, first, second)
    assert first.ledger == []


def test_an_issue_of_an_account_that_is_not_configured_is_not_started(two_accounts):
    with pytest.raises(AccountNotUsable, match="NEWSLETTER_PROVIDER_URL_THIRD"):
        start(account="third", second_account="")
    assert not Send.objects.exists()
