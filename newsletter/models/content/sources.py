"""Sources of content, their entries that were set aside, and staff's answers about their events' locations."""

from enum import StrEnum

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.fields.time_zone import make_zone_condition, validate_time_zone
from newsletter.common.fields.web_address import WebAddressField
from newsletter.common.message_fields import MessageField
from subscribers.models import Topic

SOURCE_SCHEMES = ("http", "https", "webcal", "webcals")


class SourceAddressFormField(forms.URLField):
    """A form field for web and ``webcal:`` URLs."""

    default_validators = [URLValidator(schemes=SOURCE_SCHEMES)]


class SourceAddressField(WebAddressField):
    """A field that also accepts ``webcal:`` URLs. The column is the same."""

    default_validators = [URLValidator(schemes=SOURCE_SCHEMES)]
    form_class = SourceAddressFormField


class Source(models.Model):
    """A feed, CMS, calendar or page that is polled. The poller writes the fields below ``enabled``."""

    class Kind(StrEnum):
        """The kinds of which something here depends. All that are installed are in `SOURCE_KINDS`."""

        FEED = "feed"
        WORDPRESS = "wordpress"
        PAGE = "page"
        CALENDAR = "calendar"

    name = models.CharField(gettext_lazy("name"), max_length=120, unique=True)
    kind = models.CharField(
        gettext_lazy("kind"),
        max_length=20,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", gettext_lazy("Choose a kind of source."))],
        help_text=gettext_lazy(
            "The name of an installed kind of source. A source of a missing kind is kept, and not read."
        ),
    )
    url = SourceAddressField(gettext_lazy("url"), max_length=2000)
    every_minutes = models.PositiveIntegerField(
        gettext_lazy("every minutes"), default=30, help_text=gettext_lazy("How often it is read, in minutes.")
    )
    topics = models.ManyToManyField(
        Topic,
        verbose_name=gettext_lazy("topics"),
        blank=True,
        help_text=gettext_lazy("Every story and event from this source gets these topics, in addition to its own."),
    )
    region = models.CharField(
        gettext_lazy("region"),
        max_length=10,
        blank=True,
        help_text=gettext_lazy("ISO 3166-2, e.g. US-TX: where events without a location are."),
    )
    floating_zone = models.CharField(
        gettext_lazy("floating zone"),
        max_length=60,
        blank=True,
        validators=[validate_time_zone],
        help_text=gettext_lazy("The time zone of its times without one. Empty: staff are asked about each event."),
    )
    language = models.CharField(gettext_lazy("language"), max_length=12, blank=True)
    enabled = models.BooleanField(gettext_lazy("enabled"), default=True)
    sealed_key = models.TextField(
        blank=True, editable=False, help_text=gettext_lazy("The key that its interface asks for, encrypted.")
    )

    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    last_event_count = models.PositiveIntegerField(
        null=True, editable=False, help_text=gettext_lazy("How many events it had when it was last read.")
    )
    due_at = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(
        null=True, editable=False, help_text=gettext_lazy("The first failure since the last success.")
    )
    failure_notified_at = models.DateTimeField(
        null=True, editable=False, help_text=gettext_lazy("When staff were notified by mail that it fails.")
    )
    error = MessageField(blank=True, editable=False)

    class Meta:
        verbose_name = gettext_lazy("source")
        verbose_name_plural = gettext_lazy("sources")
        ordering = ["name"]
        constraints = [
            # Which kinds there are depends on what is installed, so the desk and `apply` check the name.
            models.CheckConstraint(condition=~models.Q(kind=""), name="source_kind"),
            models.CheckConstraint(condition=make_zone_condition("floating_zone"), name="source_floating_zone"),
        ]

    def __str__(self) -> str:
        return self.name


class SetAsideEntry(models.Model):
    """An entry that was not used, with the reason for staff. Rewritten each time its source is read.

    The code ``events_held`` marks missing events that are kept until the next reading.
    """

    class Code(models.TextChoices):
        ENTRY = "entry"
        EVENTS_HELD = "events_held"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="set_aside")
    code = models.CharField(max_length=16, choices=Code.choices, default=Code.ENTRY)
    entry = MessageField()
    reason = MessageField()
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-at", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(code__in=["entry", "events_held"]), name="set_aside_code")
        ]

    def __str__(self) -> str:
        return f"{self.entry}: {self.reason}"


class LocationAnswer(models.Model):
    """The location that staff gave for a source's text. It is used whenever the source writes the same text again.

    ``words`` is the text without differences in capitals, accents and line breaks.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="location_answers")
    words = models.CharField(max_length=300)
    town = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=10, blank=True)
    latitude = models.FloatField(validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(validators=[MinValueValidator(-180), MaxValueValidator(180)])
    zone = models.CharField(max_length=60, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "words"], name="location_answered_once")]

    def __str__(self) -> str:
        return f"{self.words}: {self.town}"
