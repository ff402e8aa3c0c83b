"""Calls of the API that arrive at once with one `Idempotency-Key`, which only a real database can show."""

import threading

import pytest
from django.core.cache import cache
from django.db import connection

from subscribers.models import Suppression
from tests.support.api import call, create_key

pytestmark = pytest.mark.postgres

STOP = {"email": "ada@example.org", "reason": "staff", "note": "asked by phone"}


@pytest.mark.django_db(transaction=True)
def test_two_calls_at_once_with_one_idempotency_key_run_once() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    cache.clear()
    key, answers = create_key(), []

    def stop() -> None:
        answers.append(call("post", "people/stop", STOP, key=key, idempotency_key="one"))
        connection.close()

    threads = [threading.Thread(target=stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.json() for answer in answers] == [{"changed": True}] * 4
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 3
    assert Suppression.objects.count() == 1
