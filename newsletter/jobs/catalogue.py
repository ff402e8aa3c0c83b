"""What runs when: every recurring job of the product, by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path

from django.conf import settings

from newsletter.content.images.hosting import make_fetcher
from newsletter.feedback.apply import apply_due_events
from newsletter.feedback.forget import forget_old_events
from newsletter.feedback.lists import read_provider_list
from newsletter.issues.protected_terms.terms import seal_anew
from newsletter.issues.snapshot.link_checks import look_at_links
from newsletter.jobs.confirmations import send_due_confirmations
from newsletter.jobs.event_notices import tell_of_changed_events
from newsletter.jobs.export_notices import tell_of_waiting_exports
from newsletter.jobs.heartbeat import send_pulse
from newsletter.jobs.held_signup_notices import tell_of_full_hold
from newsletter.jobs.link_mails import send_due_links
from newsletter.jobs.send_notices import tell_of_stopped_sends
from newsletter.jobs.staff_notices import send_due_notices, tell_of_waiting_seconds
from newsletter.jobs.stopping import is_stopping
from newsletter.jobs.tick import (
    assemble_due,
    poll_sources,
    prepare_begun_sends,
    start_due_sends,
    void_stale_approvals,
)
from newsletter.jobs.watch_notices import warn_staff
from newsletter.sending.deliverability.domains import look_at_domains
from newsletter.sending.dispatching.dispatch import Dispatcher
from newsletter.sending.dispatching.provider import current_adapter, provider_label
from newsletter.sending.dispatching.worker_loop import LANES, dispatch_due, sweep
from newsletter.sending.settling.retention import forget_old_deliveries
from subscribers.erasing.retention import forget_what_is_over
from subscribers.importing.writing.batches import forget_old_files, work_on_imports

SCHEDULER, WORKER = "scheduler", "worker"
EVERYTHING = frozenset({SCHEDULER, WORKER})
DISPATCH = "dispatch"


@dataclass(frozen=True)
class Job:
    """A function without arguments that reads what is due from rows. ``role`` is scheduler or worker."""

    name: str
    every_seconds: float
    run: Callable[[], object]
    role: str


def _now() -> datetime:
    return datetime.now(UTC)


def current_dispatcher() -> Dispatcher:
    """The dispatcher of this process, so that its letters are read once and its leases are kept together."""
    return _dispatcher(settings.NEWSLETTER_PROVIDER_URL, settings.NEWSLETTER_DATA_DIR)


@lru_cache(maxsize=1)
def _dispatcher(provider_url: str, data_dir: Path) -> Dispatcher:
    return Dispatcher(adapter=current_adapter())


def _dispatch(lanes: int = LANES) -> None:
    # A ring ends after so many batches, so that smaller sends and batches put off get their turn beside a large one.
    dispatch_due(dispatcher=current_dispatcher(), lanes=lanes, most=50 * lanes, stopping=is_stopping)


def _look_at_links() -> None:
    if settings.NEWSLETTER_LINK_CHECKS:
        look_at_links(now=_now(), fetcher=make_fetcher())


def _send_pulse() -> None:
    if settings.NEWSLETTER_PULSE_URL:
        send_pulse(url=settings.NEWSLETTER_PULSE_URL, fetcher=make_fetcher(), now=_now())


def _tell(*, now: datetime) -> None:
    tell_of_stopped_sends(now=now)
    tell_of_waiting_seconds(now=now)
    tell_of_waiting_exports(now=now)
    tell_of_changed_events(now=now)
    tell_of_full_hold(now=now)
    send_due_notices(now=now)


def _read_list() -> None:
    read_provider_list(adapter=current_adapter(), account=provider_label(), now=_now())


JOBS = (
    Job("poll", 10, lambda: poll_sources(now=_now()), SCHEDULER),
    Job("assemble", 5, lambda: assemble_due(now=_now()), SCHEDULER),
    Job("approvals", 30, lambda: void_stale_approvals(now=_now()), SCHEDULER),
    Job("start", 2, lambda: start_due_sends(now=_now()), SCHEDULER),
    Job("prepare", 1, lambda: prepare_begun_sends(now=_now()), SCHEDULER),
    Job("tell", 10, lambda: _tell(now=_now()), SCHEDULER),
    Job("links", 60, _look_at_links, SCHEDULER),
    Job("domains", 300, lambda: look_at_domains(now=_now()), SCHEDULER),
    Job("watch", 300, lambda: warn_staff(now=_now()), SCHEDULER),
    Job("pulse", 60, _send_pulse, SCHEDULER),
    Job("confirm", 2, lambda: send_due_confirmations(now=_now()), WORKER),
    Job("mailed_links", 2, lambda: send_due_links(now=_now()), WORKER),
    Job("retention", 3600, lambda: forget_what_is_over(now=_now()), SCHEDULER),
    Job("import", 2, lambda: work_on_imports(clock=_now, stopping=is_stopping), WORKER),
    Job("old_imports", 3600, lambda: forget_old_files(now=_now()), SCHEDULER),
    Job(DISPATCH, 1, _dispatch, WORKER),
    Job("feedback", 2, apply_due_events, WORKER),
    Job("lists", 600, _read_list, SCHEDULER),
    Job("forget", 3600, lambda: forget_old_events(now=_now()), SCHEDULER),
    Job("seal", 3600, seal_anew, SCHEDULER),
    Job("shrink", 3600, lambda: forget_old_deliveries(now=_now()), SCHEDULER),
    Job("sweep", 5, lambda: sweep(adapter=current_adapter()), WORKER),
)


def jobs_of(roles: frozenset[str], *, lanes: int = LANES) -> list[Job]:
    """The jobs of these roles; dispatch calls the provider in so many threads."""
    jobs = [job for job in JOBS if job.role in roles]
    return [replace(job, run=partial(_dispatch, lanes)) if job.name == DISPATCH else job for job in jobs]
