"""Moves whose batches must be split, moves in several rounds, and moves of sends that change at the same moment."""

from datetime import timedelta

import pytest

from newsletter.common.errors import InvariantViolated, WrongState
from newsletter.models import AccountMove, Attempt, Publication, Send, StaffNotice
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.limits import split_batches as splitting
from newsletter.sending.settling import account_moves
from newsletter.sending.settling.account_moves import continue_moves, move_by_hand, move_to_second_accounts
from newsletter.sending.settling.send_controls import (
    cancel_send,
    pause_send,
    resume_send,
)
from tests.support.accounts import PEOPLE, SOON, check_everybody_once, run, send_first, start
from tests.support.fixtures import NOW, make_approver
from tests.support.provider_faults import answer, too_many

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def big_batches(two_accounts, settings):
    """Both accounts take everybody in one call."""
    first, second = two_accounts
    settings.NEWSLETTER_PROVIDER_URL = first.provider_url + "&max_batch=100"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": second.provider_url + "&max_batch=100"}
    return two_accounts


@pytest.fixture
def small_rounds(two_accounts, settings, monkeypatch):
    """The second account takes 2 people in a call, and a round makes at most 7 new batches."""
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": two_accounts[1].provider_url + "&max_batch=2"}
    monkeypatch.setattr(splitting, "MAX_NEW_BATCHES_A_ROUND", 7)
    return two_accounts


def try_once(first) -> None:
    first.fault_next(too_many("60"))
    send_first(1)
    assert Attempt.objects.get().outcome == "throttled"


def test_a_batch_tried_before_fits_the_second_accounts_warm_up(big_batches):
    first, second = big_batches
    send = start(second_warm_up_from=NOW.date())
    try_once(first)
    assert move_by_hand(send=send, to="backup", by=make_approver(), now=NOW) == PEOPLE
    assert sorted(send.batches.values_list("size", flat=True)) == [10, 50]
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW))
    assert len(second.accepted_counts()) == 50


def test_a_lowered_daily_limit_splits_batches_that_were_tried(big_batches):
    send = start()
    try_once(big_batches[0])
    Publication.objects.update(people_per_day=25)
    fresh = Send.objects.select_related("issue__publication").get()
    assert splitting.split_oversized_batches(fresh, now=NOW) == 1
    assert sorted(send.batches.values_list("size", flat=True)) == [10, 25, 25]


def test_a_lowered_daily_limit_leaves_what_the_account_may_have(big_batches):
    send = start()
    try_once(big_batches[0])
    send.batches.update(handed_to="default")
    Publication.objects.update(people_per_day=25)
    fresh = Send.objects.select_related("issue__publication").get()
    assert splitting.split_oversized_batches(fresh, now=NOW) == 0


def test_the_sweep_continues_a_manual_move_until_all_moved(small_rounds):
    send = start()
    moved = move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    assert 0 < moved < PEOPLE
    assert AccountMove.objects.get().unfinished
    rounds = 0
    while AccountMove.objects.get().unfinished:
        continue_moves(now=SOON)
        rounds += 1
    move = AccountMove.objects.get()
    assert rounds > 1
    assert (move.people, move.batches) == (PEOPLE, 30)
    assert set(send.batches.values_list("account", "size")) == {("backup", 2)}
    send = run(send)
    check_everybody_once(send, *small_rounds)


def test_an_unfinished_move_of_a_cancelled_send_ends(small_rounds):
    send, person = start(), make_approver()
    move_by_hand(send=send, to="backup", by=person, now=NOW)
    people = AccountMove.objects.get().people
    cancel_send(send=send, by=person, now=NOW)
    continue_moves(now=SOON)
    move = AccountMove.objects.get()
    assert (move.unfinished, move.people) == (False, people)


def test_an_unfinished_move_to_a_missing_account_ends_with_a_notice(small_rounds, settings):
    send, person = start(), make_approver()
    move_by_hand(send=send, to="backup", by=person, now=NOW)
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    continue_moves(now=SOON)
    assert not AccountMove.objects.get().unfinished
    assert StaffNotice.objects.filter(key__startswith=f"account-move-failed-{send.pk}").exists()


