"""A process killed while it reports a fact: each event reaches the receiver at least once, always with the same id."""

import json

import pytest

from tests.support.processes import wait_until
from tests.support.webhook_receiver import run_receiver

EVENTS = "SELECT COUNT(*) FROM subscribers_outboundevent"
FINISHED = "SELECT COUNT(*) FROM newsletter_send WHERE state = 'submitted'"
STATES = "SELECT state FROM subscribers_webhookdelivery"


@pytest.mark.parametrize(
    ("point", "recorded", "state", "received"),
    [
        ("fact_recorded", 0, [], 1),
        ("webhook_claimed", 1, [("pending",)], 1),
        ("webhook_posted", 1, [("pending",)], 2),
        ("webhook_settled", 1, [("delivered",)], 1),
    ],
)
def test_a_worker_killed_at_any_step_loses_no_webhook(install, point, recorded, state, received):
    here = install()
    with run_receiver() as receiver:
        allowed = {"NEWSLETTER_FETCH_ALLOW": "127.0.0.1"}
        added = here.run("webhook", "add", "CRM", receiver.url, "--event", "send.finished", "--json", **allowed)
        assert json.loads(added.stdout)["secret"].startswith("whsec_"), added.stderr
        worker = here.start("worker", stall=point, **allowed)
        here.wait_for_stall()
        worker.kill()
        assert here.query(FINISHED) == here.query(EVENTS) == [(recorded,)], "a fact and its event are written together"
        assert here.query(STATES) == state
        here.query("UPDATE subscribers_webhookdelivery SET leased_until = due_at WHERE leased_until IS NOT NULL")
        last = here.start("worker", **allowed)
        wait_until(lambda: "worker is running" in last.said(), what="a running worker")
        wait_until(lambda: here.query(STATES) == [("delivered",)], what="the event delivered")
        assert [one.document["type"] for one in receiver.received] == ["send.finished"] * received
        assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
        assert last.terminate() == 0
