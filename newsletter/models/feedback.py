"""Feedback: events and webhooks of providers, delivered mails, bounces, suppression lists, clicks, gifts."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.issues import Issue
from newsletter.models.sending.batches import Delivery
from newsletter.models.sending.sends import Send
from newsletter.models.states import one_of
from newsletter.providers.accounts import DEFAULT_ACCOUNT, MAX_ACCOUNT_LENGTH


class ProviderEvent(models.Model):
    """One webhook event. The first constraint makes counting it twice impossible.

    ``body`` has the data about one person, and the key that verified it if accounts share an address. It is emptied after
    the event is applied. ``once`` is the single-use token of providers that do not sign the body. ``retry_at`` is when to
    try an unapplied event next.
    """

    class Result(models.TextChoices):
        WAITING = "", gettext_lazy("Waiting")
        APPLIED = "applied", gettext_lazy("Applied")
        ORPHAN = "orphan", gettext_lazy("Not about our mail")
        NOTED = "noted", gettext_lazy("Nothing to do")

    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    body = models.JSONField()
    once = models.CharField(max_length=64, null=True)
    received_at = models.DateTimeField()
    retry_at = models.DateTimeField(default=timezone.now)
    applied_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=8, choices=Result.choices, blank=True, default=Result.WAITING)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "key"], name="provider_event_once"),
            models.UniqueConstraint(
                fields=["provider", "once"], condition=Q(once__isnull=False), name="provider_token_once"
            ),
            one_of("provider_event_result", "result", ["", "applied", "orphan", "noted"]),
        ]
        indexes = [
            models.Index(fields=["retry_at", "id"], condition=Q(applied_at__isnull=True), name="provider_event_waiting")
        ]


class Delivered(models.Model):
    """The delivered mails of a send, one bit for each of ``SPAN`` consecutive deliveries, because most mails are delivered.

    Bit n, from the lowest, is the delivery ``part`` × ``SPAN`` + n. A delivery keeps its id when its batch is split, so
    neither order nor repetition matters. ``people`` is the number of bits that are set. ``account`` is the provider account
    whose batch had the delivery. Of all accounts, only one has its bit.
    """

    SPAN = 8192

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="delivered")
    part = models.BigIntegerField()
    account = models.CharField(max_length=MAX_ACCOUNT_LENGTH, default=DEFAULT_ACCOUNT)
    bits = models.BinaryField(max_length=SPAN // 8)
    people = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name_plural = gettext_lazy("delivered")
        constraints = [models.UniqueConstraint(fields=["send", "part", "account"], name="delivered_once")]


class Bounce(models.Model):
    """The most serious bounce of one mail, in the order of ``Class``. ``status`` is the server's code, such as 5.1.1."""

    class Class(models.TextChoices):
        HARD = "hard", gettext_lazy("the address does not exist")
        SOFT = "soft", gettext_lazy("failed this time")
        BLOCK = "block", gettext_lazy("refused because of the sender")
        SUPPRESSED = (
            "suppressed",
            gettext_lazy("not sent, because the address is on your provider’s own suppression list"),
        )

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="bounce")
    bounce_class = models.CharField(max_length=10, choices=Class.choices)
    status = models.CharField(max_length=12, blank=True)
    reason = models.CharField(
        max_length=300, blank=True, help_text=gettext_lazy("The answer of the receiving server, without addresses.")
    )
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [one_of("bounce_class", "bounce_class", ["hard", "soft", "block", "suppressed"])]