def test_a_move_back_ends_an_unfinished_move(small_rounds):
    send, person = start(), make_approver()
    move_by_hand(send=send, to="backup", by=person, now=NOW)
    move_by_hand(send=send, to="default", by=person, now=SOON)
    continue_moves(now=SOON)
    assert set(send.batches.values_list("account", flat=True)) == {"default"}
    assert not AccountMove.objects.filter(unfinished=True).exists()


def test_an_automatic_move_waits_until_all_batches_are_split(small_rounds):
    first, second = small_rounds
    send = start()
    first.fault_always(answer(401, b"Forbidden"))
    send_first(1)
    assert move_to_second_accounts(now=NOW) == []
    assert Send.objects.get().state == Send.State.PAUSED
    rounds = 1
    while not (moves := move_to_second_accounts(now=NOW)):
        rounds += 1
    assert rounds > 1
    assert (moves[0].people, moves[0].unfinished) == (PEOPLE, False)
    send = run(send)
    check_everybody_once(send, second)


def test_an_automatic_move_leaves_a_send_that_staff_just_cancelled(two_accounts, monkeypatch):
    stop_by_refusal(two_accounts[0])
    after_cause(monkeypatch, lambda send: cancel_send(send=send, by=make_approver(), now=SOON))
    assert move_to_second_accounts(now=SOON) == []
    assert Send.objects.get().state == Send.State.CANCELLED
    assert not AccountMove.objects.exists()


def test_an_automatic_move_leaves_a_send_that_staff_just_paused(two_accounts, monkeypatch):
    stop_by_refusal(two_accounts[0])

    def pause_again(send: Send) -> None:
        person = make_approver()
        resume_send(send=send, by=person)
        pause_send(send=send, by=person)

    after_cause(monkeypatch, pause_again)
    assert move_to_second_accounts(now=SOON) == []
    assert Send.objects.get().code == Send.Code.PAUSED_BY_STAFF
    assert not AccountMove.objects.exists()


def stop_by_refusal(first) -> None:
    start()
    first.fault_always(answer(401, b"Forbidden"))
    send_first(1)
    assert Send.objects.get().code == Send.Code.ACCOUNT_REFUSED


def after_cause(monkeypatch, change) -> None:
    """Change the send, in rows of its own, once the cause of a move was found."""
    find = account_moves.find_move_reason

    def find_and_change(send, **values):
        cause = find(send, **values)
        change(Send.objects.get(pk=send.pk))
        return cause

    monkeypatch.setattr(account_moves, "find_move_reason", find_and_change)


def test_a_manual_move_of_a_send_that_was_just_cancelled_is_refused(two_accounts, monkeypatch):
    send, person = start(), make_approver()
    lock = account_moves._lock

    def cancel_and_lock(one):
        cancel_send(send=Send.objects.get(pk=one.pk), by=person, now=NOW)
        return lock(one)

    monkeypatch.setattr(account_moves, "_lock", cancel_and_lock)
    with pytest.raises(WrongState, match="nothing of it can move"):
        move_by_hand(send=send, to="backup", by=person, now=NOW)
    assert set(send.batches.values_list("account", flat=True)) == {"default"}


def test_a_move_by_hand_from_several_accounts_is_done_whole_or_not(two_accounts, monkeypatch):
    send = start()
    send.batches.filter(seq=2).update(account="third")
    move = account_moves._move

    def fail_at_third(one, *, source, to, limit):
        if source == "third":
            raise InvariantViolated("A defect.")
        return move(one, source=source, to=to, limit=limit)

    monkeypatch.setattr(account_moves, "_move", fail_at_third)
    with pytest.raises(InvariantViolated):
        move_by_hand(send=send, to="backup", by=make_approver(), now=NOW + timedelta(minutes=1))
    assert set(send.batches.values_list("account", flat=True)) == {"default", "third"}
    assert not AccountMove.objects.exists()
