"""Local times: in forms, whose zone is another field, and in texts, with the zone's town."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import get_timezone_location
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.admin.widgets import AdminDateTimeInput


class WallClockField(forms.DateTimeField):
    """A date and time without a zone, exact to the minute."""

    widget = AdminDateTimeInput

    def prepare_value(self, value: object) -> object:
        return value

    def to_python(self, value: str | datetime | date | None) -> datetime | None:
        with timezone.override(UTC):
            moment = super().to_python(value)
        return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment


def find_zone(name: str) -> ZoneInfo | None:
    """Return the time zone of this name, or None."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_or_default(name: str) -> ZoneInfo:
    """Return the time zone of this name, or the desk's own."""
    return find_zone(name) or ZoneInfo(settings.TIME_ZONE)


def to_wall_clock(moment: datetime, *, zone: ZoneInfo) -> datetime:
    """Return the local time of a moment, exact to the minute."""
    return moment.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)


def from_wall_clock(clock_time: datetime, *, zone: ZoneInfo) -> datetime:
    """Return the moment of a local time; the earlier one if the clocks repeat it.

    Raise ValidationError if the clocks skip this time.
    """
    moment = clock_time.replace(tzinfo=zone)
    if to_wall_clock(moment.astimezone(UTC), zone=zone) != clock_time.replace(second=0, microsecond=0):
        raise ValidationError(
            _("The clocks of %(zone)s skip %(time)s on that day. Write another time.")
            % {"zone": zone.key, "time": f"{clock_time:%H:%M}"}
        )
    return moment


def read_wall_clock(clock_time: datetime, *, zone: ZoneInfo, stored: datetime | None) -> datetime:
    """Return the moment of a typed local time: the stored one, which is exact to the second, if it was not edited.

    Raise ValidationError if the clocks skip this time.
    """
    if stored and to_wall_clock(stored, zone=zone) == clock_time.replace(second=0, microsecond=0):
        return stored
    return from_wall_clock(clock_time, zone=zone)


def format_in_zone(at: datetime, *, zone: ZoneInfo, form: str) -> str:
    """Return “5 March 2026, 09:00 (London time)” for a date format of Django."""
    if zone.key == "UTC":
        return f"{date_format(at.astimezone(zone), form)} (UTC)"
    return _("%(moment)s (%(zone)s time)") % {
        "moment": date_format(at.astimezone(zone), form),
        "zone": label_zone(zone.key),
    }


def label_zone(zone: str) -> str:
    """Return “New York” for “America/New_York” in the current language; an unknown zone unchanged."""
    try:
        language = Locale.parse(get_language() or "en", sep="-")
        town: str = get_timezone_location(ZoneInfo(zone), locale=language, return_city=True)
    except (ZoneInfoNotFoundError, UnknownLocaleError, ValueError, OSError):
        return zone
    return town
