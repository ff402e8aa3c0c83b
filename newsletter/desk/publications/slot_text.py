"""Due times in the publication's time zone, not the desk's, and labels of time zones."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import get_timezone_location
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.desk.content.wall_clock import zone_or_default
from newsletter.models import Issue

DATE_WITH_YEAR, DATE_WITHOUT_YEAR = "D j M Y, H:i", "D j M, H:i"


def format_due(at: datetime, *, zone: str, form: str = "") -> str:
    """Return “Thursday 5 March 2026, 09:00 (London time)”; in the desk's time zone if `zone` is none."""
    clock = zone_or_default(zone)
    return _("%(moment)s (%(zone)s time)") % {
        "moment": date_format(at.astimezone(clock), form or _("l j F Y, H:i")),
        "zone": label_zone(clock.key),
    }


def format_due_short(at: datetime, *, zone: str) -> str:
    """Return “Wed 4 Mar, 09:00”, for use beside a time that names the zone."""
    return date_format(at.astimezone(zone_or_default(zone)), DATE_WITHOUT_YEAR)


def label_zone(zone: str) -> str:
    """Return “New York” for “America/New_York” in the current language; an unknown zone unchanged."""
    try:
        language = Locale.parse(get_language() or "en", sep="-")
        town: str = get_timezone_location(ZoneInfo(zone), locale=language, return_city=True)
    except (ZoneInfoNotFoundError, UnknownLocaleError, ValueError, OSError):
        return zone
    return town


def format_slot(issue: Issue) -> str:
    """Return when the issue is due; empty if no time is planned."""
    return format_due(issue.due_at, zone=issue.publication.zone) if issue.due_at else ""


def format_slot_short(issue: Issue) -> str:
    if issue.due_at is None:
        return ""
    this_year = issue.due_at.year == timezone.now().year
    return format_due(
        issue.due_at, zone=issue.publication.zone, form=DATE_WITHOUT_YEAR if this_year else DATE_WITH_YEAR
    )
