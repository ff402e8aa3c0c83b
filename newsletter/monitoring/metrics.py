"""The metrics of this installation, in Prometheus' text format.

What matters of all processes is read from the database and kept for some seconds. The rest is about this process alone.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from django.db import Error
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from newsletter.common.database.deadlines import database_deadline
from newsletter.models import RunningProcess
from newsletter.monitoring import database_figures as figures
from newsletter.monitoring.process_figures import read_jobs, read_roles
from newsletter.monitoring.shared_check import SharedCheck

CONTENT_TYPE = CONTENT_TYPE_LATEST
KEEP_SECONDS = 10.0
DATABASE_SECONDS = 4.0
ANSWER_SECONDS = 5.0
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types for it
registry = CollectorRegistry()
_requests = Histogram(
    "newsletter_http_request_duration_seconds",
    "Time until the answer began, of requests to this web process.",
    ["area", "status"],
    buckets=_BUCKETS,
    registry=registry,
)
ProcessCollector(registry=registry)


def observe_request(*, area: str, status: int, seconds: float) -> None:
    """Record one request. ``area`` is one of a few parts of the site, never a path."""
    _requests.labels(area, f"{status // 100}xx").observe(seconds)


def write_metrics() -> bytes:
    """Return all metrics of this moment. Without a database, those of this process and ``newsletter_database_up 0``."""
    return generate_latest(registry)


def read_database_metrics(*, now: datetime) -> list[Metric]:
    """Return the metrics that come from the database. Raises django.db.Error."""
    with database_deadline(DATABASE_SECONDS):
        return [*_sending_metrics(now=now), *_other_metrics(now=now), *_process_metrics(now=now)]


class _DatabaseCollector(Collector):
    """Adds the metrics of the database to the registry. Their values are at most some seconds old."""

    def __init__(self) -> None:
        self._shared = SharedCheck(lambda: read_database_metrics(now=datetime.now(UTC)), keep_seconds=KEEP_SECONDS)

    def collect(self) -> Iterable[Metric]:
        try:
            metrics = self._shared.get(within=ANSWER_SECONDS)
        except Error:
            metrics = None
        yield _gauge("newsletter_database_up", "1 if the database answered, else 0.", 0 if metrics is None else 1)
        build = InfoMetricFamily("newsletter_build", "The version of the program and of Python.")
        build.add_metric([], {"version": version("newsletter"), "python": platform.python_version()})
        yield build
        yield from metrics or []

    def describe(self) -> Iterable[Metric]:
        return []  # without this, registering would ask the database


_database = _DatabaseCollector()
registry.register(_database)


def _sending_metrics(*, now: datetime) -> Iterator[Metric]:
    yield _by_label("newsletter_sends", "Sends by state.", "state", figures.count_sends())
    yield _by_label(
        "newsletter_batches", "Batches by state, of sends that have not ended.", "state", figures.count_open_batches()
    )
    batches = figures.find_waiting_batches(now=now)
    yield _gauge("newsletter_batches_waiting", "Batches that may be sent now and wait for a worker.", batches.count)
    yield _gauge(
        "newsletter_batches_oldest_waiting_seconds", "How long the oldest of them has waited.", batches.oldest_seconds
    )
    calls = GaugeMetricFamily(
        "newsletter_provider_calls_recent",
        "Calls to the provider that began in the last five minutes, by verdict.",
        labels=["provider", "verdict"],
    )
    seconds = GaugeMetricFamily(
        "newsletter_provider_call_seconds",
        "Duration of the calls of the last five minutes.",
        labels=["provider", "quantile"],
    )
    people = 0
    for provider_calls in figures.read_provider_calls(now=now):
        people += provider_calls.accepted_people
        for verdict, count in provider_calls.by_verdict.items():
            calls.add_metric([provider_calls.provider, verdict], count)
        for quantile, duration in provider_calls.seconds.items():
            seconds.add_metric([provider_calls.provider, str(quantile)], duration)
    yield calls
    yield seconds
    yield _gauge(
        "newsletter_deliveries_per_second",
        "Mails that the provider accepted, per second, over the last five minutes.",
        people / figures.WINDOW.total_seconds(),
    )


def _other_metrics(*, now: datetime) -> Iterator[Metric]:
    reports = figures.find_waiting_reports(now=now)
    yield _gauge("newsletter_reports_waiting", "Reports of the provider that are not applied yet.", reports.count)
    yield _gauge(
        "newsletter_reports_oldest_waiting_seconds", "How long the oldest of them has waited.", reports.oldest_seconds
    )
    yield _by_label(
        "newsletter_reports_recent",
        "Reports received in the last five minutes, by result.",
        "result",
        figures.count_recent_reports(now=now),
    )
    enabled, failing = figures.count_sources()
    yield _gauge("newsletter_sources", "Sources that are read.", enabled)
    yield _gauge("newsletter_sources_failing", "Sources whose last reading failed.", failing)
    yield _gauge(
        "newsletter_issues_overdue",
        "Issues that may go out, are ten minutes past their time and have not begun.",
        figures.count_overdue_issues(now=now),
    )
    yield _gauge("newsletter_held", "1 if all sending is on hold, else 0.", int(figures.is_held()))
    backup = GaugeMetricFamily(
        "newsletter_backup_age_seconds",
        "Seconds since the newest complete archive of `newsletter backup` was made. Missing if none is known.",
        labels=[],
    )
    age = figures.find_backup_age(now=now)
    if age is not None:
        backup.add_metric([], age)
    yield backup


def _process_metrics(*, now: datetime) -> Iterator[Metric]:
    processes = list(RunningProcess.objects.all())
    running = GaugeMetricFamily(
        "newsletter_processes", "Processes of a role that wrote to the database in the last minute.", labels=["role"]
    )
    age = GaugeMetricFamily(
        "newsletter_heartbeat_age_seconds",
        "Seconds since a process of the role last wrote to the database. Missing if none did for a day.",
        labels=["role"],
    )
    for role, role_figures in read_roles(processes, now=now).items():
        running.add_metric([role], role_figures.running)
        if role_figures.last_seen is not None:
            age.add_metric([role], max((now - role_figures.last_seen).total_seconds(), 0.0))
    yield running
    yield age
    done = GaugeMetricFamily(
        "newsletter_job_last_success_timestamp_seconds",
        "When a job last ended without an error, or rested because nothing was written to the database.",
        labels=["job"],
    )
    late = GaugeMetricFamily(
        "newsletter_job_late",
        "1 if a job has not ended for three intervals and two minutes, or runs for an hour.",
        labels=["job"],
    )
    failing = GaugeMetricFamily("newsletter_job_failing", "1 if the last run of a job failed.", labels=["job"])
    jobs = read_jobs(processes, now=now)
    for name, job in jobs.items():
        late.add_metric([name], int(job.late))
        failing.add_metric([name], int(job.failing))
        if job.done_at is not None:
            done.add_metric([name], job.done_at.timestamp())
    yield done
    yield late
    yield failing
    yield _gauge("newsletter_jobs_late", "How many jobs are late.", sum(job.late for job in jobs.values()))


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by_label(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
