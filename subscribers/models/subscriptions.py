"""Subscriptions, their legal basis, and the append-only log of consent."""

from typing import Any, NoReturn, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy, ngettext_lazy

from newsletter.common.errors import DomainError
from newsletter.common.message_fields import MessageField
from subscribers.models.lists import MailingList
from subscribers.models.people import Subscriber


class AppendOnly(DomainError):
    """The consent log was about to be changed or deleted."""


class Basis(models.TextChoices):
    CONSENT = "consent", gettext_lazy("consent")
    DOUBLE_OPT_IN = "consent_double_opt_in", gettext_lazy("consent, confirmed by mail")
    SOFT_OPT_IN = "soft_opt_in", gettext_lazy("charitable soft opt-in")
    LEGITIMATE_INTEREST = "legitimate_interest", gettext_lazy("legitimate interest")
    CONTRACT = "contract", gettext_lazy("contract")
    CASL_IMPLIED = "casl_implied", gettext_lazy("implied consent, for a time (Canada)")


class EndReason(models.TextChoices):
    UNSUBSCRIBE = "unsubscribe", gettext_lazy("unsubscribed")
    COMPLAINT = "complaint", gettext_lazy("reported as spam")
    STAFF = "staff", gettext_lazy("ended by staff")
    IMPORT_UNDONE = "import_undone", gettext_lazy("import undone")
    EXPIRED = "expired", gettext_lazy("never confirmed")
    MERGED = "merged", gettext_lazy("merged with another subscription of the same person")
    LAPSED = "lapsed", gettext_lazy("implied consent ended")


class Frequency(models.TextChoices):
    EVERY = "every", gettext_lazy("every issue")
    MONTHLY = "monthly", gettext_lazy("once a month")
    EVENTS = "events", gettext_lazy("only when there is an event near me")


OPEN = Q(ended_at__isnull=True)
NOT_CONFIRMED = Q(basis=Basis.DOUBLE_OPT_IN, confirmed_at__isnull=True)
CHANGED_BY_CONFIRMING = NOT_CONFIRMED | Q(basis=Basis.CASL_IMPLIED)
PAUSED_ONCE = Q(paused_until__isnull=False)
RARER = ~Q(frequency=Frequency.EVERY)
MAILABLE = OPEN & (Q(confirmed_at__isnull=False) | ~Q(basis=Basis.DOUBLE_OPT_IN))


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def open(self) -> Self:
        """Return those not ended, confirmed or not."""
        return self.filter(OPEN)

    def mailable(self) -> Self:
        """Return open ones that are confirmed or need no confirmation. Implied consent may have ended since."""
        return self.filter(MAILABLE)

    def once_each(self) -> Self:
        """Return one row of each subscription: undoing an unsubscribe makes a new row, with the request of the old one."""
        same = self.model.objects.filter(
            subscriber=models.OuterRef("subscriber"),
            mailing_list=models.OuterRef("mailing_list"),
            requested_at=models.OuterRef("requested_at"),
            pk__gt=models.OuterRef("pk"),
        )
        return self.exclude(models.Exists(same), ended_at__isnull=False)


