"""Webhooks to the organisation's other systems: who receives them, what happened, and each delivery.

No row holds an address: a delivery reads it when it is sent, so an erasure needs nothing here.
"""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy, pgettext_lazy

from newsletter.common.database.future_times import make_ahead_filter
from newsletter.common.message_fields import MessageField


class EventKind(models.TextChoices):
    """The facts that webhooks report. The value is the `type` that a receiver reads."""

    PERSON_SIGNED_UP = "person.signed_up", gettext_lazy("Somebody signed up and has not confirmed yet")
    PERSON_CONFIRMED = "person.confirmed", gettext_lazy("Somebody confirmed a sign-up, or joined without having to")
    PERSON_CHANGED = "person.changed", gettext_lazy("Preferences or details of a person changed")
    PERSON_MOVED = "person.moved", gettext_lazy("A person changed their email address")
    PERSON_MERGED = "person.merged", gettext_lazy("Two records of one person were merged")
    PERSON_UNSUBSCRIBED = "person.unsubscribed", gettext_lazy("A person unsubscribed from one list")
    PERSON_UNSUBSCRIBED_FROM_ALL = "person.unsubscribed_from_all", gettext_lazy("A person unsubscribed from all mail")
    PERSON_ENDED = "person.subscription_ended", gettext_lazy("Staff or the system ended a subscription")
    PERSON_COMPLAINED = "person.complained", gettext_lazy("A person reported a mail as spam")
    PERSON_BOUNCED = "person.bounced", gettext_lazy("An address bounced permanently")
    PERSON_SUPPRESSED = "person.suppressed", gettext_lazy("An address was suppressed for another reason")
    PERSON_SUPPRESSION_REMOVED = "person.suppression_removed", gettext_lazy("A suppression was removed")
    PERSON_ERASED = "person.erased", gettext_lazy("A person was erased")
    STORY_NEW = "story.new", gettext_lazy("A story was found or written")
    STORY_CORRECTED = "story.corrected", gettext_lazy("A story changed")
    STORY_WITHDRAWN = "story.withdrawn", gettext_lazy("A story was withdrawn")
    EVENT_NEW = "event.new", gettext_lazy("An event was found or written")
    EVENT_CORRECTED = "event.corrected", gettext_lazy("An event changed")
    EVENT_WITHDRAWN = "event.withdrawn", gettext_lazy("An event was withdrawn or cancelled")
    ISSUE_ASSEMBLED = "issue.assembled", gettext_lazy("An issue was assembled")
    ISSUE_WAITING = "issue.waiting", gettext_lazy("An issue waits for approval")
    ISSUE_APPROVED = "issue.approved", gettext_lazy("An issue was approved")
    ISSUE_APPROVAL_WITHDRAWN = "issue.approval_withdrawn", gettext_lazy("The approval of an issue was withdrawn")
    ISSUE_HELD = "issue.held", gettext_lazy("An issue was held")
    ISSUE_CANCELLED = "issue.cancelled", gettext_lazy("An issue or its send was cancelled")
    ISSUE_SENT = "issue.sent", gettext_lazy("An issue was sent")
    SEND_FINISHED = "send.finished", gettext_lazy("A send finished, with its receipt")
    IMPORT_FINISHED = "import.finished", gettext_lazy("An import of people finished")
    IMPORT_UNDONE = "import.undone", gettext_lazy("An import of people was undone")
    GIFT_MATCHED = "gift.matched", gettext_lazy("A gift was matched with an issue")
    TEST = "test", gettext_lazy("A test that staff sent")


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def wanting(self, kinds: "set[EventKind]") -> "list[WebhookEndpoint]":
        """Return the endpoints that take at least one of these kinds. A stopped endpoint still collects."""
        collecting = self.exclude(state=WebhookEndpoint.State.OFF)
        return [endpoint for endpoint in collecting if any(endpoint.wants(kind) for kind in kinds)]


