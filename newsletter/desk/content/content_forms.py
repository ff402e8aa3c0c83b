"""Forms of stories and events: what staff write here stays, whatever the source says later."""

import uuid
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm

from newsletter.content.ingesting.location_questions import LOCATION_FIELDS, remove_location_question
from newsletter.content.ingesting.store_rows import record_event_change
from newsletter.content.ingesting.story_rows import record_addresses
from newsletter.content.parsing.page_urls import hash_url, is_story_page
from newsletter.desk.content.consent_forms import ChannelsField, RegionsField
from newsletter.desk.content.wall_clock import WallClockField, from_wall_clock, to_wall_clock

Pairs = list[list[str]]
MOMENT_FIELDS = ("starts_at", "ends_at")


class PairsField(forms.Field):
    """[[name, note], …] as lines of “Name: note”."""

    def prepare_value(self, value: Any) -> str:
        return value if isinstance(value, str) else "\n".join(f"{name}: {note}" for name, note in value or [])

    def to_python(self, value: Any) -> Pairs:
        if not isinstance(value, str):
            return list(value or [])
        pairs = []
        for number, line in enumerate(value.splitlines(), 1):
            if not line.strip():
                continue
            name, colon, note = (part.strip() for part in line.partition(":"))
            if not (colon and name and note):
                raise ValidationError(
                    _("Line %(number)s: write the name, a colon and the note, such as “Maya: *A pseudonym.”")
                    % {"number": number}
                )
            pairs.append([name, note])
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return [list(pair) for pair in initial or []] != self.to_python(data or "")
        except ValidationError:
            return True


class ContentForm(WagtailAdminModelForm):
    """Notes which fields staff changed in ``edited_fields``, so that ingest leaves those alone; makes rows by hand complete."""

    def save(self, commit: bool = True) -> Any:
        row = self.instance
        if row.pk is None:
            row.external_id = row.external_id or f"desk:{uuid.uuid4()}"
            row.seen_at = row.seen_at or timezone.now()
        row.edited_fields = list(dict.fromkeys([*row.edited_fields, *self.changed_data]))
        return super().save(commit=commit)


class StoryForm(ContentForm):
    pseudonyms = PairsField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Names changed to protect people"),
        help_text=gettext_lazy("One a line, such as “Maya: *A pseudonym.” The note stands wherever the name does."),
    )
    consent_channels = ChannelsField(label=gettext_lazy("Agreed to be shown in"))
    not_in_regions = RegionsField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """A story that is written here is dated now: one without a date comes after all that have one."""
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial["published_at"] = timezone.now().replace(second=0, microsecond=0)

    def clean(self) -> Any:
        cleaned = super().clean()
        given, expires = cleaned.get("consent_given_on"), cleaned.get("consent_expires_on")
        if given and expires and expires < given:
            self.add_error("consent_expires_on", gettext_lazy("The consent ends before it was given."))
        return cleaned

    def save(self, commit: bool = True) -> Any:
        """Keep the address, so that a source that lists it later brings no second story."""
        story = super().save(commit=commit)
        if story.pk is not None and is_story_page(story.url):
            record_addresses(story, {hash_url(story.url): story.url})
        return story


class EventForm(ContentForm):
    """Start and end are typed on the event's own clock; another zone for the same hours is another moment."""

    starts_at = WallClockField(label=gettext_lazy("Starts"))
    ends_at = WallClockField(label=gettext_lazy("Ends"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in MOMENT_FIELDS:
            if moment := getattr(self.instance, name):
                self.initial[name] = to_wall_clock(moment, zone=zone_or_default(self.instance.zone))

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if zone:
            check_zone(zone)
        return zone

    def clean(self) -> Any:
        cleaned = super().clean()
        for name in MOMENT_FIELDS:
            self._set_moment(name, cleaned)
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and ends and ends < starts:
            self.add_error("ends_at", _("The event ends before it starts."))
        if (cleaned.get("latitude") is None) != (cleaned.get("longitude") is None):
            self.add_error("latitude", _("Give both latitude and longitude, or neither."))
        return cleaned

    def save(self, commit: bool = True) -> Any:
        moved = [name for name in MOMENT_FIELDS if self.was.get(name) != getattr(self.instance, name)]
        self.instance.edited_fields = list(dict.fromkeys([*self.instance.edited_fields, *moved]))
        if not LOCATION_FIELDS.isdisjoint(self.changed_data):
            remove_location_question(self.instance)
        if self.instance.pk:
            record_event_change(self.instance, now=timezone.now())
        return super().save(commit=commit)

    @cached_property
    def was(self) -> dict[str, Any]:
        """The moments as they are kept, to the second."""
        kept = (
            type(self.instance).objects.filter(pk=self.instance.pk).values(*MOMENT_FIELDS).first()
            if self.instance.pk
            else None
        )
        return kept or {}

    def _set_moment(self, name: str, cleaned: dict[str, Any]) -> None:
        shown = cleaned.get(name)
        if shown is None:
            return
        zone, kept = zone_or_default(cleaned.get("zone", "")), self.was.get(name)
        if kept and to_wall_clock(kept, zone=zone) == shown.replace(second=0, microsecond=0):
            cleaned[name] = kept
            return
        try:
            cleaned[name] = from_wall_clock(shown, zone=zone)
        except ValidationError as error:
            self.add_error(name, error)


def zone_or_default(zone: str) -> str:
    """The zone, or the desk's where it is none."""
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return settings.TIME_ZONE


def check_zone(zone: str) -> None:
    """Raises ValidationError unless it names a time zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(
            _("“%(zone)s” is not a time zone. Write one such as Europe/London.") % {"zone": zone}
        ) from error
