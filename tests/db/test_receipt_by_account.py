"""The list of people names the accounts that the receipt's sums by account count."""

from collections import Counter

import pytest

from newsletter.models import Delivery, DeliveryException
from newsletter.sending.settling.account_moves import move_by_hand
from newsletter.sending.settling.receipt import list_deliveries, make_receipt
from newsletter.sending.settling.send_controls import cancel_send
from subscribers.models import Subscriber
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all
from tests.support.accounts import run, send_first, start
from tests.support.fixtures import NOW, make_approver
from tests.support.provider_faults import Fault, answer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
NAMED = ("accepted", "rejected", "uncertain")


def count_listed(send) -> Counter[tuple[str, str]]:
    return Counter((str(row[-1]), str(row[3])) for row in list_deliveries(send))


def check_named(send) -> None:
    listed, sums = count_listed(send), make_receipt(send).accounts
    for account, states in sums.items():
        assert {state: listed[account, state] for state in NAMED} == {state: states[state] for state in NAMED}
    for state in ("skipped", "pending"):
        assert listed["", state] == sum(states[state] for states in sums.values())


def unsubscribe(*numbers: int) -> None:
    for number in numbers:
        person = Subscriber.objects.get(email=f"person{number}@example.com")
        unsubscribe_from_all(subscriber=person, now=NOW)


def test_the_list_of_people_agrees_with_the_sums_by_account(two_accounts):
    second = two_accounts[1]
    send = start()
    unsubscribe(1, 59)
    send_first(2)
    refused = Delivery.objects.filter(batch__state="accepted", exception__isnull=True)[0]
    DeliveryException.objects.create(delivery=refused, state="rejected", reason="no such address", at=NOW)
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    second.fault_next(Fault("close_after_accepting"))
    second.query_fault = answer(500)
    send = run(send)
    listed = count_listed(send)
    assert listed["", "skipped"] == 2
    assert listed["default", "rejected"] == 1
    assert listed["default", "accepted"] > 0
    assert listed["backup", "uncertain"] > 0
    check_named(send)


def test_people_whom_a_cancelled_send_skipped_have_no_account(two_accounts):
    send = start()
    send_first(2)
    cancel_send(send=send, by=make_approver(), now=NOW)
    assert count_listed(send) == {("default", "accepted"): 20, ("", "skipped"): 40}
    check_named(send)