class WebhookEndpoint(models.Model):
    """A URL that receives webhooks. `sealed_secret` is encrypted; the secret before it signs too, for a while."""

    class State(models.TextChoices):
        ACTIVE = "active", gettext_lazy("Active")
        STOPPED = "stopped", gettext_lazy("Stopped: its receiver accepted nothing")
        OFF = "off", gettext_lazy("Turned off")

    name = models.CharField(gettext_lazy("name"), max_length=120, unique=True)
    url = models.URLField(gettext_lazy("url"), max_length=2000, validators=[URLValidator(schemes=["http", "https"])])
    kinds = models.JSONField(gettext_lazy("events"), default=list, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    sealed_secret = models.TextField(editable=False)
    sealed_old_secret = models.TextField(blank=True, default="", editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)
    made_by = models.CharField(max_length=254)
    made_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)

    objects = WebhookEndpointQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["name"]
        verbose_name = gettext_lazy("webhook")
        verbose_name_plural = gettext_lazy("webhooks")
        default_permissions = ("change",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["active", "stopped", "off"]), name="webhook_state"),
            models.CheckConstraint(condition=~Q(sealed_secret=""), name="webhook_has_secret"),
            models.CheckConstraint(
                condition=~Q(state="stopped") | Q(failing_since__isnull=False), name="webhook_stopped_since"
            ),
            models.CheckConstraint(
                condition=Q(sealed_old_secret="", old_secret_until__isnull=True)
                | (~Q(sealed_old_secret="") & Q(old_secret_until__isnull=False)),
                name="webhook_old_secret_ends",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since__isnull=True, retry_at__isnull=True)
                | Q(failures__gt=0, failing_since__isnull=False),
                name="webhook_failing_since",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def wants(self, kind: EventKind) -> bool:
        """Return True if this endpoint gets events of this kind. Without a choice it takes all; a test always."""
        return not self.kinds or kind in self.kinds or kind == EventKind.TEST


class OutboundEvent(models.Model):
    """One fact, written in the transaction that made it true. `person` is a subscriber's id; it outlives an erasure."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True)
    kind = models.CharField(max_length=32, choices=EventKind.choices)
    at = models.DateTimeField(db_index=True)
    origin = models.CharField(max_length=140)
    person = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="outbound_event_kind")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


MAX_LEASE = timedelta(minutes=2)
MAX_RETRY_WAIT = timedelta(days=1)


def unleased(now: datetime) -> Q:
    """Return the condition of deliveries that nobody is sending. A lease far ahead is of a clock that was set back."""
    return Q(leased_until__isnull=True) | Q(leased_until__lt=now) | Q(leased_until__gt=now + 2 * MAX_LEASE)


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def pending(self) -> Self:
        return self.filter(state=WebhookDelivery.State.PENDING)

    def claimable(self, *, now: datetime) -> Self:
        """Keep those that are due and that nobody is sending."""
        return self.due(now=now).filter(unleased(now))

    def due(self, *, now: datetime) -> Self:
        was_ahead = make_ahead_filter("due_at", now=now, wait=MAX_RETRY_WAIT)
        return self.pending().filter(Q(due_at__lte=now) | was_ahead)

    def claimed(self, *, now: datetime) -> Self:
        """Keep those that a worker is sending."""
        return self.pending().exclude(unleased(now))


class WebhookDelivery(models.Model):
    """One event for one endpoint. It is sent at least once, and never before an earlier one about the same person."""

    class State(models.TextChoices):
        PENDING = "pending", gettext_lazy("Waiting")
        DELIVERED = "delivered", pgettext_lazy("one mail", "Delivered")
        GIVEN_UP = "given_up", gettext_lazy("Given up after 3 days")

    # Without a constraint in the database: an endpoint that is removed must never make an unsubscribe fail.
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False
    )
    event = models.ForeignKey(OutboundEvent, on_delete=models.CASCADE, related_name="deliveries")
    person = models.BigIntegerField(null=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    first_attempt_at = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="The HTTP status of the last answer.")
    milliseconds = models.PositiveIntegerField(null=True)
    error = MessageField(blank=True, default="")

    objects = WebhookDeliveryQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "delivered", "given_up"]), name="webhook_delivery_state"
            ),
            models.CheckConstraint(
                condition=Q(state="pending") | Q(leased_until__isnull=True, attempts__gt=0),
                name="webhook_delivery_tried",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="webhook_delivery_due"),
            models.Index(fields=["person"], condition=Q(person__isnull=False), name="webhook_delivery_person"),
            models.Index(
                fields=["endpoint", "person", "event"], condition=Q(state="pending"), name="webhook_delivery_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"
