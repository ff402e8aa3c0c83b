"""Sources of content, and the entries that were set aside."""

from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.message_fields import MessageField
from newsletter.models.source_address import SourceAddressField
from subscribers.models import Topic


class Source(models.Model):
    """A feed, CMS, calendar or page that is polled. Ingesting writes the fields below ``enabled``."""

    class Kind(models.TextChoices):
        FEED = "feed", gettext_lazy("Feed (RSS, Atom or JSON Feed)")
        WORDPRESS = "wordpress", gettext_lazy("WordPress site")
        PAGE = "page", gettext_lazy("One story page")
        CALENDAR = "calendar", gettext_lazy("Calendar (iCalendar)")
        EVENTS = "events", gettext_lazy("Web page of events")

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    url = SourceAddressField(max_length=2000)
    every_minutes = models.PositiveIntegerField(
        default=30, help_text=gettext_lazy("How often it is looked at, in minutes.")
    )
    topics = models.ManyToManyField(
        Topic,
        blank=True,
        help_text=gettext_lazy("Given to everything from here, beside the topics its own categories name."),
    )
    region = models.CharField(
        max_length=10, blank=True, help_text=gettext_lazy("ISO 3166-2, e.g. US-TX: where events without a place are.")
    )
    language = models.CharField(max_length=12, blank=True)
    enabled = models.BooleanField(default=True)

    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    listed = models.PositiveIntegerField(
        null=True, editable=False, help_text=gettext_lazy("How many events it listed when it was last read.")
    )
    due_at = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    error = MessageField(blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["feed", "wordpress", "page", "calendar", "events"]), name="source_kind"
            )
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
