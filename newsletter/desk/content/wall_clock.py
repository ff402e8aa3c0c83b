"""Times without a zone in forms, and their conversion from and to the time zone that another field names."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.admin.widgets import AdminDateTimeInput


class WallClockField(forms.DateTimeField):
    """A date and time without a zone, exact to the minute."""

    widget = AdminDateTimeInput

    def prepare_value(self, value: object) -> object:
        return value

    def to_python(self, value: Any) -> Any:
        with timezone.override(UTC):
            moment = super().to_python(value)
        return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment


def find_zone(name: str) -> ZoneInfo | None:
    """Return the time zone of this name, or None if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_or_default(name: str) -> ZoneInfo:
    """Return the time zone of this name, or the desk's own if there is none."""
    return find_zone(name) or ZoneInfo(settings.TIME_ZONE)


def to_wall_clock(moment: datetime, *, zone: ZoneInfo) -> datetime:
    """Return the local time of a moment, exact to the minute."""
    return moment.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)


def from_wall_clock(shown: datetime, *, zone: ZoneInfo) -> datetime:
    """Return the moment of a local time; the earlier one if the clocks repeat it.

    Raise ValidationError if the clocks skip this time.
    """
    moment = shown.replace(tzinfo=zone)
    if to_wall_clock(moment.astimezone(UTC), zone=zone) != shown.replace(second=0, microsecond=0):
        raise ValidationError(
            _("The clocks of %(zone)s skip %(time)s on that day. Write another time.")
            % {"zone": zone.key, "time": f"{shown:%H:%M}"}
        )
    return moment
