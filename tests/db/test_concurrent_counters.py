"""Counters under concurrent writers, which only a real database can show."""

import base64
import json
import threading

import pytest
from django.db import connection

from subscribers.confirmation_quota import use_confirmation_quota
from subscribers.consent.proof_of_work import use_proof
from subscribers.consent.throttle import increment_counter
from tests.support.people import NOW

pytestmark = [pytest.mark.postgres, pytest.mark.requirement("A2"), pytest.mark.requirement("A3")]


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_get_one_mail_and_spend_one_proof() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time, so there are no two at once")
    confirmations: list[bool] = []
    payload = base64.b64encode(json.dumps({"challenge": "abc"}).encode()).decode()
    spent: list[bool] = []
    counts: list[int] = []

    def ask() -> None:
        try:
            confirmations.append(use_confirmation_quota("ada@example.org", now=NOW))
            spent.append(use_proof(payload, now=NOW))
            counts.append(increment_counter("site", now=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (sum(confirmations), sum(spent), sorted(counts)) == (1, 1, [1, 2, 3, 4, 5, 6])
