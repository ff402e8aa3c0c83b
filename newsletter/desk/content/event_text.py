"""Short labels of an event's location and start, for lists and choosers."""

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.desk.content.wall_clock import find_zone, format_in_zone, zone_or_default
from newsletter.models import EventNotice
from subscribers.places.regions import country_label, region_label
from subscribers.places.town_names import town_label


def label_location(event: EventNotice) -> str:
    """Return the location by which people count as near, or “Online”, “Cancelled” or the unknown part."""
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
    label = ", ".join(
        part for part in (town_label(event.town, country=event.country, language=language), around) if part
    )
    if event.latitude is None:
        return _("%(named)s (region only)") % {"named": label} if label else _("Location unknown")
    return label or _("Coordinates only")


def format_start(event: EventNotice) -> str:
    """Return the start in the event's time zone: “Thu 3 Dec 2026, 18:30 (Chicago time)”; of an all-day event the date."""
    if event.all_day and event.day:
        return date_format(event.day, _("D j M Y"))
    zone = find_zone(event.zone) if event.zone else zone_or_default("")
    if zone is None:
        return _("%(starts_at)s (UTC; “%(zone)s” is not a time zone)") % {
            "starts_at": date_format(event.starts_at, _("D j M Y, H:i")),
            "zone": event.zone,
        }
    return format_in_zone(event.starts_at, zone=zone, form=_("D j M Y, H:i"))
