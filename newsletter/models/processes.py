"""The processes that run, so that the metrics of any web process and `newsletter doctor` cover all of them."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models

ROLES = ("web", "scheduler", "worker")
SECONDS_BETWEEN_HEARTBEATS = 15.0
RUNNING_WITHIN = timedelta(seconds=4 * SECONDS_BETWEEN_HEARTBEATS)


class RunningProcessQuerySet(models.QuerySet["RunningProcess"]):
    def running(self, *, now: datetime) -> Self:
        """Return those that wrote their row in the last minute. A time far ahead is of a clock that was wrong."""
        return self.filter(seen_at__gt=now - RUNNING_WITHIN, seen_at__lt=now + RUNNING_WITHIN)


class RunningProcess(models.Model):
    """One process that serves pages, schedules or sends, or does several of these. It updates ``seen_at`` until it ends.

    ``jobs`` maps a job's name to ``{"every": seconds, "done_at": ISO 8601 or null, "failed": bool, "running_since": ISO 8601 or
    null}``: the end of its last run without an error, whether its last run failed, and the start of a run that goes on.
    """

    key = models.CharField(max_length=32, unique=True)
    web = models.BooleanField(default=False)
    scheduler = models.BooleanField(default=False)
    worker = models.BooleanField(default=False)
    version = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    jobs = models.JSONField(default=dict)

    objects = RunningProcessQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(web=True) | models.Q(scheduler=True) | models.Q(worker=True),
                name="running_process_role",
            )
        ]

    @property
    def roles(self) -> list[str]:
        return [role for role in ROLES if getattr(self, role)]
