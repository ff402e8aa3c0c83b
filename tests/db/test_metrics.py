"""The metrics of an installation: what they count, and that they name nobody."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_client.core import Metric

from newsletter.common.errors import NotReady
from newsletter.jobs.catalogue import ALL_ROLES, SCHEDULER, WORKER, Job, list_jobs
from newsletter.jobs.timer import make_heartbeat, run_job
from newsletter.models import Attempt, Batch, Installation, ProviderEvent, RunningProcess, Send
from newsletter.monitoring import metrics
from newsletter.monitoring.job_runs import expect_jobs
from newsletter.monitoring.metrics import read_database_metrics, write_metrics
from newsletter.organisation.health.backup import MAX_AGE
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_source, make_story
from tests.support.sends import start_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
GUIDE = Path(__file__).parents[2] / "docs/how-to/monitor.md"
MONITORING = Path(__file__).parents[2] / "examples/monitoring"
Values = dict[tuple[str, ...], float]


def read(*, now=NOW) -> dict[str, Values]:
    """Return each metric's values by its labels' values."""
    return {family.name: _values(family) for family in read_database_metrics(now=now)}


def _values(family: Metric) -> Values:
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def begun(readers: int = 3) -> Send:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, readers)
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def test_an_empty_installation_has_every_metric() -> None:
    found = read()
    assert found["newsletter_sends"][("submitting",)] == 0
    assert found["newsletter_batches_oldest_waiting_seconds"] == {(): 0}
    assert found["newsletter_processes"] == {("web",): 0, ("scheduler",): 0, ("worker",): 0}
    assert found["newsletter_heartbeat_age_seconds"] == {}
    assert found["newsletter_held"] == {(): 0}
    assert found["newsletter_backup_age_seconds"] == {}


def test_a_batch_without_a_worker_waits_since_its_send_began() -> None:
    begun()
    found = read(now=NOW + timedelta(minutes=7))
    assert found["newsletter_sends"][("submitting",)] == 1
    assert found["newsletter_batches"][("pending",)] == 1
    assert found["newsletter_batches_waiting"] == {(): 1}
    assert found["newsletter_batches_oldest_waiting_seconds"] == {(): 420}


def test_a_batch_that_waits_for_its_time_is_not_waiting_for_a_worker() -> None:
    begun()
    Batch.objects.update(not_before=NOW + timedelta(hours=1))
    assert read()["newsletter_batches_waiting"] == {(): 0}


def test_calls_are_counted_by_verdict_with_their_duration() -> None:
    begun()
    batch = Batch.objects.get()
    for number, (outcome, seconds, ago) in enumerate(
        [("accepted", 1, 60), ("accepted", 3, 30), ("throttled", 2, 20), ("", None, 1), ("accepted", 1, 3600)], start=1
    ):
        began = NOW - timedelta(seconds=ago)
        ended = None if seconds is None else began + timedelta(seconds=seconds)
        Attempt.objects.create(
            batch=batch,
            number=number,
            people=150,
            provider="mailgun:0123abcd",
            outcome=outcome,
            started_at=began,
            ended_at=ended,
        )
    found = read()
    assert found["newsletter_provider_calls_recent"] == {
        ("mailgun", "accepted"): 2,
        ("mailgun", "throttled"): 1,
        ("mailgun", "open"): 1,
    }
    assert found["newsletter_provider_call_seconds"] == {("mailgun", "0.5"): 2, ("mailgun", "0.95"): 3}
    assert found["newsletter_deliveries_per_second"] == {(): 1}


def test_reports_wait_from_when_they_arrived() -> None:
    for number, (minutes, applied) in enumerate([(1, False), (4, True), (9, False)]):
        at = NOW - timedelta(minutes=minutes)
        ProviderEvent.objects.create(
            provider="mailgun",
            key=str(number),
            kind="bounced",
            body={},
            received_at=at,
            applied_at=at if applied else None,
            result="applied" if applied else "",
        )
    found = read()
    assert found["newsletter_reports_waiting"] == {(): 2}
    assert found["newsletter_reports_oldest_waiting_seconds"] == {(): 540}
    assert found["newsletter_reports_recent"][("waiting",)] == 1
    assert found["newsletter_reports_recent"][("applied",)] == 1


def test_sources_that_fail_and_a_hold_are_counted() -> None:
    make_source("Works")
    make_source("Fails", failures=2)
    make_source("Is off", failures=2, enabled=False)
    Installation.objects.update_or_create(pk=1, defaults={"held": True, "changed_at": NOW})
    found = read()
    assert (found["newsletter_sources"], found["newsletter_sources_failing"]) == ({(): 2}, {(): 1})
    assert found["newsletter_held"] == {(): 1}


def test_the_age_of_the_newest_backup_is_known() -> None:
    made_at = NOW - timedelta(hours=30)
    Installation.objects.update_or_create(pk=1, defaults={"backed_up_at": made_at, "changed_at": NOW})
    assert read()["newsletter_backup_age_seconds"] == {(): 30 * 3600}


def test_a_process_writes_which_jobs_ran_and_which_failed() -> None:
    def fail() -> None:
        raise NotReady("not yet")

    jobs = [Job("works", 1, lambda: None, WORKER), Job("fails", 1, fail, SCHEDULER)]
    heartbeat = make_heartbeat(ALL_ROLES, jobs)
    expect_jobs({job.name: job.every_seconds for job in jobs})
    for job in jobs:
        run_job(job)
    heartbeat.write(started_at=NOW, now=NOW)
    heartbeat.write(started_at=NOW, now=NOW + timedelta(seconds=15))
    found = read(now=NOW + timedelta(seconds=20))
    assert found["newsletter_processes"] == {("web",): 1, ("scheduler",): 1, ("worker",): 1}
    assert found["newsletter_heartbeat_age_seconds"] == {("web",): 5, ("scheduler",): 5, ("worker",): 5}
    assert found["newsletter_job_failing"] == {("works",): 0, ("fails",): 1}
    assert set(found["newsletter_job_last_success_timestamp_seconds"]) == {("works",)}


def add_process(*, seen_ago: float, role: str = WORKER, **runs: dict[str, object]) -> None:
    RunningProcess.objects.create(
        key=f"{RunningProcess.objects.count()}",
        scheduler=role == SCHEDULER,
        worker=role == WORKER,
        started_at=NOW - timedelta(hours=3),
        seen_at=NOW - timedelta(seconds=seen_ago),
        jobs={
            name: {"every": 10, "done_at": None, "failed": False, "running_since": None, **run}
            for name, run in runs.items()
        },
    )


def ago(**span: float) -> str:
    return (NOW - timedelta(**span)).isoformat()


@pytest.mark.parametrize(
    ("run", "late"),
    [
        ({"done_at": ago(seconds=30)}, False),
        ({"done_at": ago(minutes=3)}, True),
        ({"done_at": None}, True),
        ({"every": 3600, "done_at": ago(hours=2)}, False),
        ({"every": 3600, "done_at": ago(hours=4)}, True),
        ({"done_at": ago(minutes=40), "running_since": ago(minutes=40)}, False),
        ({"done_at": ago(minutes=70), "running_since": ago(minutes=70)}, True),
    ],
)
def test_a_job_is_late_after_three_intervals_or_an_hour_of_running(run: dict[str, object], late: bool) -> None:
    add_process(seen_ago=5, job=run)
    assert read()["newsletter_job_late"] == {("job",): late}
    assert read()["newsletter_jobs_late"] == {(): late}


def test_a_job_that_another_process_runs_is_not_late() -> None:
    add_process(seen_ago=5, job={"done_at": ago(minutes=50)})
    add_process(seen_ago=7, job={"done_at": ago(seconds=4)})
    found = read()
    assert found["newsletter_job_late"] == {("job",): 0}
    assert found["newsletter_processes"][("worker",)] == 2


def test_a_killed_process_is_missed_after_a_minute() -> None:
    add_process(seen_ago=90, job={"done_at": ago(seconds=200), "running_since": ago(seconds=95)})
    found = read()
    assert found["newsletter_processes"][("worker",)] == 0
    assert found["newsletter_heartbeat_age_seconds"] == {("worker",): 90}
    assert found["newsletter_job_late"] == {("job",): 1}, "its unfinished run does not count as running"


def test_the_row_of_a_process_that_ended_long_ago_is_deleted() -> None:
    add_process(seen_ago=100_000)
    make_heartbeat(ALL_ROLES, []).write(started_at=NOW, now=NOW)
    assert RunningProcess.objects.count() == 1


def test_metrics_name_no_person_list_publication_or_source() -> None:
    begun()
    add_process(seen_ago=5, **{job.name: {} for job in list_jobs(ALL_ROLES)})
    labels = {value for values in read().values() for labels in values for value in labels}
    allowed = {job.name for job in list_jobs(ALL_ROLES)} | set(Send.State.values) | set(Batch.State.values)
    assert all(re.fullmatch(r"[a-z_]+|0\.\d+", label) for label in labels)
    assert labels - allowed <= {"web", "scheduler", "worker", "waiting", "applied", "orphan", "noted"}


def test_without_a_database_the_metrics_of_the_process_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging:
        def get(self, *, within: float) -> None:
            return None

    monkeypatch.setattr(metrics._database, "_shared", Hanging())
    text = write_metrics().decode()
    assert "newsletter_database_up 0.0" in text
    assert "process_cpu_seconds_total" in text
    assert "newsletter_sends" not in text


def test_the_guide_explains_every_metric_and_no_other() -> None:
    """A histogram is in the guide by its own name, the client library's own metrics by their prefix."""
    written = re.findall(r"`(newsletter_[a-z_]+)`", GUIDE.read_text(encoding="utf-8"))
    families = {family.name for family in metrics.registry.collect()} | set(read())
    own = {
        f"{name}_info" if name == "newsletter_build" else name for name in families if name.startswith("newsletter_")
    }
    assert sorted(set(written)) == sorted(own)


def test_the_example_dashboard_and_alarms_name_only_metrics_that_exist() -> None:
    text = "".join((MONITORING / name).read_text(encoding="utf-8") for name in ("dashboard.json", "alarms.yml"))
    written = set(re.findall(r"\bnewsletter_[a-z_]+", text))
    known = {family.name for family in metrics.registry.collect()} | set(read())
    assert len(written) > 15
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in written} <= known


def test_there_are_six_alarms_and_each_says_what_to_do() -> None:
    rules = yaml.safe_load((MONITORING / "alarms.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert len(rules) == 6
    assert all(set(rule["annotations"]) == {"summary", "action"} for rule in rules)
    [backup] = [rule for rule in rules if rule["alert"] == "NewsletterBackupOld"]
    assert backup["expr"].endswith(f"> {MAX_AGE.total_seconds():.0f}"), "as doctor warns"
