"""A receipt reads few rows: of the deliveries only those that differ from their batch, and none of earlier sends."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from newsletter.models import Batch, Delivery, Send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt
from tests.support.feedback_reports import apply_reports, brevo_event, deliveries_of, make_send
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.query_plans import watch_plans

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
MANY = 3_000


@pytest.fixture
def two_sends() -> tuple[Send, Send]:
    """Two large sends. Four recipients of the first and two of the second bounced."""
    sends = make_send(recipients=8), _make_second_send(recipients=8)
    for send, bounced in zip(sends, (4, 2), strict=True):
        apply_reports(*(brevo_event("hard_bounce", row) for row in deliveries_of(send)[:bounced]))
    for send in sends:
        batch = send.batches.get()
        Delivery.objects.bulk_create(
            Delivery(issue_id=send.issue_id, batch=batch, subscriber_id=number, address_hash=number.to_bytes(16, "big"))
            for number in range(10_000, 10_000 + MANY)
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return sends


def test_a_receipt_counts_the_bounces_of_its_own_send(two_sends: tuple[Send, Send]) -> None:
    assert [make_receipt(Send.objects.get(pk=send.pk)).bounced for send in two_sends] == [4, 2]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="reads plans of SQLite")
def test_a_receipt_reads_no_large_table_on_sqlite(two_sends: tuple[Send, Send]) -> None:
    with watch_plans() as plans:
        make_receipt(Send.objects.get(pk=two_sends[1].pk))
    assert plans.queries > 2
    assert plans.scans == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="reads plans of PostgreSQL")
def test_a_receipt_reads_the_deliveries_of_its_exceptions_only(two_sends: tuple[Send, Send]) -> None:
    send = Send.objects.get(pk=two_sends[1].pk)
    with CaptureQueriesContext(connection) as queries:
        make_receipt(send)
    (counting,) = (
        query["sql"] for query in queries.captured_queries if "FROM newsletter_deliveryexception" in query["sql"]
    )
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {counting}")
        plan = cursor.fetchone()[0][0]["Plan"]
    read = sum(
        node["Actual Rows"] * node["Actual Loops"]
        for node in _list_nodes(plan)
        if node.get("Relation Name") == "newsletter_delivery"
    )
    assert read == 2


def _make_second_send(*, recipients: int) -> Send:
    """Return a send of another publication, to other people."""
    monthly = make_publication(slug="monthly")
    make_story("The second verdict")
    add_subscribers(monthly, recipients, start=100)
    send = start_send(issue=make_issue(monthly, approved=True), now=NOW)
    send.batches.update(state=Batch.State.ACCEPTED, attempt_number=1, handed_to=F("account"))
    return send


def _list_nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _list_nodes(part)
