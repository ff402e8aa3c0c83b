"""Batches, attempts, and one narrow row for each recipient: its state is its batch's, so one UPDATE records many."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.issue_content import Variant
from newsletter.models.issues import Issue
from newsletter.models.sending.sends import Send
from newsletter.models.states import one_of
from newsletter.providers.accounts import DEFAULT_ACCOUNT, MAX_ACCOUNT_LENGTH


class BatchQuerySet(models.QuerySet["Batch"]):
    def released(self) -> "BatchQuerySet":
        """Keep the batches whose hour has come, whose subject is decided, and whose stories and events are checked for it."""
        return self.filter(waits=False).filter(Q(due_at__isnull=True) | Q(due_at__lte=models.F("send__checked_until")))

    def due(self, *, now: datetime) -> "BatchQuerySet":
        """Keep the batches that need not wait: for their hour, after a failure, or for a limit."""
        return self.released().filter(Q(not_before__isnull=True) | Q(not_before__lte=now))

    def movable(self) -> "BatchQuerySet":
        """Keep the batches that no account has or may have: another account can send them."""
        return self.filter(state=Batch.State.PENDING, handed_to="")

    def cancelled_repeats(self) -> "BatchQuerySet":
        """Keep the batches that an earlier call may have mailed, and that nobody sends again: their send was cancelled."""
        cancelled = Send.objects.filter(state=Send.State.CANCELLED).order_by()
        return self.filter(state=Batch.State.PENDING, send__in=cancelled).exclude(handed_to="")

    def uncertain(self, *, provider: str, start: datetime, end: datetime) -> "BatchQuerySet":
        """Keep the uncertain batches of open sends that only this provider account can have.

        Their first attempt began in (start, end]; it is annotated as ``first_attempt_at``.
        """
        return self.filter(state=Batch.State.UNCERTAIN)._attempted_between(provider=provider, start=start, end=end)

    def with_uncertain_recipients(self, *, provider: str, start: datetime, end: datetime) -> "BatchQuerySet":
        """Keep the settled batches with uncertain recipients; otherwise the same as `uncertain`."""
        recipients = DeliveryException.objects.filter(state=DeliveryException.State.UNCERTAIN)
        settled = self.filter(
            pk__in=recipients.values("delivery__batch"), state__in=[Batch.State.ACCEPTED, Batch.State.PARTIAL]
        )
        return settled._attempted_between(provider=provider, start=start, end=end)

    def _attempted_between(self, *, provider: str, start: datetime, end: datetime) -> "BatchQuerySet":
        attempts = Attempt.objects.filter(batch=models.OuterRef("pk"))
        elsewhere = attempts.exclude(provider=provider).exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
        return (
            self.filter(
                models.Exists(attempts.filter(provider=provider)),
                ~models.Exists(elsewhere),
                send__state__in=[Send.State.SUBMITTING, Send.State.NEEDS_ATTENTION],
            )
            .annotate(first_attempt_at=models.Min("attempts__started_at"))
            .filter(first_attempt_at__gt=start, first_attempt_at__lte=end)
        )


class Batch(models.Model):
    """The recipients of one API call, all of one variant and one hour: ``due_at`` in a local send, else None.

    ``waits`` is True until the subject test is decided, which sets ``due_at``. ``not_before`` ends a wait after a failure, or
    for a ``LIMIT``. ``lease_until`` and the newest ``attempt_number`` reject the result of a late worker.

    ``account`` names the provider account that sends it. ``handed_to`` is written with each claim, before the call, and is
    "" only while certainly no call was taken. The constraint ``batch_stays_with_account`` makes another account impossible
    from then on. ``from_uncertain`` is True for a part of a batch that an earlier call may have taken: the part has none of
    its attempts.
    """

    class State(models.TextChoices):
        PENDING = "pending", gettext_lazy("Pending")
        SUBMITTING = "submitting", gettext_lazy("Submitting")
        ACCEPTED = "accepted", gettext_lazy("Accepted")
        PARTIAL = "partial", gettext_lazy("Partial")
        REJECTED = "rejected", gettext_lazy("Rejected")
        UNCERTAIN = "uncertain", gettext_lazy("Uncertain")
        WRITTEN_OFF = "written_off", gettext_lazy("Written off")

    OPEN_STATES = (State.PENDING, State.SUBMITTING)
    """Those without an outcome."""
    UNFINISHED_STATES = (*OPEN_STATES, State.UNCERTAIN)
    """Those whose outcome may still come: a report can settle an uncertain batch."""

    class Code(models.TextChoices):
        NONE = ""
        RENDER_FAILURE = "render_failure"
        LIMIT = "limit"

    send = models.ForeignKey(Send, on_delete=models.PROTECT, related_name="batches")
    seq = models.PositiveIntegerField()
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    part = models.PositiveIntegerField(help_text=gettext_lazy("The number of this batch within its variant, from 0."))
    size = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    reason = MessageField(blank=True)
    code = models.CharField(max_length=14, choices=Code.choices, blank=True, default=Code.NONE)
    key = models.CharField(gettext_lazy("idempotency key"), max_length=40, unique=True)
    account = models.CharField(max_length=MAX_ACCOUNT_LENGTH, default=DEFAULT_ACCOUNT)
    handed_to = models.CharField(max_length=MAX_ACCOUNT_LENGTH, blank=True, default="")
    from_uncertain = models.BooleanField(default=False)
    attempt_number = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    waits = models.BooleanField(default=False)
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
            one_of("batch_code", "code", ["", "render_failure", "limit"]),
            models.CheckConstraint(condition=~Q(account=""), name="batch_has_account"),
            models.CheckConstraint(
                condition=Q(handed_to=models.F("account")) | Q(handed_to="") & ~Q(state="submitting"),
                name="batch_stays_with_account",
            ),
        ]
        indexes = [models.Index(fields=["send", "state"], name="batch_by_state")]

    def __str__(self) -> str:
        return f"Batch {self.seq} of send {self.send_id}"


class Attempt(models.Model):
    """One HTTP call, committed before it is made. Without ``ended_at`` its result is unknown.

    ``fingerprints`` are those of `newsletter.sending.fingerprints`, of each mail that the provider has or may have. They
    are deleted with the deliveries.
    """

    class Code(models.TextChoices):
        """The details that later decisions depend on. Every other detail has no code."""

        NONE = ""
        SENT_AGAIN = "sent_again"
        RENDER_FAILURE = "render_failure"
        RENDER_STOP = "render_stop"
        NOT_CALLED = "not_called"
        ACCOUNT_REFUSED = "account_refused"
        WORKER_LOST = "worker_lost"

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField(db_column="n")
    provider = models.CharField(max_length=60, blank=True)
    people = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, blank=True)
    detail = MessageField(blank=True)
    code = models.CharField(max_length=15, choices=Code.choices, blank=True, default=Code.NONE)
    fingerprints = models.BinaryField(default=b"")

    NOT_ACCEPTED_OUTCOMES = ("not_sent", "throttled", "rejected")
    """The outcomes after which the provider certainly has nobody's mail."""
    CODES_WITHOUT_CALL = (Code.NOT_CALLED, Code.RENDER_FAILURE, Code.RENDER_STOP)
    """The codes of attempts that ended before the provider was called. They say nothing about its account."""

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["batch", "number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="attempt_once"),
            models.UniqueConstraint(fields=["batch"], condition=Q(ended_at__isnull=True), name="one_open_attempt"),
            one_of(
                "attempt_code",
                "code",
                ["", "sent_again", "render_failure", "render_stop", "not_called", "account_refused", "worker_lost"],
            ),
        ]


