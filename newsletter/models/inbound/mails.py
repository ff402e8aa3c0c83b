"""Inbound mail: one row for each mail, the people to whom it is forwarded, and the state of reading each mailbox."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.issues import Issue
from newsletter.models.publications import Publication
from newsletter.models.states import one_of


class InboundMail(models.Model):
    """One inbound mail. The first constraint makes acting on it twice impossible.

    ``raw`` is the beginning of the mail. It is deleted once read; an unreadable mail keeps it. The sender and text of a
    reply are deleted once it is forwarded to staff. ``sender_hash`` is the keyed hash of the address, for limits and for the
    person's rights. ``once`` is the single-use token of providers that do not sign the mail itself.
    """

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Not read yet")
        TO_SEND_ON = "to_send_on", gettext_lazy("To be forwarded")
        HELD = "held", gettext_lazy("Held: too many")
        NOT_SENT_ON = "not_sent_on", gettext_lazy("Could not be forwarded")
        UNREADABLE = "unreadable", gettext_lazy("Unreadable")
        DONE = "done", gettext_lazy("Done")

    class Kind(models.TextChoices):
        UNKNOWN = "", gettext_lazy("Unknown")
        UNSUBSCRIBE = "unsubscribe", gettext_lazy("Unsubscribe")
        REPLY = "reply", gettext_lazy("Reply")
        AUTOMATIC = "automatic", gettext_lazy("Automatic reply")
        BOUNCE = "bounce", gettext_lazy("Bounce")
        COMPLAINT = "complaint", gettext_lazy("Complaint")
        DMARC = "dmarc", gettext_lazy("DMARC report")

    key = models.CharField(max_length=64, unique=True)
    origin = models.CharField(max_length=20)
    once = models.CharField(max_length=64, null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    kind = models.CharField(max_length=12, choices=Kind.choices, blank=True, default=Kind.UNKNOWN)
    received_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    raw = models.BinaryField(null=True)
    cut = models.BooleanField(default=False)
    sender_hash = models.BinaryField(max_length=32, null=True)
    sender = models.CharField(max_length=254, blank=True)
    sender_name = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    attachments = models.JSONField(default=list)
    publication = models.ForeignKey(Publication, on_delete=models.SET_NULL, null=True, related_name="+")
    issue = models.ForeignKey(Issue, on_delete=models.SET_NULL, null=True, related_name="+")

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "once"], condition=Q(once__isnull=False), name="inbound_token_once"
            ),
            one_of(
                "inbound_mail_state", "state", ["waiting", "to_send_on", "held", "not_sent_on", "unreadable", "done"]
            ),
            one_of(
                "inbound_mail_kind", "kind", ["", "unsubscribe", "reply", "automatic", "bounce", "complaint", "dmarc"]
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(raw__isnull=True, sender="", sender_name="", subject="", text=""),
                name="inbound_mail_forgets",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "unreadable"]) | Q(raw__isnull=True),
                name="inbound_mail_raw_until_read",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=~Q(state="done"), name="inbound_mail_open"),
            models.Index(fields=["sender_hash", "received_at"], name="inbound_mail_of_sender"),
            models.Index(fields=["received_at"], name="inbound_mail_by_time"),
        ]

    def __str__(self) -> str:
        return f"Inbound mail {self.pk}: {self.state}"


class InboundForward(models.Model):
    """One copy of a reply for one address of staff. It is tried again until the provider accepts or refuses it."""

    mail = models.ForeignKey(InboundMail, on_delete=models.CASCADE, related_name="forwards")
    email = models.CharField(max_length=254)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    refusal = MessageField(blank=True, default="")

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["mail", "email"], name="inbound_forward_once")]
        indexes = [
            models.Index(fields=["id"], condition=Q(sent_at__isnull=True, refusal=""), name="inbound_forward_due")
        ]


class MailboxReading(models.Model):
    """The last reading of one mailbox: up to which message it is read, and since when it cannot be read, with the reason."""

    label = models.CharField(max_length=300, unique=True)
    uid_validity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    error = MessageField(blank=True, default="")

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.label
