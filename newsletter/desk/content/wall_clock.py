"""Fields of a form in which a moment is typed and shown on a clock that another field of the form names."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.admin.widgets import AdminDateTimeInput


class WallClockField(forms.DateTimeField):
    """A date and a time without a zone, to the minute."""

    widget = AdminDateTimeInput

    def prepare_value(self, value: Any) -> Any:
        return value

    def to_python(self, value: Any) -> Any:
        with timezone.override(UTC):
            moment = super().to_python(value)
        return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment


def to_wall_clock(moment: datetime, *, zone: str) -> datetime:
    """What a clock of the zone shows at this moment, to the minute."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)


def from_wall_clock(shown: datetime, *, zone: str) -> datetime:
    """The moment at which a clock of the zone shows this; the first of two in autumn. ValidationError where it never does."""
    moment = shown.replace(tzinfo=ZoneInfo(zone))
    if to_wall_clock(moment.astimezone(UTC), zone=zone) != shown.replace(second=0, microsecond=0):
        raise ValidationError(
            _("The clocks of %(zone)s skip %(time)s on that day. Write another time.")
            % {"zone": zone, "time": f"{shown:%H:%M}"}
        )
    return moment