class Delivery(models.Model):
    """One person in one send. The constraint guarantees that nobody gets an issue twice.

    ``address_hash`` is the first 16 bytes of the keyed hash of the address. The two references have no constraint: one
    INSERT…SELECT writes the rows from the batches that they name, and checking foreign keys took a third of the time of freezing.
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
    """A delivery whose result differs from its batch's.

    ``state`` replaces the state of the batch, unless it is empty. Of each reported time the first one is kept.
    """

    class State(models.TextChoices):
        REJECTED = "rejected", gettext_lazy("Rejected")
        SKIPPED = "skipped", gettext_lazy("Skipped")
        UNCERTAIN = "uncertain", gettext_lazy("Uncertain")

    class Code(models.TextChoices):
        """The reasons that later decisions depend on. Every other reason has no code."""

        NONE = ""
        UNSUBSCRIBED = "unsubscribed"
        ALREADY_MAILED = "already_mailed"
        RENDER_FAILURE = "render_failure"

    LEFT_OUT_CODES = (Code.UNSUBSCRIBED, Code.ALREADY_MAILED)
    """The codes of people who are left out of every call from then on."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="exception")
    state = models.CharField(max_length=10, choices=State.choices, blank=True)
    reason = MessageField(blank=True)
    code = models.CharField(max_length=14, choices=Code.choices, blank=True, default=Code.NONE)
    at = models.DateTimeField()
    bounced_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            one_of("delivery_exception_state", "state", ["", "rejected", "skipped", "uncertain"]),
            one_of("delivery_exception_code", "code", ["", "unsubscribed", "already_mailed", "render_failure"]),
        ]
        indexes = [
            models.Index(fields=["delivery"], condition=Q(state="uncertain"), name="delivery_uncertain"),
            models.Index(
                fields=["complained_at"], condition=Q(complained_at__isnull=False), name="delivery_complained"
            ),
        ]

    @property
    def was_not_handed_over(self) -> bool:
        """True if no call contained the mail: its person was skipped, or it could not be made."""
        return self.state == self.State.SKIPPED or self.code == self.Code.RENDER_FAILURE
