"""A batch that its account may have stays there; if the rest moved, it does not stop the rest."""

import pytest

from newsletter.models import Attempt, Batch, Send
from newsletter.sending.accounts import explain_unusable
from newsletter.sending.adapters import current_adapter
from newsletter.sending.settling.account_moves import move_by_hand
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import resume_send
from newsletter.sending.settling.sweep import sweep
from newsletter.sending.settling.uncertain_batches import (
    send_again,
    settle_as_accepted,
)
from tests.support.accounts import PEOPLE, SOON, check_everybody_once, count_over_accounts, run, send_first, start
from tests.support.fixtures import NOW, make_approver
from tests.support.provider_faults import Fault, answer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def accounts(fake_provider, second_provider, settings):
    """A default account that is asked again under its key, and ``backup`` at another provider."""
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("resend") + "&max_batch=10"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": second_provider.provider_url + "&max_batch=10"}
    return fake_provider, second_provider


def lose_an_answer(first) -> Send:
    """Start a send whose first call was accepted, but not answered."""
    send = start()
    first.fault_on(1, Fault("reset_after_accepting"))
    send_first(1)
    assert Batch.objects.filter(state="uncertain", handed_to="default").count() == 1
    return send


def test_a_bound_batch_that_is_refused_does_not_stop_the_rest(accounts):
    first, second = accounts
    send = lose_an_answer(first)
    first.fault_always(answer(401, b"Forbidden"))
    send = run(send)
    assert send.state == Send.State.NEEDS_ATTENTION
    assert len(second.accepted_counts()) == PEOPLE - 10
    bound = Batch.objects.get(account="default")
    assert (bound.state, bound.size) == (Batch.State.UNCERTAIN, 10)
    assert "takes no repeat of it" in bound.reason
    check_everybody_once(send, first, second, uncertain=10)


def test_staff_settle_a_bound_batch_that_was_refused(accounts):
    first, second = accounts
    send = lose_an_answer(first)
    first.fault_always(answer(401, b"Forbidden"))
    run(send)
    person = make_approver()
    send_again(batch=Batch.objects.get(account="default"), by=person, now=SOON)
    send.refresh_from_db()
    assert run(send).state == Send.State.NEEDS_ATTENTION
    settle_as_accepted(batch=Batch.objects.get(account="default"), by=person, now=SOON)
    sweep(adapter=current_adapter(), clock=lambda: SOON)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTED
    check_everybody_once(send, first, second)


def test_a_bound_batch_is_repeated_once_the_account_is_mended(accounts):
    first, second = accounts
    send = lose_an_answer(first)
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    first.fault_next(answer(401, b"Forbidden"))
    send = run(send)
    assert send.state == Send.State.SUBMITTED
    assert Attempt.objects.filter(batch__account="default").latest("number").outcome == "accepted"
    check_everybody_once(send, first, second)


def test_a_bound_batch_whose_account_is_away_does_not_stop_the_rest(accounts):
    first, second = accounts
    send = lose_an_answer(first)
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    first.stop_listening()
    send = run(send, step=300)
    assert send.state == Send.State.NEEDS_ATTENTION
    check_everybody_once(send, first, second, uncertain=10)
    assert Batch.objects.get(account="default").state == Batch.State.UNCERTAIN


def test_a_web_page_for_a_bound_batch_does_not_stop_the_rest(accounts):
    first, second = accounts
    send = lose_an_answer(first)
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    first.fault_always(answer(200, b"<html>Sign in</html>"))
    send = run(send, step=3600)
    assert send.state == Send.State.NEEDS_ATTENTION
    check_everybody_once(send, first, second, uncertain=10)


def test_a_refused_repeat_pauses_a_send_with_one_account(accounts):
    """Nothing else is stopped by that, and it goes on once the account is mended."""
    first, second = accounts
    send = start(second_account="")
    first.fault_on(1, Fault("reset_after_accepting"))
    send_first(1)
    first.fault_always(answer(401, b"Forbidden"))
    send = run(send)
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.ACCOUNT_REFUSED)
    first.fault_always(None)
    resume_send(send=send, by=make_approver())
    send = run(send)
    check_everybody_once(send, first, second)


def test_a_refusal_of_what_nobody_had_before_still_pauses(accounts):
    first, second = accounts
    send = start()
    send_first(1)
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    second.fault_always(answer(401, b"Forbidden"))
    send = run(send)
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.ACCOUNT_REFUSED)
    assert make_receipt(send).deliveries["pending"] == PEOPLE - 10


def test_a_bound_batch_of_a_removed_account_does_not_stop_the_rest(accounts, settings):
    first, second = accounts
    send = start(account="backup", second_account="")
    second.fault_on(1, Fault("close_after_accepting"))
    send_first(1)
    bound = Batch.objects.get(state="uncertain")
    send_again(batch=bound, by=make_approver(), now=NOW)
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    sweep(adapter=current_adapter(), clock=lambda: NOW)
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    move_by_hand(send=send, to="default", by=make_approver(), now=NOW)
    resume_send(send=send, by=make_approver())
    send = run(send)
    assert send.state == Send.State.NEEDS_ATTENTION
    bound.refresh_from_db()
    assert bound.state == Batch.State.UNCERTAIN
    assert str(explain_unusable("backup")) in bound.reason
    assert set(count_over_accounts(first, second).values()) == {1}
