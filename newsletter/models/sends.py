"""One send, its batches and attempts, and a narrow row for every person in it.

A delivery's state is its batch's, unless a `DeliveryException` says otherwise: so recording a batch is one UPDATE.
"""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessagesJSONField
from newsletter.models.issues import Issue, IssueRevision, Variant
from newsletter.models.publications import Publication
from newsletter.models.states import one_of


class Send(models.Model):
    """One dispatch of one approved revision. ``excluded`` is {reason: people}, counted when the audience was frozen.

    ``resumed_after`` is the newest try when a person last let it go on: what failed up to it counts no more.
    ``asked`` is the number of people that staff confirmed when they started it by hand.
    ``searched_up_to`` is the newest protected term that its mails were searched for: with a newer one none is claimed.
    """

    class State(models.TextChoices):
        PREPARING = "preparing", gettext_lazy("Preparing")
        READY = "ready", gettext_lazy("Ready")
        SUBMITTING = "submitting", gettext_lazy("Submitting")
        PAUSED = "paused", gettext_lazy("Paused")
        SUBMITTED = "submitted", gettext_lazy("Submitted")
        NEEDS_ATTENTION = "needs_attention", gettext_lazy("Needs Attention")
        CANCELLED = "cancelled", gettext_lazy("Cancelled")

    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="sends")
    revision = models.ForeignKey(IssueRevision, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PREPARING)
    reason = models.CharField(max_length=500, blank=True)
    provider = models.CharField(max_length=60)
    candidates = models.PositiveIntegerField(default=0)
    recipients = models.PositiveIntegerField(default=0)
    excluded = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    resumed_after = models.BigIntegerField(default=0)
    searched_up_to = models.BigIntegerField(default=0)
    asked = models.PositiveIntegerField(null=True)
    unchecked_stories = MessagesJSONField(
        default=list, help_text=gettext_lazy("[[title, why], …]: stories that could not be checked before it began.")
    )
    totals = models.JSONField(
        null=True, help_text=gettext_lazy("The receipt, once the rows of its people may be deleted.")
    )
    forgotten_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["issue"], condition=~Q(state="cancelled"), name="one_live_send_per_issue"),
            one_of(
                "send_state",
                "state",
                ["preparing", "ready", "submitting", "paused", "submitted", "needs_attention", "cancelled"],
            ),
        ]

    def __str__(self) -> str:
        return f"Send {self.pk} of {self.issue_id}"


class BatchQuerySet(models.QuerySet["Batch"]):
    def uncertain(self, *, provider: str, start: datetime, end: datetime) -> "BatchQuerySet":
        """Uncertain batches of open sends that no other account may have, whose ``first`` try began in (start, end]."""
        return self.filter(state=Batch.State.UNCERTAIN)._attempted_between(provider=provider, start=start, end=end)

    def with_uncertain_recipients(self, *, provider: str, start: datetime, end: datetime) -> "BatchQuerySet":
        """Settled batches, otherwise as those, of whose people some are uncertain on their own."""
        uncertain_people = DeliveryException.objects.filter(state=DeliveryException.State.UNCERTAIN)
        settled = self.filter(
            pk__in=uncertain_people.values("delivery__batch"), state__in=[Batch.State.ACCEPTED, Batch.State.PARTIAL]
        )
        return settled._attempted_between(provider=provider, start=start, end=end)

    def _attempted_between(self, *, provider: str, start: datetime, end: datetime) -> "BatchQuerySet":
        tries = Attempt.objects.filter(batch=models.OuterRef("pk"))
        return (
            self.filter(
                models.Exists(tries.filter(provider=provider)),
                ~models.Exists(tries.exclude(provider=provider).exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)),
                send__state__in=[Send.State.SUBMITTING, Send.State.NEEDS_ATTENTION],
            )
            .annotate(first=models.Min("tries__started_at"))
            .filter(first__gt=start, first__lte=end)
        )