class Subscription(models.Model):
    """One person's consent to one list. It ends with a reason and is never reopened; a new row is made instead."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="subscriptions")
    mailing_list = models.ForeignKey(
        MailingList, on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )  # subscription_by_list is its index
    basis = models.CharField(max_length=24, choices=Basis.choices)
    evidence = models.TextField(blank=True, default="")
    requested_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text=gettext_lazy("The end of implied consent. Other consent does not end.")
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=16, choices=EndReason.choices, blank=True, default="")
    frequency = models.CharField(
        max_length=8, choices=Frequency.choices, default=Frequency.EVERY, db_default=Frequency.EVERY
    )
    paused_until = models.DateTimeField(
        null=True, blank=True, help_text=gettext_lazy("No mail is sent before then. Mail continues after it.")
    )
    import_batch = models.ForeignKey(
        "subscribers.ImportBatch",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="subscriptions",
    )

    objects = SubscriptionQuerySet.as_manager()
    counted_as = ngettext_lazy("%(number)s subscription", "%(number)s subscriptions", "count")
    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "mailing_list"], condition=OPEN, name="subscription_one_open"
            ),
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="subscription_basis"),
            models.CheckConstraint(condition=Q(frequency__in=Frequency.values), name="subscription_frequency"),
            models.CheckConstraint(
                condition=Q(basis=Basis.DOUBLE_OPT_IN) | ~Q(evidence=""), name="subscription_has_evidence"
            ),
            models.CheckConstraint(
                condition=Q(basis=Basis.CASL_IMPLIED, expires_at__isnull=False)
                | (~Q(basis=Basis.CASL_IMPLIED) & Q(expires_at__isnull=True)),
                name="subscription_implied_expires",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end_reason="")
                | Q(ended_at__isnull=False, end_reason__in=EndReason.values),
                name="subscription_end_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["mailing_list", "subscriber"], condition=OPEN, name="subscription_open"),
            models.Index(
                fields=["mailing_list", "confirmed_at"],
                condition=OPEN & Q(confirmed_at__isnull=False),
                name="subscription_confirmed",
            ),
            models.Index(
                fields=["mailing_list", "requested_at"],
                condition=OPEN & Q(confirmed_at__isnull=True, import_batch__isnull=True),
                name="subscription_joined",
            ),
            models.Index(
                fields=["expires_at"], condition=OPEN & Q(expires_at__isnull=False), name="subscription_expires"
            ),
            models.Index(fields=["mailing_list", "ended_at"], name="subscription_by_list"),
            models.Index("mailing_list", Coalesce("confirmed_at", "requested_at"), name="subscription_joined_at"),
            models.Index(fields=["mailing_list"], condition=OPEN & NOT_CONFIRMED, name="subscription_unconfirmed"),
            models.Index(fields=["paused_until"], condition=OPEN & PAUSED_ONCE, name="subscription_paused"),
            models.Index(fields=["mailing_list", "frequency"], condition=OPEN & RARER, name="subscription_rarer"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} on {self.mailing_list}"


class ConsentEventQuerySet(models.QuerySet["ConsentEvent"]):
    def update(self, **kwargs: object) -> NoReturn:
        raise AppendOnly("Proof of consent cannot be changed. Record a new event instead.")

    def delete(self) -> NoReturn:
        raise AppendOnly("Proof of consent cannot be deleted. Erasing a person keeps it without the person.")


class ConsentEvent(models.Model):
    """One change of a person's consent. Append-only, and without an address, so it survives an erasure."""

    class Kind(models.TextChoices):
        REQUESTED = "requested", gettext_lazy("asked to join")
        CONFIRMED = "confirmed", gettext_lazy("confirmed")
        IMPORTED = "imported", gettext_lazy("imported")
        LEFT = "left", gettext_lazy("unsubscribed from the list")
        LEFT_ALL = "left_all", gettext_lazy("unsubscribed from all mail")
        PREFERENCES = "preferences", gettext_lazy("changed preferences")
        SUPPRESSED = "suppressed", gettext_lazy("suppressed")
        SUPPRESSION_REMOVED = "lifted", gettext_lazy("suppression removed")
        ENDED = "ended", gettext_lazy("ended")
        ERASED = "erased", gettext_lazy("erased")
        MOVED = "moved", gettext_lazy("changed address")
        MERGED = "merged", gettext_lazy("merged with the same person")

    subscriber = models.ForeignKey(Subscriber, null=True, on_delete=models.SET_NULL, related_name="consent_events")
    address_hash = models.BinaryField(max_length=32, db_index=True)
    mailing_list = models.ForeignKey(MailingList, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    wording = models.TextField(blank=True, default="", help_text=gettext_lazy("The text that the person saw"))
    source = MessageField(blank=True, default="")
    by = MessageField(
        blank=True, default="", help_text=gettext_lazy("A member of staff or “the system”; empty for the person")
    )
    data = models.JSONField(blank=True, default=dict)

    objects = ConsentEventQuerySet.as_manager()
    counted_as = ngettext_lazy("%(number)s record of consent", "%(number)s records of consent", "count")
    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "requested",
                        "confirmed",
                        "imported",
                        "left",
                        "left_all",
                        "preferences",
                        "suppressed",
                        "lifted",
                        "ended",
                        "erased",
                        "moved",
                        "merged",
                    ]
                ),
                name="consent_event_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("Proof of consent cannot be changed. Record a new event instead.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise AppendOnly("Proof of consent cannot be deleted. Erasing a person keeps it without the person.")
