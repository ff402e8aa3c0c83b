"""Run a command of the product that stops at one point: python -m tests.support.stall_points POINT FOLDER worker

It writes FOLDER/stalled when it gets there and goes on when FOLDER/go is there. Only the first to come is held.
At the point ``no_names`` nothing stands still: no name of a provider is found, as where the DNS is away.
"""

import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from newsletter.project import cli
from tests.support.time_limits import START_SECONDS

POINTS = (
    "building",
    "before_call",
    "after_call",
    "after_outcome",
    "freezing",
    "moving_account",
    "moved_account",
    "webhook_stored",
    "applying",
    "fact_recorded",
    "webhook_claimed",
    "webhook_posted",
    "webhook_settled",
    "no_names",
)


class StallGate:
    """Holds the first that comes until it is released. A test that ends kills it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._first = threading.Lock()

    def hold(self) -> None:
        if not self._first.acquire(blocking=False):
            return
        (self._folder / "stalled").touch()
        end = time.monotonic() + START_SECONDS
        while not (self._folder / "go").exists() and time.monotonic() < end:
            time.sleep(0.02)


def install_stall(point: str, gate: StallGate) -> None:
    from newsletter.content.fetching.poster import Poster
    from newsletter.feedback import apply
    from newsletter.outbound import deliver
    from newsletter.providers.base.transport import Transport
    from newsletter.sending.dispatching import dispatcher
    from newsletter.sending.settling import sweep
    from newsletter.web import webhooks

    if point == "building":
        dispatcher.build_call = _stall_before(dispatcher.build_call, gate)
    elif point == "before_call":
        Transport.call = _stall_before(Transport.call, gate)  # type: ignore[method-assign]
    elif point == "after_call":
        Transport.call = _stall_after(Transport.call, gate)  # type: ignore[method-assign]
    elif point == "after_outcome":
        dispatcher.record_outcome = _stall_after(dispatcher.record_outcome, gate)
    elif point == "webhook_stored":
        webhooks.store_webhook = _stall_after(webhooks.store_webhook, gate)
    elif point == "applying":
        apply.pause_failing_sends = _stall_before(apply.pause_failing_sends, gate)
    elif point == "fact_recorded":
        _hold_after_insert("subscribers_outboundevent", gate)
    elif point == "webhook_claimed":
        Poster.post = _stall_before(Poster.post, gate)  # type: ignore[method-assign]
    elif point == "webhook_posted":
        Poster.post = _stall_after(Poster.post, gate)  # type: ignore[method-assign]
    elif point == "webhook_settled":
        deliver._record = _stall_after(deliver._record, gate)
    elif point == "queue":
        _hold_in_the_queues_transaction(gate)
    elif point == "no_names":
        from urllib3.util import connection as urllib3_connection

        urllib3_connection.create_connection = _find_no_name
    elif point == "moving_account":
        _hold_after_insert("newsletter_accountmove", gate)
    elif point == "moved_account":
        sweep.move_to_second_accounts = _stall_after(sweep.move_to_second_accounts, gate)
    elif point == "freezing":
        _hold_after_insert("newsletter_delivery", gate)
    else:
        raise SystemExit(f"There is no point “{point}”; there are {', '.join(POINTS)}.")


def _hold_in_the_queues_transaction(gate: StallGate) -> None:
    """Stop after a periodic job is inserted, before the commit: others who insert the same job must wait."""
    from psycopg import AsyncCursor

    run = AsyncCursor.execute

    async def execute(cursor: Any, query: Any, *arguments: Any, **named: Any) -> Any:
        result = await run(cursor, query, *arguments, **named)
        if "procrastinate_defer_periodic_job" in str(query):
            gate.hold()
        return result

    AsyncCursor.execute = execute  # type: ignore[method-assign]


def _find_no_name(*arguments: Any, **named: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _stall_before(function: Callable[..., Any], gate: StallGate) -> Callable[..., Any]:
    def held(*arguments: Any, **named: Any) -> Any:
        gate.hold()
        return function(*arguments, **named)

    return held


def _stall_after(function: Callable[..., Any], gate: StallGate) -> Callable[..., Any]:
    def held(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        gate.hold()
        return result

    return held


def _hold_after_insert(table: str, gate: StallGate) -> None:
    from django.db.backends.signals import connection_created

    def execute(run: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        result = run(sql, *arguments)
        if re.search(rf'INSERT INTO "?{table}\b', str(sql)):
            gate.hold()
        return result

    def watch(connection: Any, **more: Any) -> None:
        connection.execute_wrappers.append(execute)

    connection_created.connect(watch, weak=False)


def main(point: str, folder: str, *command: str) -> int:
    start_django = cli._start_django

    def start_and_put_gate(words: list[str]) -> bool:
        may_create = start_django(words)
        install_stall(point, StallGate(Path(folder)))
        return may_create

    cli._start_django = start_and_put_gate
    return cli.main(command)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
