"""The processes that run, so that the metrics of any web process and `newsletter doctor` cover all of them."""

from django.db import models


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

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(web=True) | models.Q(scheduler=True) | models.Q(worker=True),
                name="running_process_role",
            )
        ]
