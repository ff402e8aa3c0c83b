"""The catalogue of recurring jobs: name, interval, function and role."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path

from django.conf import settings

from newsletter.api_keys import delete_old_calls
from newsletter.content.images.hosting import make_fetcher
from newsletter.content.ingesting.apis.source_keys import reseal_keys
from newsletter.feedback.adjust_pace import adjust_paces
from newsletter.feedback.apply import apply_due_events, has_waiting_event
from newsletter.feedback.comparing.compare import compare_due_sends
from newsletter.feedback.event_retention import delete_old_events
from newsletter.feedback.provider_suppressions import read_suppression_list
from newsletter.feedback.webhook_setup.install import confirm_subscriptions, has_waiting_subscription
from newsletter.feedback.webhook_setup.keys import reseal_webhook_keys
from newsletter.inbound.canaries.read_canaries import is_awaiting, read_canary_mailboxes
from newsletter.inbound.forward_replies import forward_waiting_replies, has_waiting_forward
from newsletter.inbound.process_mail import handle_waiting_mails
from newsletter.inbound.read_mailboxes import read_mailboxes
from newsletter.inbound.store import delete_old_inbound_mails
from newsletter.issues.approval.reopen_uncovered import review_approvals
from newsletter.issues.assembly.slots import is_assembly_due
from newsletter.issues.checks.links import check_due_links
from newsletter.issues.checks.recent_results import RecentResults
from newsletter.issues.protected_terms.terms import reseal_terms
from newsletter.jobs.confirmation_mails import has_waiting_confirmation, send_due_confirmations
from newsletter.jobs.heartbeat import send_heartbeat
from newsletter.jobs.link_mails import has_waiting_link, send_due_links
from newsletter.jobs.notices.mail_notices import has_waiting_notice, send_due_notices
from newsletter.jobs.notices.write_due_notices import may_have_notice, warn_staff, write_notices
from newsletter.jobs.scheduler_jobs import (
    assemble_due,
    freeze_requested_sends,
    is_start_due,
    poll_sources,
    start_due_sends,
    void_stale_approvals,
)
from newsletter.jobs.shutdown import is_stopping
from newsletter.jobs.silent_people import ask_and_rest, has_waiting_question, send_due_questions
from newsletter.jobs.staff_link_mails import has_waiting_staff_link, send_due_staff_links
from newsletter.jobs.welcome_mails import send_due_welcomes
from newsletter.models import Send
from newsletter.organisation.accounts.staff_accounts import delete_ended_sessions
from newsletter.outbound.deliver import deliver_due, has_waiting_webhook
from newsletter.outbound.replay import delete_old_outbound_events
from newsletter.outbound.signing import reseal_secrets
from newsletter.sending.adapters import current_adapter, find_issue_counters, further_adapters, provider_label
from newsletter.sending.canaries.passwords import reseal_passwords
from newsletter.sending.deliverability.dmarc_reports.store import delete_old_reports
from newsletter.sending.deliverability.gmail_figures.fetch import fetch_due_figures
from newsletter.sending.deliverability.refresh_domains import refresh_sender_domains
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import DEFAULT_CONCURRENCY, dispatch_due
from newsletter.sending.limits.step_work import has_work
from newsletter.sending.notices.template_mails import delete_old_mails, has_waiting_mail, send_due_mails
from newsletter.sending.settling.retention import delete_old_deliveries
from newsletter.sending.settling.sweep import sweep
from newsletter.sending.spam_score import score_due_issues
from subscribers.erasing.retention import purge_expired_data
from subscribers.importing.writing.import_steps import (
    delete_old_import_files,
    has_import_at_work,
    process_pending_imports,
)

WEB, SCHEDULER, WORKER = "web", "scheduler", "worker"
ALL_ROLES = frozenset({WEB, SCHEDULER, WORKER})
DISPATCH = "dispatch_batches"
REST = 60
"""How many seconds most jobs rest."""
_LONGER_THAN_A_REST = timedelta(seconds=70)
"""A job with due times rests only if no due time falls into its rest."""
_checked_links: RecentResults[list[str]] = RecentResults()
_scored_issues: RecentResults[bool] = RecentResults()


@dataclass(frozen=True)
class Job:
    """A function without arguments that finds due work in the database. ``role`` is scheduler or worker.

    ``name`` is in the log and in the names of Procrastinate's tasks. While nothing is written to the database, a run each
    ``rest_seconds`` is enough, unless the job ``waits_for_time``, as for the end of a lease. Less than two intervals is no rest.
    """

    name: str
    every_seconds: float
    run: Callable[[], object]
    role: str
    rest_seconds: float = 0
    waits_for_time: Callable[[], bool] = lambda: False


def _now() -> datetime:
    return datetime.now(UTC)


def current_dispatcher() -> Dispatcher:
    """Return the dispatcher of this process. There is one, so that variants are loaded once and one thread renews all leases."""
    return _dispatcher(settings.NEWSLETTER_PROVIDER_URL, settings.NEWSLETTER_DATA_DIR)


@lru_cache(maxsize=1)
def _dispatcher(provider_url: str, data_dir: Path) -> Dispatcher:
    return Dispatcher(adapter=current_adapter())


def _is_send_running() -> bool:
    return Send.objects.filter(state=Send.State.SUBMITTING).exists()


def _dispatch(concurrency: int = DEFAULT_CONCURRENCY) -> None:
    if not _is_send_running():
        return
    # With the limit, smaller sends and postponed batches run during a large send.
    dispatch_due(dispatcher=current_dispatcher(), concurrency=concurrency, limit=50 * concurrency, stopping=is_stopping)


def _check_links() -> None:
    if settings.NEWSLETTER_LINK_CHECKS:
        check_due_links(now=_now(), fetcher=make_fetcher(), recent=_checked_links)


def _send_heartbeat() -> None:
    if settings.NEWSLETTER_PULSE_URL:
        send_heartbeat(url=settings.NEWSLETTER_PULSE_URL, fetcher=make_fetcher(), now=_now())


def _read_provider_suppressions() -> None:
    read_suppression_list(adapter=current_adapter(), account=provider_label(), now=_now())
    for account, adapter in further_adapters().items():
        read_suppression_list(adapter=adapter, account=f"{provider_label(account)}, {account}", now=_now())


JOBS = (
    Job("read_sources", 10, lambda: poll_sources(now=_now()), SCHEDULER, REST),
    Job(
        "assemble_issues",
        5,
        lambda: assemble_due(now=_now()),
        SCHEDULER,
        REST,
        lambda: is_assembly_due(now=_now(), within=_LONGER_THAN_A_REST),
    ),
    Job("void_stale_approvals", 30, lambda: void_stale_approvals(now=_now()), SCHEDULER, REST),
    Job(
        "start_due_sends",
        2,
        lambda: start_due_sends(now=_now()),
        SCHEDULER,
        REST,
        lambda: is_start_due(by=_now() + _LONGER_THAN_A_REST),
    ),
    Job("freeze_requested_sends", 1, lambda: freeze_requested_sends(now=_now()), SCHEDULER, REST),
    Job(
        "write_staff_notices",
        10,
        lambda: write_notices(now=_now()),
        SCHEDULER,
        REST,
        lambda: may_have_notice(now=_now()),
    ),
    Job(
        "send_staff_notices",
        10,
        lambda: send_due_notices(now=_now()),
        SCHEDULER,
        REST,
        lambda: has_waiting_notice(now=_now()),
    ),
    Job("check_links", 60, _check_links, SCHEDULER),
    Job("score_issues_for_spam", 60, lambda: score_due_issues(now=_now(), recent=_scored_issues), SCHEDULER),
    Job("check_sender_domains", 300, lambda: refresh_sender_domains(now=_now()), SCHEDULER),
    Job("read_gmail_figures", 600, lambda: fetch_due_figures(now=_now()), SCHEDULER),
    Job("review_approvals", 300, lambda: review_approvals(now=_now()), SCHEDULER),
    Job("warn_about_sends", 300, lambda: warn_staff(now=_now()), SCHEDULER),
    Job("send_heartbeat", 60, _send_heartbeat, SCHEDULER),
    Job("send_welcome_mails", 10, lambda: send_due_welcomes(now=_now()), SCHEDULER, REST),
    Job(
        "send_confirmations",
        2,
        lambda: send_due_confirmations(now=_now()),
        WORKER,
        REST,
        lambda: has_waiting_confirmation(now=_now()),
    ),
    Job(
        "send_requested_links",
        2,
        lambda: send_due_links(now=_now()),
        WORKER,
        REST,
        lambda: has_waiting_link(now=_now()),
    ),
    Job("send_single_mails", 2, lambda: send_due_mails(now=_now()), WORKER, REST, has_waiting_mail),
    Job("ask_silent_people", 600, lambda: ask_and_rest(now=_now()), SCHEDULER),
    Job(
        "send_stay_questions",
        10,
        lambda: send_due_questions(now=_now()),
        WORKER,
        REST,
        lambda: has_waiting_question(now=_now()),
    ),
    Job(
        "send_staff_links",
        2,
        lambda: send_due_staff_links(now=_now()),
        WORKER,
        REST,
        lambda: has_waiting_staff_link(now=_now()),
    ),
    Job("delete_expired_data", 3600, lambda: purge_expired_data(now=_now()), SCHEDULER),
    Job("delete_ended_sessions", 3600, lambda: delete_ended_sessions(now=_now()), SCHEDULER),
    Job(
        "import_people",
        2,
        lambda: process_pending_imports(clock=_now, stopping=is_stopping),
        WORKER,
        REST,
        has_import_at_work,
    ),
    Job("delete_old_import_files", 3600, lambda: delete_old_import_files(now=_now()), SCHEDULER),
    Job(DISPATCH, 1, _dispatch, WORKER, rest_seconds=60, waits_for_time=_is_send_running),
    Job(
        "deliver_webhooks",
        1,
        lambda: deliver_due(clock=_now, stopping=is_stopping),
        WORKER,
        REST,
        lambda: has_waiting_webhook(by=_now() + _LONGER_THAN_A_REST),
    ),
    Job("delete_old_webhooks", 3600, lambda: delete_old_outbound_events(now=_now()), SCHEDULER),
    Job(
        "apply_provider_events",
        2,
        apply_due_events,
        WORKER,
        REST,
        lambda: has_waiting_event(by=_now() + _LONGER_THAN_A_REST),
    ),
    Job("adjust_send_paces", 15, lambda: adjust_paces(now=_now()), SCHEDULER, REST, _is_send_running),
    Job(
        "confirm_report_subscriptions",
        10,
        lambda: confirm_subscriptions(now=_now()),
        SCHEDULER,
        REST,
        lambda: has_waiting_subscription(now=_now()),
    ),
    Job("read_mailboxes", 60, lambda: read_mailboxes(now=_now()), SCHEDULER),
    Job(
        "read_canary_mailboxes",
        5,
        lambda: read_canary_mailboxes(now=_now()),
        SCHEDULER,
        REST,
        lambda: is_awaiting(now=_now()),
    ),
    Job("handle_inbound_mails", 5, lambda: handle_waiting_mails(now=_now()), WORKER, rest_seconds=15),
    Job("forward_waiting_replies", 10, lambda: forward_waiting_replies(now=_now()), WORKER, REST, has_waiting_forward),
    Job("delete_old_inbound_mails", 3600, lambda: delete_old_inbound_mails(now=_now()), SCHEDULER),
    Job("delete_old_dmarc_reports", 3600, lambda: delete_old_reports(now=_now()), SCHEDULER),
    Job("read_provider_suppressions", 600, _read_provider_suppressions, SCHEDULER),
    Job(
        "compare_provider_counts", 600, lambda: compare_due_sends(counters=find_issue_counters(), now=_now()), SCHEDULER
    ),
    Job("delete_old_api_calls", 3600, lambda: delete_old_calls(now=_now()), SCHEDULER),
    Job("delete_old_events", 3600, lambda: delete_old_events(now=_now()), SCHEDULER),
    Job("reencrypt_terms", 3600, reseal_terms, SCHEDULER),
    Job("reencrypt_webhook_secrets", 3600, lambda: reseal_secrets(now=_now()), SCHEDULER),
    Job("reencrypt_canary_passwords", 3600, reseal_passwords, SCHEDULER),
    Job("reencrypt_source_keys", 3600, reseal_keys, SCHEDULER),
    Job("reencrypt_report_keys", 3600, reseal_webhook_keys, SCHEDULER),
    Job("delete_old_deliveries", 3600, lambda: delete_old_deliveries(now=_now()), SCHEDULER),
    Job("delete_old_single_mails", 3600, lambda: delete_old_mails(now=_now()), SCHEDULER),
    Job("repair_sends", 5, lambda: sweep(adapter=current_adapter()), WORKER, REST, lambda: has_work(now=_now())),
)


def list_jobs(roles: frozenset[str], *, concurrency: int = DEFAULT_CONCURRENCY) -> list[Job]:
    """Return the jobs of these roles. The dispatch job calls the provider in ``concurrency`` threads."""
    jobs = [job for job in JOBS if job.role in roles]
    return [replace(job, run=partial(_dispatch, concurrency)) if job.name == DISPATCH else job for job in jobs]
