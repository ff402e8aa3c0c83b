"""The form of a story, and the parts that it shares with the form of an event. A field that staff edit is noted, so that its
source never overwrites it."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.users.models import UserProfile

from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.content.ingesting.home_location import find_usual_zone
from newsletter.content.ingesting.manual_content import note_edits, report_typed_story
from newsletter.desk.content.cases.field import CaseField, save_new_case
from newsletter.desk.content.language_select import propose_language, set_up_languages
from newsletter.desk.content.region_fields import RegionsField
from newsletter.desk.content.wall_clock import (
    WallClockField,
    find_zone,
    label_zone,
    read_wall_clock,
    to_wall_clock,
)
from newsletter.models import Story
from newsletter.models.content.consent import Channel
from subscribers.desk.editing.lines_field import LinesField
from subscribers.desk.editing.short_name_form import CleanedData

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


SHOWN_CHANNELS = (Channel.EMAIL, Channel.ARCHIVE)
"""The channels that the product has. Consent to others is kept and not shown, because nothing reads it."""


class ChannelsField(forms.MultipleChoiceField):
    """The channels in which the person agreed to appear."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, label: "_StrPromise") -> None:
        super().__init__(
            choices=[(channel.value, channel.label) for channel in SHOWN_CHANNELS], required=False, label=label
        )

    def has_changed(self, initial: Collection[str] | None, data: Collection[str] | None) -> bool:
        return sorted(set(initial or []) & set(SHOWN_CHANNELS)) != sorted(data or [])


def find_embargo_zone(person: User | None) -> ZoneInfo:
    """Return the time zone of the person's account, else of most publications, else of the desk."""
    profile = UserProfile.objects.filter(user=person).first() if person else None
    own_zone = find_zone(profile.current_time_zone) if profile and profile.current_time_zone else None
    return own_zone or find_zone(find_usual_zone()) or ZoneInfo(timezone.get_current_timezone_name())


class PairsField(LinesField):
    """A list of [name, note] pairs, typed one per line as “Name: note”."""

    def write_lines(self, value: list[list[str]]) -> list[str]:
        return [f"{name}: {note}" for name, note in value]

    def read_lines(self, lines: list[str]) -> list[list[str]]:
        pairs = []
        for number, line in enumerate(lines, 1):
            name, colon, note = (part.strip() for part in line.partition(":"))
            if not (colon and name and note):
                raise ValidationError(
                    _("Line %(number)s: write the name, a colon and the note, such as “Maya: *A pseudonym.”")
                    % {"number": number}
                )
            pairs.append([name, note])
        return pairs


class ContentForm(LimitedTextsMixin, WagtailAdminModelForm):
    """A form that notes the fields that staff changed in `edited_fields`, and completes rows that staff create."""

    def save(self, commit: bool = True) -> Model:
        note_edits(self.instance, changed=self.changed_data, now=timezone.now())
        row: Model = super().save(commit=commit)
        return row


class StoryForm(ContentForm):
    """A form in which the embargo is in the person's time zone, which its label names."""

    embargo_until = WallClockField(required=False)
    pseudonyms = PairsField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Names changed to protect people"),
        help_text=gettext_lazy(
            "One per line: the name, a colon, the note. The note appears in each mail with the name."
        ),
    )
    consent_channels = ChannelsField(label=gettext_lazy("Consent covers"))
    not_in_regions = RegionsField()
    case = CaseField(
        max_length=120,
        required=False,
        label=gettext_lazy("Case"),
        help_text=gettext_lazy(
            "What several stories are about, such as a trial. Readers can follow it and get its later stories first. The name is "
            "shown to them."
        ),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Date a new story now, because lists put stories without a date last."""
        super().__init__(*args, **kwargs)
        set_up_languages(self, unset=_("Not known"))
        propose_language(self)
        self.fields["url"].label = _("Web address")
        self.embargo_zone = find_embargo_zone(self.for_user)
        zone = {"zone": label_zone(self.embargo_zone.key)}
        self.fields["embargo_until"].label = _("Do not send before (%(zone)s time)") % zone
        if self.instance.embargo_until:
            self.initial["embargo_until"] = to_wall_clock(self.instance.embargo_until, zone=self.embargo_zone)
        if self.instance.pk is None:
            self.initial["published_at"] = timezone.now().replace(second=0, microsecond=0)

    def clean_embargo_until(self) -> datetime | None:
        clock_time: datetime | None = self.cleaned_data["embargo_until"]
        if clock_time is None:
            return None
        return read_wall_clock(clock_time, zone=self.embargo_zone, stored=self.instance.embargo_until)

    def clean_consent_channels(self) -> list[str]:
        """Keep the channels of the stored consent that the form does not show."""
        hidden = set(self.initial.get("consent_channels") or []) - set(SHOWN_CHANNELS)
        return sorted({*self.cleaned_data["consent_channels"], *hidden})

    def clean(self) -> CleanedData:
        cleaned: CleanedData = super().clean()
        image = cleaned.get("library_image")
        if image is not None and not cleaned.get("picture_alt"):
            cleaned["picture_alt"] = image.description
            if not image.description:
                self.add_error("picture_alt", gettext_lazy("Describe the image for people who cannot see it."))
        if not {"url", "text"} & set(self.errors):
            self._require_page_or_text(cleaned)
        given_on, expires = cleaned.get("consent_given_on"), cleaned.get("consent_expires_on")
        if given_on and expires and expires < given_on:
            self.add_error(
                "consent_expires_on", gettext_lazy("The consent ends before it was given. Correct one of the dates.")
            )
        return cleaned

    def _require_page_or_text(self, cleaned: CleanedData) -> None:
        if cleaned.get("url") and cleaned.get("text"):
            self.add_error(
                "text", _("A story with a web address needs no text: the mail leads there. Remove one of them.")
            )
        elif not cleaned.get("url") and not cleaned.get("text"):
            self.add_error("url", _("Enter the address of the story’s page. If it has none, write its text below."))

    def save(self, commit: bool = True) -> Story:
        """Record the story's web address, so that a source that lists it later adds no second story."""
        if commit:
            self.instance.case = save_new_case(self.instance.case)
        is_new = self.instance.pk is None
        super().save(commit=commit)
        story: Story = self.instance
        if commit:
            report_typed_story(story, is_new=is_new, changed=self.changed_data, now=timezone.now())
        return story
