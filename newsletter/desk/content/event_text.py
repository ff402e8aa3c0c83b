"""An event's place and time in a few words, as lists and pickers show them. Reads nothing."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.models import EventNotice
from subscribers.places.regions import country_label, region_label

_MOMENT_FORMAT = "D j M Y, H:i"


def label_location(event: EventNotice) -> str:
    """Where readers must be to be near it, in a few words."""
    if event.cancelled:
        return _("Cancelled")
    if event.online:
        return _("Online")
    language = get_language() or "en"
    around = (
        region_label(event.region, language=language)
        if event.region
        else country_label(event.country, language=language)
    )
    named = ", ".join(part for part in (event.town, around) if part)
    if event.latitude is None:
        return _("%(named)s (region only)") % {"named": named} if named else _("Place unknown")
    return named or _("By its coordinates")


def format_start(event: EventNotice) -> str:
    """The start on the event's own clock, such as “Thu 3 Dec 2026, 18:30 (America/Chicago)”; an all-day event's date."""
    if event.all_day and event.day:
        return date_format(event.day, "D j M Y")
    try:
        zone = ZoneInfo(event.zone) if event.zone else ZoneInfo(settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _("%(starts_at)s (UTC; “%(zone)s” is no time zone)") % {
            "starts_at": date_format(event.starts_at, _MOMENT_FORMAT),
            "zone": event.zone,
        }
    return f"{date_format(event.starts_at.astimezone(zone), _MOMENT_FORMAT)} ({zone.key})"
