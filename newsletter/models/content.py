"""Content: stories with the consent of the people in them, events, and appeals.

`newsletter.issues.snapshot.consent_rules` decides what the columns of consent mean for an issue.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy
from wagtail.images import get_image_model_string
from wagtail.models import PreviewableMixin
from wagtail.search import index

from newsletter.common.message_fields import MessageField, MessagesJSONField
from newsletter.models.pictures import Picture
from newsletter.models.sources import Source
from newsletter.models.states import one_of
from newsletter.models.story_origins import SourceVisibilityMixin
from subscribers.models import Topic


class Channel(models.TextChoices):
    EMAIL = "email", gettext_lazy("Email")
    ARCHIVE = "archive", gettext_lazy("Web archive and its feed")
    SOCIAL = "social", gettext_lazy("Social networks")
    PRINT = "print", gettext_lazy("Print")


class Identity(models.TextChoices):
    FULL = "full", gettext_lazy("Full name")
    FIRST_NAME = "first_name", gettext_lazy("First name only")
    PSEUDONYM = "pseudonym", gettext_lazy("A pseudonym")
    ANONYMOUS = "anonymous", gettext_lazy("Not named at all")


class ConsentGiver(models.TextChoices):
    SELF = "self", gettext_lazy("The person")
    GUARDIAN = "guardian", gettext_lazy("A parent or guardian")


class ConsentMixin(models.Model):
    """The consent columns of a story. Dates are whole days in UTC; a consent is valid through its last day."""

    consent_needed = models.BooleanField(
        gettext_lazy("about a person who must have agreed"),
        default=False,
        help_text=gettext_lazy("Without a valid consent, the story is not put into any issue."),
    )
    consent_channels = models.JSONField(gettext_lazy("agreed to"), default=list, blank=True)
    consent_identity = models.CharField(
        gettext_lazy("the person is shown by"), max_length=10, choices=Identity.choices, blank=True, default=""
    )
    consent_given_by = models.CharField(
        gettext_lazy("agreed by"), max_length=8, choices=ConsentGiver.choices, blank=True, default=""
    )
    consent_given_on = models.DateField(gettext_lazy("agreed on"), null=True, blank=True)
    consent_expires_on = models.DateField(
        gettext_lazy("agreed until"),
        null=True,
        blank=True,
        help_text=gettext_lazy("The last day on which the story may be shown."),
    )
    consent_review_on = models.DateField(gettext_lazy("ask again on"), null=True, blank=True)
    consent_form_holder = models.CharField(
        gettext_lazy("who holds the signed form"), max_length=200, blank=True, default=""
    )
    about_minor = models.BooleanField(
        gettext_lazy("the person is under 18"),
        default=False,
        help_text=gettext_lazy("Then a parent or guardian must have agreed, and the person's name is not shown."),
    )
    embargo_until = models.DateTimeField(
        gettext_lazy("embargoed until"),
        null=True,
        blank=True,
        help_text=gettext_lazy("The story is not shown anywhere before."),
    )
    not_in_regions = models.JSONField(gettext_lazy("must not reach"), default=list, blank=True)
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    withdrawn_reason = MessageField(blank=True, default="", editable=False)

    class Meta:
        abstract = True
        constraints = [
            one_of("story_consent_identity", "consent_identity", ["", *Identity.values]),
            one_of("story_consent_given_by", "consent_given_by", ["", *ConsentGiver.values]),
        ]


class EditedFieldsMixin(models.Model):
    """Content of a source that staff may edit. ``edited_fields`` names what staff changed."""

    edited_fields: Any

    class Meta:
        abstract = True

    def set_source_values(self, values: Mapping[str, object]) -> None:
        """Set what the source says, never over a field that staff edited."""
        for name, value in values.items():
            if name not in self.edited_fields:
                setattr(self, name, value)


class StoryQuerySet(models.QuerySet["Story"]):
    def published_or_seen_since(self, moment: datetime) -> "StoryQuerySet":
        """Return stories that were published, or first seen if undated, at or after the moment."""
        return self.annotate(published_or_seen_at=Coalesce("published_at", "seen_at")).filter(
            published_or_seen_at__gte=moment
        )


class Story(ConsentMixin, SourceVisibilityMixin, EditedFieldsMixin, PreviewableMixin, index.Indexed, models.Model):
    """A story from a source or from staff. Ingesting never overwrites ``edited_fields``.

    If ``picture_waiting``, its picture could not be fetched yet and is fetched at the next visit. ``picture_page_etag``
    and ``picture_page_modified`` are from the last visit of the story's page for its picture.
    """

    source = models.ForeignKey(
        Source,
        verbose_name=gettext_lazy("source"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="stories",
    )
    external_id = models.CharField(gettext_lazy("external id"), max_length=500)
    url = models.URLField(gettext_lazy("url"), max_length=2000)
    title = models.CharField(gettext_lazy("title"), max_length=300)
    teaser = models.TextField(gettext_lazy("teaser"), blank=True)
    body_html = models.TextField(blank=True, editable=False)
    author = models.CharField(gettext_lazy("author"), max_length=200, blank=True)
    language = models.CharField(gettext_lazy("language"), max_length=12, blank=True)
    picture = models.ForeignKey(Picture, on_delete=models.SET_NULL, null=True, blank=True, editable=False)
    library_image = models.ForeignKey(
        get_image_model_string(),
        verbose_name=gettext_lazy("picture"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=gettext_lazy("Used instead of the picture of its source. Mails crop it around its focal point."),
    )
    picture_alt = models.CharField(gettext_lazy("what the picture shows"), max_length=300, blank=True)
    topics = models.ManyToManyField(Topic, verbose_name=gettext_lazy("topics"), blank=True)
    related = models.JSONField(
        default=list, blank=True, editable=False, help_text=gettext_lazy("[[title, url], …] as the source names them.")
    )
    pseudonyms = models.JSONField(
        gettext_lazy("pseudonyms"),
        default=list,
        blank=True,
        help_text=gettext_lazy("[[name, note], …]: the note goes wherever the name does."),
    )
    published_at = models.DateTimeField(gettext_lazy("published at"), null=True, blank=True)
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
        verbose_name = gettext_lazy("story")
        verbose_name_plural = gettext_lazy("stories")
        ordering = ["-published_at", "-seen_at"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="story_once_per_source"),
            *ConsentMixin.Meta.constraints,
            *SourceVisibilityMixin.Meta.constraints,
        ]

    def __str__(self) -> str:
        return self.title


class EventNotice(EditedFieldsMixin, index.Indexed, models.Model):
    """One occurrence of an event. ``latitude`` and ``longitude`` are set only if its location is certain.

    ``changed_at`` is when its time, location or cancellation last changed, ``change_notified_at`` when staff were notified.
    """

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
    url = models.URLField(gettext_lazy("url"), max_length=2000, blank=True)
    starts_at = models.DateTimeField(gettext_lazy("starts at"), db_index=True)
    ends_at = models.DateTimeField(gettext_lazy("ends at"), null=True, blank=True)
    zone = models.CharField(gettext_lazy("zone"), max_length=60, blank=True)
    all_day = models.BooleanField(gettext_lazy("all day"), default=False)
    day = models.DateField(
        gettext_lazy("day"), null=True, blank=True, help_text=gettext_lazy("The date of an all-day event.")
    )
    place_text = models.CharField(gettext_lazy("place"), max_length=300, blank=True)
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
    note = MessageField(
        gettext_lazy("note"), blank=True, help_text=gettext_lazy("What we could not be sure of, for staff.")
    )
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
        verbose_name_plural = gettext_lazy("events")
        verbose_name = gettext_lazy("event")
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="event_once_per_source"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.first_day:%d %b %Y})"

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


class Appeal(models.Model):
    """A way to get involved, for everybody or for people with one giving status."""

    class Audience(models.TextChoices):
        ALL = "all", gettext_lazy("Everybody")
        NONE = "none", gettext_lazy("People who do not give yet")
        DONOR = "donor", gettext_lazy("Donors")
        MONTHLY = "monthly", gettext_lazy("Monthly partners")

    slug = models.SlugField(gettext_lazy("slug"), unique=True)
    headline = models.CharField(gettext_lazy("headline"), max_length=200)
    text = models.TextField(gettext_lazy("text"), blank=True)
    link = models.URLField(gettext_lazy("link"), max_length=2000)
    button = models.CharField(gettext_lazy("button"), max_length=60)
    audience = models.CharField(gettext_lazy("for"), max_length=8, choices=Audience.choices, default=Audience.ALL)
    enabled = models.BooleanField(gettext_lazy("enabled"), default=True)

    class Meta:
        verbose_name = gettext_lazy("appeal")
        verbose_name_plural = gettext_lazy("appeals")
        ordering = ["slug"]
        constraints = [one_of("appeal_audience", "audience", ["all", "none", "donor", "monthly"])]

    def __str__(self) -> str:
        return self.headline
