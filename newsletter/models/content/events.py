"""Events, one row for each date."""

from datetime import date
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy
from wagtail.search import index

from newsletter.common.fields.web_address import WebAddressField
from newsletter.common.message_fields import MessageField, MessagesJSONField
from newsletter.models.content.edited_fields import EditedFieldsMixin
from newsletter.models.content.sources import Source
from newsletter.models.content.translations import TranslationMixin


class EventNoticeQuerySet(models.QuerySet["EventNotice"]):
    def with_open_note(self) -> Self:
        """Return those with a note that staff have not checked."""
        return self.exclude(note="").exclude(note=F("checked_note"))

    def with_open_zone(self) -> Self:
        """Return those with an hour but no zone, which staff have not checked."""
        return self.with_open_note().filter(zone_basis__in=NO_ZONE, all_day=False)


class EventNotice(TranslationMixin, EditedFieldsMixin, index.Indexed, models.Model):
    """One occurrence of an event. ``latitude`` and ``longitude`` are set only if its location is certain.

    ``changed_at`` is when its time, location or cancellation last changed, ``change_notified_at`` when staff were notified.
    ``place_text_changed_at`` is when the words for its location were typed, last changed, or confirmed for a translation.
    ``checked_note`` is the note that staff have checked: the source can write it again, and nobody is asked again.
    ``zone_basis`` says why its source does not decide its zone, ``note_without_zone`` what its note is without that question.
    ``reused_at`` is when it last got another time after it was over: its source uses its entry for the next event.
    """

    class ZoneBasis(models.TextChoices):
        """Why a source does not decide the zone of an event.

        Its times have no zone, are those of a clock at its location, or name a zone that is not known.
        """

        GIVEN = ""
        FLOATING = "floating"
        PLACE = "place"
        UNKNOWN = "unknown"

    source = models.ForeignKey(
        Source,
        verbose_name=gettext_lazy("source"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="events",
    )
    external_id = models.CharField(gettext_lazy("external id"), max_length=500)
    title = models.CharField(gettext_lazy("title"), max_length=300)
    summary = models.TextField(gettext_lazy("summary"), blank=True)
    url = WebAddressField(gettext_lazy("url"), max_length=2000, blank=True)
    starts_at = models.DateTimeField(gettext_lazy("starts at"), db_index=True)
    ends_at = models.DateTimeField(gettext_lazy("ends at"), null=True, blank=True)
    zone = models.CharField(gettext_lazy("zone"), max_length=60, blank=True)
    zone_basis = models.CharField(
        max_length=10, choices=ZoneBasis.choices, default=ZoneBasis.GIVEN, blank=True, editable=False
    )
    all_day = models.BooleanField(gettext_lazy("all day"), default=False)
    day = models.DateField(
        gettext_lazy("day"), null=True, blank=True, help_text=gettext_lazy("The date of an all-day event.")
    )
    place_text = models.CharField(gettext_lazy("location"), max_length=300, blank=True)
    town = models.CharField(gettext_lazy("town"), max_length=120, blank=True)
    country = models.CharField(gettext_lazy("country"), max_length=2, blank=True)
    region = models.CharField(gettext_lazy("region"), max_length=10, blank=True)
    latitude = models.FloatField(
        gettext_lazy("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        gettext_lazy("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    online = models.BooleanField(gettext_lazy("online"), default=False)
    cancelled = models.BooleanField(gettext_lazy("cancelled"), default=False)
    note = MessageField(gettext_lazy("note"), blank=True, help_text=gettext_lazy("What is uncertain, for staff."))
    note_without_zone = MessageField(blank=True, editable=False)
    checked_note = MessageField(blank=True, editable=False)
    place_question = MessagesJSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text=gettext_lazy(
            "{note, event_note, candidates: [{town, country, region, latitude, longitude, zone}]}, or empty."
        ),
    )
    seen_at = models.DateTimeField(editable=False)
    source_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    changed_at = models.DateTimeField(null=True, editable=False, db_index=True)
    place_text_changed_at = models.DateTimeField(null=True, editable=False)
    change_notified_at = models.DateTimeField(null=True, editable=False)
    reused_at = models.DateTimeField(null=True, editable=False)
    edited_fields = models.JSONField(default=list, editable=False)

    objects = EventNoticeQuerySet.as_manager()
    search_fields = [index.SearchField("title"), index.AutocompleteField("title")]

    class Meta:
        verbose_name_plural = gettext_lazy("events")
        verbose_name = gettext_lazy("event")
        ordering = ["starts_at"]
        constraints = [
            *TranslationMixin.Meta.constraints,
            models.UniqueConstraint(fields=["source", "external_id"], name="event_once_per_source"),
            models.CheckConstraint(
                condition=models.Q(zone_basis__in=["", "floating", "place", "unknown"]), name="event_zone_basis"
            ),
            models.CheckConstraint(
                condition=models.Q(note_without_zone="") | models.Q(zone_basis__in=["floating", "place"]),
                name="event_note_without_zone",
            ),
        ]

    def __str__(self) -> str:
        day = date_format(self.first_day, gettext("j M Y"))
        return f"{self.title} ({day})"

    @property
    def open_note(self) -> str:
        """Return the note, or "" if staff have checked it."""
        return "" if self.note == self.checked_note else self.note

    @property
    def own_texts(self) -> dict[str, str]:
        """Return the texts of a mail that an issue can replace, by the name of the field that replaces it."""
        return {"summary": self.summary}

    @property
    def first_day(self) -> date:
        """Return the day in the event's own time zone, or in UTC if the zone is unknown."""
        if self.all_day and self.day:
            return self.day
        try:
            zone = ZoneInfo(self.zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            zone = ZoneInfo("UTC")
        return self.starts_at.astimezone(zone).date()


NO_ZONE = (EventNotice.ZoneBasis.FLOATING, EventNotice.ZoneBasis.PLACE)
"""The source names no zone for the times of these events. Staff can say for the source which one it is."""
