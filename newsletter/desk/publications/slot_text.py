"""When something of a publication is due, on its own clock and not the desk's, as its readers live by it. Words only."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import get_timezone_location
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.models import Issue

DATE_WITH_YEAR, DATE_WITHOUT_YEAR = "D j M Y, H:i", "D j M, H:i"


def format_due(at: datetime, *, zone: str, form: str = "") -> str:
    """“Thursday 5 March 2026, 09:00 (London time)”. A zone that is none: on the desk's clock, which is then named."""
    clock = _zone_or_default(zone)
    return _("%(moment)s (%(zone)s time)") % {
        "moment": date_format(at.astimezone(clock), form or _("l j F Y, H:i")),
        "zone": label_zone(clock.key),
    }


def format_due_short(at: datetime, *, zone: str) -> str:
    """“Wed 4 Mar, 09:00”, beside a moment whose zone is named."""
    return date_format(at.astimezone(_zone_or_default(zone)), DATE_WITHOUT_YEAR)


def label_zone(zone: str) -> str:
    """“New York” for “America/New_York”, in the language of whoever reads it; a zone that is none as it is written."""
    try:
        language = Locale.parse(get_language() or "en", sep="-")
        town: str = get_timezone_location(ZoneInfo(zone), locale=language, return_city=True)
    except (ZoneInfoNotFoundError, UnknownLocaleError, ValueError, OSError):
        return zone
    return town


def format_slot(issue: Issue) -> str:
    """When the issue is due; nothing where it has no slot."""
    return format_due(issue.slot.due_at, zone=issue.publication.zone) if issue.slot else ""


def format_slot_short(issue: Issue) -> str:
    if issue.slot is None:
        return ""
    this_year = issue.slot.due_at.year == timezone.now().year
    return format_due(
        issue.slot.due_at, zone=issue.publication.zone, form=DATE_WITHOUT_YEAR if this_year else DATE_WITH_YEAR
    )


def _zone_or_default(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(timezone.get_default_timezone_name())