class Batch(models.Model):
    """One API call's people, all of one variant. ``lease_until`` and ``attempts`` fence a worker that comes late."""

    class State(models.TextChoices):
        PENDING = "pending", gettext_lazy("Pending")
        SUBMITTING = "submitting", gettext_lazy("Submitting")
        ACCEPTED = "accepted", gettext_lazy("Accepted")
        PARTIAL = "partial", gettext_lazy("Partial")
        REJECTED = "rejected", gettext_lazy("Rejected")
        UNCERTAIN = "uncertain", gettext_lazy("Uncertain")
        WRITTEN_OFF = "written_off", gettext_lazy("Written Off")

    send = models.ForeignKey(Send, on_delete=models.PROTECT, related_name="batches")
    seq = models.PositiveIntegerField()
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    part = models.PositiveIntegerField(help_text=gettext_lazy("Which cut of its variant's people, from 0."))
    size = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=500, blank=True)
    key = models.CharField(gettext_lazy("idempotency key"), max_length=40, unique=True)
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True)

    objects = BatchQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["send", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["send", "seq"], name="batch_seq_once"),
            models.UniqueConstraint(fields=["send", "variant", "part"], name="batch_part_once"),
            one_of(
                "batch_state",
                "state",
                ["pending", "submitting", "accepted", "partial", "rejected", "uncertain", "written_off"],
            ),
        ]
        indexes = [models.Index(fields=["send", "state"], name="batch_by_state")]

    def __str__(self) -> str:
        return f"Batch {self.seq} of send {self.send_id}"


class Attempt(models.Model):
    """One HTTP try, written and committed before the call. An attempt without ``ended_at`` is one we do not know the end of."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="tries")
    n = models.PositiveIntegerField()
    provider = models.CharField(max_length=60, blank=True)
    people = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, blank=True)
    detail = models.CharField(max_length=500, blank=True)

    NOT_ACCEPTED_OUTCOMES = ("not_sent", "throttled", "rejected")
    """The outcomes after which the provider has nobody's mail for certain."""

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["batch", "n"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "n"], name="attempt_once"),
            models.UniqueConstraint(fields=["batch"], condition=Q(ended_at__isnull=True), name="one_open_attempt"),
        ]


class Delivery(models.Model):
    """One person in one send. The constraint is the promise that nobody gets an issue twice.

    ``address_hash`` is the first 16 bytes of the address's keyed hash. The rows come from one INSERT…SELECT over the very
    batches they name, so the database does not check the two references again: that took a third of the freeze.
    """

    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="deliveries", db_constraint=False)
    subscriber_id = models.BigIntegerField(db_index=True)
    address_hash = models.BinaryField(max_length=16)
    proof = models.BooleanField(default=False)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name_plural = gettext_lazy("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "address_hash"], condition=Q(proof=False), name="one_delivery_per_issue_and_address"
            )
        ]


class DeliveryException(models.Model):
    """Where one person's end differs from the batch's. ``state`` replaces the batch's; the times are first-wins facts."""

    class State(models.TextChoices):
        REJECTED = "rejected", gettext_lazy("Rejected")
        SKIPPED = "skipped", gettext_lazy("Skipped")
        UNCERTAIN = "uncertain", gettext_lazy("Uncertain")

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="exception")
    state = models.CharField(max_length=10, choices=State.choices, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    bounced_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [one_of("delivery_exception_state", "state", ["", "rejected", "skipped", "uncertain"])]
        indexes = [models.Index(fields=["delivery"], condition=Q(state="uncertain"), name="delivery_in_doubt")]


class ProviderAccount(models.Model):
    """The one shared rate limit of a provider account: the next moment a call may start.

    Single mails go between the calls of a bulk send, so ``next_at`` does not stop them; ``wait_until`` stops everything.
    """

    name = models.CharField(max_length=120, unique=True)
    next_at = models.FloatField(default=0, help_text=gettext_lazy("Seconds since 1970."))
    wait_until = models.FloatField(default=0, help_text=gettext_lazy("Seconds since 1970: nobody calls before."))
    failures = models.PositiveIntegerField(
        default=0, help_text=gettext_lazy("Single mails in a row that came to nothing.")
    )
    pace = models.FloatField(default=1, help_text=gettext_lazy("Share of the rate in use since “too many”."))

    wagtail_reference_index_ignore = True


class SendingDay(models.Model):
    """How many people a publication was sent to on one local day: the row that a daily limit is kept by."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    people = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication", "day"], name="sending_day_once")]


class Installation(models.Model):
    """The one row that says whose database this is, and whether anything may be sent from it at all.

    ``released_at`` is when a person last ended a hold: what machines remember from before counts no more.
    """

    address_key_hash = models.CharField(max_length=64)
    held = models.BooleanField(default=False)
    reason = models.CharField(max_length=500, blank=True)
    changed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_installation")]
