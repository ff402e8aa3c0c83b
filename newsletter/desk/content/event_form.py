"""The form of an event. Its times are in the event's own zone, and the gazetteer finds its location."""

from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.content.ingesting.home_location import find_home_zone
from newsletter.content.ingesting.location_questions import (
    LOCATION_FIELDS,
    is_zone_open,
    make_location_question,
    remove_location_question,
)
from newsletter.content.ingesting.manual_content import locate_typed_event
from newsletter.content.ingesting.translated_events import (
    DIFFERENCE_CHECKED,
    NOTE_CHECKED,
    has_difference_note,
    record_event_change,
    report_changed_event,
)
from newsletter.desk.content.content_forms import ContentForm
from newsletter.desk.content.language_select import propose_language, set_up_languages
from newsletter.desk.content.wall_clock import (
    WallClockField,
    find_zone,
    read_wall_clock,
    to_wall_clock,
    zone_or_default,
)
from newsletter.desk.content.zone_choices import zone_choices
from newsletter.models import EventNotice
from newsletter.outbound.publishing_facts import report_event_notice
from subscribers.desk.editing.short_name_form import CleanedData
from subscribers.models import EventKind

MOMENT_FIELDS = ("starts_at", "ends_at")
LOCATED_FIELDS = ("town", "country", "region", "latitude", "longitude")


def show_moments(event: EventNotice) -> dict[str, datetime]:
    """Return the start and end of an event in its own time zone, as its form shows them."""
    zone = zone_or_default(event.zone)
    moments = {name: getattr(event, name) for name in MOMENT_FIELDS}
    return {name: to_wall_clock(moment, zone=zone) for name, moment in moments.items() if moment}


class EventForm(ContentForm):
    """A form in which start and end are in the event's own time zone. A new zone moves an event with the same hours.

    The gazetteer finds the coordinates of a typed town or address. A new event without a zone gets that of its town, else
    that of the publications. Staff who save a translation without a change say that its words for the place are right.
    """

    starts_at = WallClockField(label=gettext_lazy("Starts"))
    ends_at = WallClockField(label=gettext_lazy("Ends"), required=False)
    difference_checked = forms.BooleanField(
        label=gettext_lazy("I have checked it: this translation is right"),
        help_text=gettext_lazy("Removes the note that its original has changed."),
        required=False,
    )
    note_checked = forms.BooleanField(
        label=gettext_lazy("I have checked it"),
        help_text=gettext_lazy("Home does not ask about this event again until there is something else to check."),
        required=False,
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if not has_difference_note(self.instance):
            del self.fields[DIFFERENCE_CHECKED]
        if DIFFERENCE_CHECKED in self.fields or self.instance.place_question or not self.instance.open_note:
            del self.fields[NOTE_CHECKED]
        set_up_languages(self, unset=_("Not known"))
        propose_language(self)
        choices = zone_choices(self.instance.zone, unset=_("That of its town"))
        self.fields["zone"].widget = forms.Select(choices=choices)
        self.initial |= show_moments(self.instance)

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if zone and find_zone(zone) is None:
            raise ValidationError(_("“%(zone)s” is not a time zone. Choose one of the list.") % {"zone": zone})
        return zone

    def clean(self) -> CleanedData:
        cleaned: CleanedData = super().clean()
        self._locate(cleaned)
        if self.instance.pk is None and not self._is_of_unzoned(cleaned):
            cleaned["zone"] = cleaned.get("zone") or find_home_zone()
        for name in MOMENT_FIELDS:
            self._set_moment(name, cleaned)
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and ends and ends < starts:
            self.add_error("ends_at", _("The event ends before it starts."))
        if (cleaned.get("latitude") is None) != (cleaned.get("longitude") is None):
            self.add_error("latitude", _("Give both latitude and longitude, or neither."))
        return cleaned

    def save(self, commit: bool = True) -> EventNotice:
        now = timezone.now()
        is_new = self.instance.pk is None
        if self.cleaned_data.get(NOTE_CHECKED):
            self.instance.checked_note = self.instance.note
        if not is_new:
            moved = [name for name, value in self.stored.items() if value != getattr(self.instance, name)]
            self.instance.edited_fields = list(dict.fromkeys([*self.instance.edited_fields, *moved]))
            record_event_change(self.instance, now=now)
            if self.instance.translation_of_id and (not self.changed_data or DIFFERENCE_CHECKED in self.changed_data):
                self.instance.place_text_changed_at = now
        super().save(commit=commit)
        event: EventNotice = self.instance
        if commit and is_new:
            report_event_notice(EventKind.EVENT_NEW, event, now=now)
        elif commit:
            report_changed_event(event, now=now)
        return event

    @cached_property
    def stored(self) -> CleanedData:
        """Return the moments and the location in the database. Moments are exact to the second; the form shows minutes."""
        fields = (*MOMENT_FIELDS, *LOCATED_FIELDS)
        return EventNotice.objects.filter(pk=self.instance.pk).values(*fields).first() or {}

    def _is_of_unzoned(self, cleaned: CleanedData) -> bool:
        """Return True if this is a translation of an event without a zone, whose hours the form began with."""
        original = cleaned.get("translation_of")
        return original is not None and not original.zone

    def _locate(self, cleaned: CleanedData) -> None:
        """Replace the typed location by the one that the gazetteer finds; if it finds none, ask staff."""
        zone_open = is_zone_open(self.instance) and "zone" not in self.changed_data
        if not LOCATION_FIELDS.isdisjoint(self.changed_data):
            remove_location_question(self.instance)
        if self.errors or (located := locate_typed_event(cleaned, changed=self.changed_data)) is None:
            return
        cleaned |= {name: getattr(located, name) for name in LOCATED_FIELDS}
        if self.instance.pk is None:
            zone_open = not cleaned.get("zone") and not self._is_of_unzoned(cleaned)
        if zone_open:
            cleaned["zone"] = located.zone or cleaned.get("zone")
        remove_location_question(self.instance)
        zone_open = zone_open and not located.zone
        if question := make_location_question(located, event_note=self.instance.note, zone_open=zone_open):
            self.instance.place_question, self.instance.note = question, located.note

    def _set_moment(self, name: str, cleaned: CleanedData) -> None:
        """Replace a typed time by its moment in UTC; by the stored moment if it was not edited."""
        clock_time = cleaned.get(name)
        if clock_time is None:
            return
        zone = zone_or_default(cleaned.get("zone", ""))
        original = cleaned.get("translation_of") if self.instance.pk is None else None
        stored = getattr(original, name) if original else self.stored.get(name)
        try:
            cleaned[name] = read_wall_clock(clock_time, zone=zone, stored=stored)
        except ValidationError as error:
            self.add_error(name, error)
