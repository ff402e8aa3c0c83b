"""The forms of stories and events. A field that staff edit is noted, so that its source never overwrites it."""

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm

from newsletter.content.ingesting.location_questions import (
    LOCATION_FIELDS,
    make_location_question,
    remove_location_question,
)
from newsletter.content.ingesting.store_events import record_event_change
from newsletter.content.ingesting.store_stories import record_addresses
from newsletter.content.ingesting.typed_locations import locate_typed_event
from newsletter.content.parsing.urls import hash_url, is_story_page
from newsletter.desk.content.consent_fields import SHOWN_CHANNELS, ChannelsField, RegionsField
from newsletter.desk.content.wall_clock import (
    WallClockField,
    find_zone,
    from_wall_clock,
    to_wall_clock,
    zone_or_default,
)
from newsletter.models import EventNotice

MOMENT_FIELDS = ("starts_at", "ends_at")
_LOCATED_FIELDS = ("town", "country", "region", "latitude", "longitude")


class PairsField(forms.Field):
    """A list of [name, note] pairs, typed one per line as “Name: note”."""

    def prepare_value(self, value: Any) -> str:
        return value if isinstance(value, str) else "\n".join(f"{name}: {note}" for name, note in value or [])

    def to_python(self, value: Any) -> list[list[str]]:
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
    """A form that notes in `edited_fields` what staff changed, and completes rows that staff create."""

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
        help_text=gettext_lazy("One per line, such as “Maya: *A pseudonym.” The note appears wherever the name does."),
    )
    consent_channels = ChannelsField(label=gettext_lazy("Consent covers"))
    not_in_regions = RegionsField()

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Date a new story now, because lists put stories without a date last."""
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial["published_at"] = timezone.now().replace(second=0, microsecond=0)

    def clean_consent_channels(self) -> list[str]:
        """Keep the channels of the stored consent that the form does not show."""
        hidden = set(self.initial.get("consent_channels") or []) - set(SHOWN_CHANNELS)
        return sorted({*self.cleaned_data["consent_channels"], *hidden})

    def clean(self) -> Any:
        cleaned = super().clean()
        image = cleaned.get("library_image")
        if image is not None and not cleaned.get("picture_alt"):
            cleaned["picture_alt"] = image.description
            if not image.description:
                self.add_error("picture_alt", gettext_lazy("Describe the picture for people who cannot see it."))
        given, expires = cleaned.get("consent_given_on"), cleaned.get("consent_expires_on")
        if given and expires and expires < given:
            self.add_error(
                "consent_expires_on", gettext_lazy("The consent ends before it was given. Correct one of the dates.")
            )
        return cleaned

    def save(self, commit: bool = True) -> Any:
        """Record the story's web address, so that a source that lists it later adds no second story."""
        story = super().save(commit=commit)
        if story.pk is not None and is_story_page(story.url):
            record_addresses(story, {hash_url(story.url): story.url})
        return story


class EventForm(ContentForm):
    """A form in which start and end are in the event's own time zone. A new zone moves an event with the same hours.

    The gazetteer finds the coordinates of a typed town or address. A new event without a zone gets that of its town.
    """

    starts_at = WallClockField(label=gettext_lazy("Starts"))
    ends_at = WallClockField(label=gettext_lazy("Ends"), required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in MOMENT_FIELDS:
            if moment := getattr(self.instance, name):
                self.initial[name] = to_wall_clock(moment, zone=zone_or_default(self.instance.zone))

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if zone and find_zone(zone) is None:
            raise ValidationError(_("“%(zone)s” is not a time zone. Write one such as Europe/London.") % {"zone": zone})
        return zone

    def clean(self) -> Any:
        cleaned = super().clean()
        self._locate(cleaned)
        for name in MOMENT_FIELDS:
            self._set_moment(name, cleaned)
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and ends and ends < starts:
            self.add_error("ends_at", _("The event ends before it starts."))
        if (cleaned.get("latitude") is None) != (cleaned.get("longitude") is None):
            self.add_error("latitude", _("Give both latitude and longitude, or neither."))
        return cleaned

    def save(self, commit: bool = True) -> Any:
        if self.instance.pk:
            moved = [name for name, value in self.stored.items() if value != getattr(self.instance, name)]
            self.instance.edited_fields = list(dict.fromkeys([*self.instance.edited_fields, *moved]))
            record_event_change(self.instance, now=timezone.now())
        return super().save(commit=commit)

    @cached_property
    def stored(self) -> dict[str, Any]:
        """Return the moments and the location in the database. Moments are exact to the second; the form shows minutes."""
        fields = (*MOMENT_FIELDS, *_LOCATED_FIELDS)
        return EventNotice.objects.filter(pk=self.instance.pk).values(*fields).first() or {}

    def _locate(self, cleaned: dict[str, Any]) -> None:
        """Replace the typed location by the one that the gazetteer finds; if it finds none, ask staff."""
        if not LOCATION_FIELDS.isdisjoint(self.changed_data):
            remove_location_question(self.instance)
        if self.errors or (located := locate_typed_event(cleaned, changed=self.changed_data)) is None:
            return
        cleaned |= {name: getattr(located, name) for name in _LOCATED_FIELDS}
        if self.instance.pk is None:
            cleaned["zone"] = cleaned.get("zone") or located.zone
        remove_location_question(self.instance)
        if question := make_location_question(located, event_note=self.instance.note):
            self.instance.place_question, self.instance.note = question, located.note

    def _set_moment(self, name: str, cleaned: dict[str, Any]) -> None:
        """Replace a typed time by its moment in UTC; by the stored moment if it was not edited."""
        shown = cleaned.get(name)
        if shown is None:
            return
        zone, stored = zone_or_default(cleaned.get("zone", "")), self.stored.get(name)
        if stored and to_wall_clock(stored, zone=zone) == shown.replace(second=0, microsecond=0):
            cleaned[name] = stored
            return
        try:
            cleaned[name] = from_wall_clock(shown, zone=zone)
        except ValidationError as error:
            self.add_error(name, error)
