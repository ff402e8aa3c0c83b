"""Canaries: mailboxes of our own that get an issue before and after its subscribers, and the results."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField, MessagesJSONField
from newsletter.models.sending.sends import Send
from newsletter.models.states import one_of
from newsletter.models.variant_labels import label_facts


class CanaryMailbox(models.Model):
    """A mailbox that gets issues so that we can look at them there. It is read by IMAP and never changed.

    ``looked_at`` is when the last reading began, and no other begins before ``reading_until``. ``error`` is the current
    problem, ``failing_since`` its beginning.
    """

    address = models.EmailField(gettext_lazy("email address"), max_length=254)
    address_hash = models.BinaryField(max_length=32, unique=True)
    host = models.CharField(gettext_lazy("IMAP server"), max_length=253)
    port = models.PositiveIntegerField(gettext_lazy("port"), default=993)
    user = models.CharField(gettext_lazy("user name"), max_length=254)
    sealed_password = models.TextField()
    enabled = models.BooleanField(gettext_lazy("in use"), default=True)
    looked_at = models.DateTimeField(null=True)
    reading_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    error = MessageField(blank=True, default="")
    made_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["address"]
        default_permissions = ("change",)
        verbose_name = gettext_lazy("canary mailbox")
        verbose_name_plural = gettext_lazy("canary mailboxes")
        constraints = [
            models.CheckConstraint(condition=Q(port__gte=1, port__lte=65_535), name="canary_mailbox_port"),
        ]

    def __str__(self) -> str:
        return self.address


class CanaryMail(models.Model):
    """One mail of one send to one canary mailbox. It is never a delivery, so no count of subscribers contains it.

    The row is written before the provider is called, and a mail that may have been accepted is never sent again.
    ``copies`` is how often the mailbox has it. ``measured_at`` is when this installation last looked at it there.
    """

    class Turn(models.TextChoices):
        FIRST = "first", gettext_lazy("Before the send")
        LAST = "last", gettext_lazy("After the send")

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waiting")
        SENDING = "sending", gettext_lazy("Being sent")
        ACCEPTED = "accepted", gettext_lazy("Accepted")
        FAILED = "failed", gettext_lazy("Failed")
        UNCERTAIN = "uncertain", gettext_lazy("Uncertain")
        SKIPPED = "skipped", gettext_lazy("Skipped")

    class Result(models.TextChoices):
        UNKNOWN = "", gettext_lazy("Not found yet")
        GOOD = "good", gettext_lazy("Arrived")
        SPAM = "spam", gettext_lazy("In spam")
        BROKEN = "broken", gettext_lazy("Broken")
        MISSING = "missing", gettext_lazy("Never arrived")

    class Placement(models.TextChoices):
        NONE = "", gettext_lazy("Nowhere yet")
        INBOX = "inbox", gettext_lazy("Inbox")
        CATEGORY = "category", gettext_lazy("Another folder or tab")
        SPAM = "spam", gettext_lazy("Spam")

    ALARMS = (Result.SPAM, Result.BROKEN)
    """The results that stop the rest of a send if the publication says so."""
    HANDED_OVER = (State.ACCEPTED, State.UNCERTAIN)
    """The states of a mail that may be in the mailbox."""

    send = models.ForeignKey(Send, on_delete=models.PROTECT, related_name="canary_mails")
    mailbox = models.ForeignKey(CanaryMailbox, on_delete=models.CASCADE, related_name="mails")
    turn = models.CharField(max_length=5, choices=Turn.choices)
    key = models.CharField(gettext_lazy("idempotency key"), max_length=40, unique=True)
    label_facts = models.JSONField(default=list)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    reason = MessageField(blank=True, default="")
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=7, choices=Result.choices, blank=True, default=Result.UNKNOWN)
    placement = models.CharField(max_length=8, choices=Placement.choices, blank=True, default=Placement.NONE)
    folder = models.CharField(max_length=200, blank=True, default="")
    arrived_at = models.DateTimeField(null=True)
    copies = models.PositiveSmallIntegerField(default=0)
    findings = MessagesJSONField(default=list)
    measured_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["send", "mailbox", "turn"], name="canary_mail_once"),
            one_of("canary_mail_turn", "turn", ["first", "last"]),
            one_of("canary_mail_state", "state", ["waiting", "sending", "accepted", "failed", "uncertain", "skipped"]),
            one_of("canary_mail_result", "result", ["", "good", "spam", "broken", "missing"]),
            one_of("canary_mail_placement", "placement", ["", "inbox", "category", "spam"]),
            models.CheckConstraint(
                condition=Q(result__in=["", "missing"], placement="", arrived_at__isnull=True, copies=0)
                | Q(result__in=["good", "spam", "broken"], arrived_at__isnull=False, copies__gte=1) & ~Q(placement=""),
                name="canary_mail_found_whole",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["accepted", "uncertain"], sent_at__isnull=False) | Q(result=""),
                name="canary_mail_result_of_a_mail_that_left",
            ),
        ]
        indexes = [
            models.Index(
                fields=["sent_at"],
                condition=Q(state__in=["accepted", "uncertain"]),
                name="canary_mail_to_look_for",
            )
        ]

    def __str__(self) -> str:
        return f"Canary mail {self.pk}: {self.state}"

    @property
    def label(self) -> str:
        """The group of recipients whose mail it shows, in the current language."""
        return label_facts(self.label_facts)

    @property
    def seconds(self) -> int | None:
        """The seconds from handing it over until the mailbox had it. Its server's clock may differ: never below 0."""
        if self.arrived_at is None or self.sent_at is None:
            return None
        return max(int((self.arrived_at - self.sent_at).total_seconds()), 0)
