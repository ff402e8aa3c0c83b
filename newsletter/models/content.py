"""The three kinds of content: stories, events and appeals."""

from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy
from wagtail.models import PreviewableMixin
from wagtail.search import index

from newsletter.common.message_fields import MessageField, MessagesJSONField
from newsletter.models.consent import ConsentMixin
from newsletter.models.pictures import Picture
from newsletter.models.sources import Source
from newsletter.models.states import one_of
from newsletter.models.story_origins import SourceVisibilityMixin
from subscribers.models import Topic


class StoryQuerySet(models.QuerySet["Story"]):
    def published_or_seen_since(self, moment: datetime) -> "StoryQuerySet":
        """Return stories that were published, or first seen if undated, at or after the moment."""
        return self.annotate(published_or_seen_at=Coalesce("published_at", "seen_at")).filter(
            published_or_seen_at__gte=moment
        )


class Story(ConsentMixin, SourceVisibilityMixin, PreviewableMixin, index.Indexed, models.Model):
    """A story as its source tells it, unless staff edited a field: ``edited_fields`` are then left alone by ingest.

    ``picture_waiting``: its picture could not be had yet and is asked for at the next visit. ``picture_page_etag`` and
    ``picture_page_modified`` are those of the story's page when it was last asked for a picture.
    """

    source = models.ForeignKey(Source, on_delete=models.SET_NULL, null=True, blank=True, related_name="stories")
    external_id = models.CharField(max_length=500)
    url = models.URLField(max_length=2000)
    title = models.CharField(max_length=300)
    teaser = models.TextField(blank=True)
    body_html = models.TextField(blank=True, editable=False)
    author = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=12, blank=True)
    picture = models.ForeignKey(Picture, on_delete=models.SET_NULL, null=True, blank=True, editable=False)
    picture_alt = models.CharField(gettext_lazy("what the picture shows"), max_length=300, blank=True)
    topics = models.ManyToManyField(Topic, blank=True)
    related = models.JSONField(
        default=list, blank=True, editable=False, help_text=gettext_lazy("[[title, url], …] as the source names them.")
    )
    pseudonyms = models.JSONField(
        default=list, blank=True, help_text=gettext_lazy("[[name, note], …]: the note goes wherever the name does.")
    )
    published_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(editable=False)
    source_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    edited_fields = models.JSONField(default=list, editable=False)
    picture_waiting = models.BooleanField(default=False, editable=False)
    picture_page_etag = models.CharField(max_length=500, blank=True, default="", editable=False)
    picture_page_modified = models.CharField(max_length=100, blank=True, default="", editable=False)

    objects = StoryQuerySet.as_manager()

    search_fields = [
        index.SearchField(gettext_lazy("title")),
        index.SearchField(gettext_lazy("teaser")),
        index.AutocompleteField(gettext_lazy("title")),
    ]

    class Meta:
        verbose_name_plural = gettext_lazy("stories")
        ordering = ["-published_at", "-seen_at"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="story_once_per_source"),
            *ConsentMixin.Meta.constraints,
            *SourceVisibilityMixin.Meta.constraints,
        ]

    def __str__(self) -> str:
        return self.title


class EventNotice(index.Indexed, models.Model):
    """One occurrence of an event. ``latitude``/``longitude`` are set only when the place is sure.

    ``changed_at`` is when its time, place or cancellation last changed; ``change_notified_at`` when staff were told.
    """

    source = models.ForeignKey(Source, on_delete=models.SET_NULL, null=True, blank=True, related_name="events")
    external_id = models.CharField(max_length=500)
    title = models.CharField(max_length=300)
    summary = models.TextField(blank=True)
    url = models.URLField(max_length=2000, blank=True)
    starts_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    zone = models.CharField(max_length=60, blank=True)
    all_day = models.BooleanField(default=False)
    day = models.DateField(null=True, blank=True, help_text=gettext_lazy("The date of an all-day event."))
    place_text = models.CharField(gettext_lazy("place"), max_length=300, blank=True)
    town = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=10, blank=True)
    latitude = models.FloatField(null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)])
    online = models.BooleanField(default=False)
    cancelled = models.BooleanField(default=False)
    note = MessageField(blank=True, help_text=gettext_lazy("What we could not be sure of, for staff."))
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
    change_notified_at = models.DateTimeField(null=True, editable=False)
    edited_fields = models.JSONField(default=list, editable=False)

    search_fields = [index.SearchField(gettext_lazy("title")), index.AutocompleteField(gettext_lazy("title"))]

    class Meta:
        verbose_name = gettext_lazy("event")
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="event_once_per_source"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.first_day:%d %b %Y})"

    @property
    def first_day(self) -> date:
        """The day by its own clock; by UTC where its zone is none that is known."""
        if self.all_day and self.day:
            return self.day
        try:
            zone = ZoneInfo(self.zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            zone = ZoneInfo("UTC")
        return self.starts_at.astimezone(zone).date()


class Appeal(models.Model):
    """A way to get involved, for everybody or for people of one giving status."""

    class Audience(models.TextChoices):
        ALL = "all", gettext_lazy("Everybody")
        NONE = "none", gettext_lazy("People who do not give yet")
        DONOR = "donor", gettext_lazy("Donors")
        MONTHLY = "monthly", gettext_lazy("Monthly partners")

    slug = models.SlugField(unique=True)
    headline = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    link = models.URLField(max_length=2000)
    button = models.CharField(max_length=60)
    audience = models.CharField(gettext_lazy("for"), max_length=8, choices=Audience.choices, default=Audience.ALL)
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        constraints = [one_of("appeal_audience", "audience", ["all", "none", "donor", "monthly"])]

    def __str__(self) -> str:
        return self.headline