class SenderDelay(models.Model):
    """A mail that the receiving server delayed because of its sender: the first such code, such as 4.7.28."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="sender_delay")
    status = models.CharField(max_length=12)
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True


class SuppressionListReading(models.Model):
    """The last reading of a provider's own suppression list.

    The list is known up to ``known_until``. ``suppressed`` is the number of addresses that this reading suppressed here.
    ``error`` says for staff why the reading failed.
    """

    provider = models.CharField(max_length=120, unique=True)
    begun_at = models.DateTimeField()
    known_until = models.DateTimeField(null=True)
    entries = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0)
    error = MessageField(blank=True)

    wagtail_reference_index_ignore = True


class CountComparison(models.Model):
    """Our numbers of a send's mails at one account and those of its provider, once a day (UTC).

    It changes nothing else. ``account`` is the name of the provider account in the settings. ``figure`` is the number that
    differs, or "" if none does; ``failure`` is why there was no count. The numbers without ``provider_`` are ours; those of
    the provider are NULL if it does not count them. ``deliveries`` are the ids of some people concerned. ``retry_at`` is when
    the provider may be asked again on this day.
    """

    class Result(models.TextChoices):
        EQUAL = "equal", gettext_lazy("Equal")
        MORE_AT_PROVIDER = "more_at_provider", gettext_lazy("More at the provider")
        FEWER_AT_PROVIDER = "fewer_at_provider", gettext_lazy("Fewer at the provider")
        NOT_COUNTED_YET = "not_counted_yet", gettext_lazy("Too early")
        UNAVAILABLE = "unavailable", gettext_lazy("Not compared")

    MAX_DELIVERIES = 100

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="count_comparisons")
    account = models.CharField(max_length=MAX_ACCOUNT_LENGTH, default=DEFAULT_ACCOUNT)
    day = models.DateField()
    compared_at = models.DateTimeField()
    retry_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=17, choices=Result.choices)
    figure = models.CharField(max_length=10, blank=True, default="")
    failure = models.CharField(max_length=14, blank=True, default="")
    accepted = models.PositiveIntegerField(default=0)
    uncertain = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    bounced = models.PositiveIntegerField(default=0)
    complained = models.PositiveIntegerField(default=0)
    provider_accepted = models.PositiveIntegerField(null=True)
    provider_delivered = models.PositiveIntegerField(null=True)
    provider_bounced = models.PositiveIntegerField(null=True)
    provider_complained = models.PositiveIntegerField(null=True)
    deliveries = models.JSONField(default=list)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["send", "account", "day"], name="count_comparison_once_a_day"),
            one_of(
                "count_comparison_result",
                "result",
                ["equal", "more_at_provider", "fewer_at_provider", "not_counted_yet", "unavailable"],
            ),
            one_of("count_comparison_figure", "figure", ["", "accepted", "delivered", "bounced", "complained"]),
            one_of(
                "count_comparison_failure",
                "failure",
                [
                    "",
                    "no_answer",
                    "key_refused",
                    "throttled",
                    "provider_error",
                    "unreadable",
                    "unknown_issue",
                    "bad_receipt",
                ],
            ),
            models.CheckConstraint(
                condition=Q(result="unavailable", figure="", provider_accepted__isnull=True) & ~Q(failure="")
                | Q(result="equal", figure="", failure="")
                | Q(result__in=["more_at_provider", "fewer_at_provider"], failure="") & ~Q(figure="")
                | Q(result="not_counted_yet"),
                name="count_comparison_says_why",
            ),
        ]


class ProviderWebhook(models.Model):
    """The webhook by which a provider account reports: if it was set up from here, and the time of the last report.

    ``sealed_keys`` are keys that verify reports in addition to those of the settings, the newest first, encrypted.
    ``verified_by`` is the `key_mark` of the key that verified the newest report which came by a webhook: it may be the key
    of another account. ``claimed_until`` keeps two people from setting it up at once.
    """

    provider = models.CharField(max_length=20)
    account = models.CharField(max_length=MAX_ACCOUNT_LENGTH, default=DEFAULT_ACCOUNT)
    sealed_keys = models.TextField(blank=True)
    set_up_at = models.DateTimeField(null=True)
    last_report_at = models.DateTimeField(null=True)
    verified_by = models.CharField(max_length=32, blank=True, default="")
    claimed_until = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "account"], name="one_webhook_per_account")]


class LinkClicks(models.Model):
    """Clicks on one link of an issue on one day (UTC), of people and of probable machines.

    ``link`` is the first 16 hexadecimal digits of the URL's SHA-256. ``arm`` is the subject of a test, 0 without one.
    """

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="link_clicks")
    link = models.CharField(max_length=16)
    url = models.TextField()
    day = models.DateField()
    arm = models.PositiveSmallIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    machines = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "link", "day", "arm"], name="link_clicks_once_a_day")]

    def __str__(self) -> str:
        return self.url


class Gift(models.Model):
    """A gift that was made through a link of an issue, as the donation system reports it. It does not say who gave.

    ``reference`` is the donation system's own: it makes counting a gift twice impossible. ``block`` is the name in the link,
    such as “appeal-3”.
    """

    reference = models.CharField(max_length=120, unique=True)
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="gifts")
    block = models.CharField(max_length=60, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    given_on = models.DateField()
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=254)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="gift_of_something")]
