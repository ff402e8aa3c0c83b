"""Figures of Google's Postmaster Tools about the domains of senders, as they were read. Nothing here is about one person."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.models.states import one_of


class PostmasterReading(models.Model):
    """The last question to Google about a sender's domain, one row for each domain that accounts sign its mail with.

    ``signing`` is that domain; it is the sender's own if the account's settings name none. ``domain`` is the domain there
    that the figures are about: the sender's, that of the signature, or one above; "" until Google answered for one.
    ``failure`` is why there was no answer, "" if there was. ``read_at`` is the last answer.
    """

    class Failure(models.TextChoices):
        KEY_FILE = "key_file", gettext_lazy("The key file cannot be used")
        KEY_REFUSED = "key_refused", gettext_lazy("Google refuses the key")
        PERSON_REFUSED = "person_refused", gettext_lazy("The key may not ask in this person’s name")
        SCOPE_MISSING = "scope_missing", gettext_lazy("The key lacks a permission")
        API_OFF = "api_off", gettext_lazy("The API is turned off")
        CLOCK = "clock", gettext_lazy("Our clock is wrong")
        NOT_VERIFIED = "not_verified", gettext_lazy("The domain is not verified there")
        QUOTA = "quota", gettext_lazy("Too many requests")
        NO_ANSWER = "no_answer", gettext_lazy("No answer")
        SERVER_ERROR = "server_error", gettext_lazy("Google has an error")
        UNREADABLE = "unreadable", gettext_lazy("The answer cannot be read")

    sender = models.CharField(max_length=255)
    signing = models.CharField(max_length=255)
    domain = models.CharField(max_length=255, blank=True, default="")
    asked_at = models.DateTimeField()
    retry_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=14, choices=Failure.choices, blank=True, default="")

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["sender", "signing"], name="postmaster_reading_once"),
            one_of(
                "postmaster_reading_failure",
                "failure",
                [
                    "",
                    "key_file",
                    "key_refused",
                    "person_refused",
                    "scope_missing",
                    "api_off",
                    "clock",
                    "not_verified",
                    "quota",
                    "no_answer",
                    "server_error",
                    "unreadable",
                ],
            ),
            models.CheckConstraint(
                condition=~Q(failure="") | (~Q(domain="") & Q(read_at__isnull=False)),
                name="postmaster_reading_of_a_domain",
            ),
        ]

    def __str__(self) -> str:
        return self.signing


class PostmasterFigure(models.Model):
    """One figure of one domain on one day. A day for which Google gives none has no row: it is unknown, never 0."""

    class Figure(models.TextChoices):
        SPAM_RATE = "spam_rate", gettext_lazy("Reported as spam")

    domain = models.CharField(max_length=255)
    day = models.DateField()
    figure = models.CharField(max_length=9, choices=Figure.choices)
    value = models.FloatField(help_text=gettext_lazy("A share from 0 to 1."))
    fetched_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["domain", "day", "figure"], name="postmaster_figure_once_a_day"),
            one_of("postmaster_figure_figure", "figure", ["spam_rate"]),
            models.CheckConstraint(condition=Q(value__gte=0, value__lte=1), name="postmaster_figure_is_a_share"),
        ]


class PostmasterRequirement(models.Model):
    """Google's newest verdict on one of its requirements for senders, by its own name, such as “DMARC_ALIGNMENT”."""

    domain = models.CharField(max_length=255)
    name = models.CharField(max_length=60)
    is_met = models.BooleanField()
    fetched_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="postmaster_requirement_once")]
