"""What runs when: every recurring job of the product, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from newsletter.jobs.confirm import send_due_confirmations
from newsletter.jobs.tell import tell_staff
from newsletter.jobs.tick import assemble_due, poll_sources, start_due_sends
from newsletter.providers.contract import Adapter
from newsletter.sending.dispatch import Dispatcher
from newsletter.sending.provider import current_adapter
from newsletter.sending.run import LANES, dispatch_due, sweep


@dataclass(frozen=True)
class Job:
    """A function without arguments that reads what is due from rows. ``role`` is scheduler or worker."""

    name: str
    every_seconds: float
    run: Callable[[], object]
    role: str


def _now() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=1)
def _dispatcher(adapter: Adapter) -> Dispatcher:
    return Dispatcher(adapter=adapter)


def _dispatch() -> None:
    dispatch_due(dispatcher=_dispatcher(current_adapter()), lanes=LANES)


JOBS = (
    Job("poll", 10, lambda: poll_sources(now=_now()), "scheduler"),
    Job("assemble", 5, lambda: assemble_due(now=_now(), tell=tell_staff), "scheduler"),
    Job("start", 2, lambda: start_due_sends(now=_now()), "scheduler"),
    Job("confirm", 2, lambda: send_due_confirmations(now=_now()), "worker"),
    Job("dispatch", 1, _dispatch, "worker"),
    Job("sweep", 5, lambda: sweep(adapter=current_adapter()), "worker"),
)
