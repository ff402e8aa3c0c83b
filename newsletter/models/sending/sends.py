"""Sends: one dispatch of one approved revision to an audience."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField, MessagesJSONField
from newsletter.models.issue_content import IssueRevision
from newsletter.models.issues import Issue
from newsletter.models.states import one_of


class SendManager(models.Manager["Send"]):
    """Leave out the reasons of the assembly where a send is read with its issue, as the issue's own manager does."""

    def get_queryset(self) -> models.QuerySet["Send"]:
        return super().get_queryset().defer("issue__reasons")


class Send(models.Model):
    """One dispatch of one approved revision.

    ``excluded`` maps a reason to a number of people, counted when the audience was frozen. ``audience`` names its list and
    segments since that moment: ``{"list": slug, "segments": [slug, …]}``, and their names. ``resumed_after_attempt``:
    failures up to this attempt no longer count. ``confirmed_recipients``: how many staff confirmed. ``newest_term_searched``
    is the newest protected term searched for: no batch is claimed while a newer one exists. ``local_time`` is the wall-clock
    time, ``YYYY-MM-DDTHH:MM``, at which people get it in their own zone; "" means at once. ``hours`` are its moments in
    order: ``[{"at": ISO 8601, "zones": {zone: people}}, …]``. No batch of an hour after ``checked_until`` is claimed: the
    stories and events are checked again first. ``purged_at``: its recipients' rows are gone. ``people_per_minute`` limits a
    slowed send in addition to its account's rate, by its newest `PaceStep`; NULL is no limit. ``next_call_at``: no call of a
    slowed send begins before, in seconds since 1970. ``period``: the month, ``YYYY-MM``, whose new subscribers a welcome
    mail's send takes in.
    """

    class State(models.TextChoices):
        PREPARING = "preparing", gettext_lazy("Preparing")
        READY = "ready", gettext_lazy("Ready")
        SUBMITTING = "submitting", gettext_lazy("Submitting")
        PAUSED = "paused", gettext_lazy("Paused")
        SUBMITTED = "submitted", gettext_lazy("Submitted")
        NEEDS_ATTENTION = "needs_attention", gettext_lazy("Needs attention")
        CANCELLED = "cancelled", gettext_lazy("Cancelled")

    class Code(models.TextChoices):
        """The reasons on which later decisions depend. The texts next to them are for people. Others have no code."""

        NONE = ""
        PAUSED_BY_STAFF = "paused_by_staff"
        SENDER_REFUSED = "sender_refused"
        GMAIL_SPAM_RATE = "gmail_spam_rate"
        CANARY = "canary"
        ACCOUNT_AWAY = "account_away"
        ACCOUNT_REFUSED = "account_refused"

    class CanaryDecision(models.TextChoices):
        """Why the send no longer waits for its first canaries. ``WATCHED``: they were sent, and nobody waits for a result."""

        NONE = ""
        WATCHED = "watched"
        PASSED = "passed"
        TIMED_OUT = "timed_out"
        NOT_SENT = "not_sent"
        NO_MAILBOX = "no_mailbox"
        TO_FILES = "to_files"
        BY_STAFF = "by_staff"

    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="sends")
    revision = models.ForeignKey(IssueRevision, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PREPARING)
    reason = MessageField(blank=True)
    code = models.CharField(max_length=16, choices=Code.choices, blank=True, default=Code.NONE)
    provider = models.CharField(max_length=60)
    candidates = models.PositiveIntegerField(default=0)
    recipients = models.PositiveIntegerField(default=0)
    excluded = models.JSONField(default=dict)
    audience = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    local_time = models.CharField(max_length=16, blank=True, default="")
    hours = models.JSONField(default=list)
    period = models.CharField(max_length=7, blank=True, default="")
    people_per_minute = models.PositiveIntegerField(null=True)
    next_call_at = models.FloatField(default=0)
    checked_until = models.DateTimeField(null=True)
    resumed_after_attempt = models.BigIntegerField(default=0)
    newest_term_searched = models.BigIntegerField(default=0)
    canary_decision = models.CharField(
        max_length=10, choices=CanaryDecision.choices, blank=True, default=CanaryDecision.NONE
    )
    confirmed_recipients = models.PositiveIntegerField(null=True)
    unchecked_stories = MessagesJSONField(
        default=list, help_text=gettext_lazy("[[title, reason], …]: stories that could not be checked before it began.")
    )
    totals = models.JSONField(
        null=True, help_text=gettext_lazy("The receipt, once the rows of its recipients may be deleted.")
    )
    purged_at = models.DateTimeField(null=True)

    objects = SendManager()
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "period"], condition=~Q(state="cancelled"), name="one_live_send_per_issue"
            ),
            one_of(
                "send_state",
                "state",
                ["preparing", "ready", "submitting", "paused", "submitted", "needs_attention", "cancelled"],
            ),
            one_of(
                "send_canary_decision",
                "canary_decision",
                ["", "watched", "passed", "timed_out", "not_sent", "no_mailbox", "to_files", "by_staff"],
            ),
            models.CheckConstraint(condition=~Q(people_per_minute=0), name="slowed_send_goes_on"),
            one_of(
                "send_code",
                "code",
                [
                    "",
                    "paused_by_staff",
                    "sender_refused",
                    "gmail_spam_rate",
                    "canary",
                    "account_away",
                    "account_refused",
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"Send {self.pk} of {self.issue.reference}"

    @property
    def dated_at(self) -> datetime | None:
        """The moment whose day its mails show, or None before it started. By readers' hours, it is the issue's own time."""
        return self.issue.due_at if self.local_time else self.started_at

    @property
    def last_hour(self) -> datetime | None:
        """The moment of its last hour, or None if everybody gets it at once."""
        return datetime.fromisoformat(self.hours[-1]["at"]) if self.hours else None
