"""Staff move the rest of a send to another provider account by hand."""

import pytest

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.models import AccountMove, Attempt, Send
from newsletter.sending.accounts import AccountNotUsable
from newsletter.sending.settling.account_moves import list_movable_batches, move_by_hand
from newsletter.sending.settling.send_controls import (
    pause_send,
    resume_send,
)
from tests.support.accounts import PEOPLE, SOON, check_everybody_once, run, send_first, start
from tests.support.fixtures import NOW, make_approver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_staff_move_the_rest_by_hand_and_it_stays_paused(two_accounts):
    first, second = two_accounts
    send, person = start(), make_approver()
    send_first(2)
    pause_send(send=send, by=person)
    assert [(rest.account, rest.people) for rest in list_movable_batches(send)] == [("default", 40)]
    assert move_by_hand(send=send, to="backup", by=person, now=SOON) == 40
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    resume_send(send=send, by=person)
    send = run(send)
    check_everybody_once(send, first, second)
    assert (len(first.accepted_counts()), len(second.accepted_counts())) == (20, 40)
    assert AccountMove.objects.get().by == str(person)


def test_the_rest_can_move_back(two_accounts):
    first, second = two_accounts
    send, person = start(), make_approver()
    move_by_hand(send=send, to="backup", by=person, now=NOW)
    send_first(1)
    move_by_hand(send=send, to="default", by=person, now=SOON)
    send = run(send)
    check_everybody_once(send, first, second)
    assert (len(first.accepted_counts()), len(second.accepted_counts())) == (50, 10)


def test_moving_by_hand_is_refused_with_its_reason(two_accounts, django_user_model):
    send, person = start(), make_approver()
    with pytest.raises(NotAllowed, match="may not move sends"):
        move_by_hand(send=send, to="backup", by=django_user_model.objects.create(username="kim"), now=NOW)
    with pytest.raises(AccountNotUsable, match="there is no NEWSLETTER_PROVIDER_URL_OTHER"):
        move_by_hand(send=send, to="other", by=person, now=NOW)
    with pytest.raises(NotReady, match="Nobody is left who could move"):
        move_by_hand(send=send, to="default", by=person, now=NOW)
    send = run(send)
    with pytest.raises(WrongState, match="nothing of it can move"):
        move_by_hand(send=send, to="backup", by=person, now=NOW)


def test_batches_are_split_to_what_the_other_account_takes(two_accounts, settings):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": two_accounts[1].provider_url + "&max_batch=4"}
    send = start()
    assert move_by_hand(send=send, to="backup", by=make_approver(), now=NOW) == PEOPLE
    assert max(send.batches.values_list("size", flat=True)) == 4
    send = run(send)
    check_everybody_once(send, *two_accounts)
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"accepted"}
