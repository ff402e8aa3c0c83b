"""Time zones as choices by continent and town, in the reader's language."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from babel.core import get_global
from django.utils import translation
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from newsletter.desk.content.wall_clock import label_zone

_CONTINENTS = {
    "Africa": gettext_lazy("Africa"),
    "America": gettext_lazy("America"),
    "Antarctica": gettext_lazy("Antarctica"),
    "Asia": gettext_lazy("Asia"),
    "Atlantic": gettext_lazy("Atlantic Ocean"),
    "Australia": gettext_lazy("Australia"),
    "Europe": gettext_lazy("Europe"),
    "Indian": gettext_lazy("Indian Ocean"),
    "Pacific": gettext_lazy("Pacific Ocean"),
}


def zone_choices(current: str, *, unset: str = "") -> list[Any]:
    """Return the choices of a select: UTC, then the towns of each continent.

    A current zone that is not among them is added. Without a current zone, the first choice is ``unset``, or the request to
    choose one.
    """
    groups = _list_groups(get_language() or "en")
    listed_zones = {zone for _continent, towns in groups for zone, _town in towns}
    first = [("UTC", "UTC")] if current else [("", unset or _("Choose a time zone")), ("UTC", "UTC")]
    if current and current != "UTC" and current not in listed_zones:
        first.append((current, label_zone(current)))
    return [*first, *groups]


def _is_same_town(zone: str, canonical: str) -> bool:
    """Return True if the canonical name of a zone names the same town on another continent."""
    return bool(canonical) and zone != canonical and zone.rpartition("/")[2] == canonical.rpartition("/")[2]


@cache
def _list_groups(language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    available = available_timezones()
    aliases = get_global("zone_aliases")
    zones = [zone for zone in sorted(available) if zone.partition("/")[0] in _CONTINENTS]
    # A town on the border of two continents, such as Istanbul, is in one of them.
    zones = [zone for zone in zones if not _is_same_town(zone, aliases.get(zone, ""))]
    with translation.override("en"):
        # Several zones have one town, such as Europe/Belfast and Europe/London. The one named after the town comes last.
        zones.sort(key=lambda zone: zone.rpartition("/")[2].replace("_", " ") == label_zone(zone))
    towns: dict[str, dict[str, str]] = {name: {} for name in _CONTINENTS}
    with translation.override(language):
        for zone in zones:
            towns[zone.partition("/")[0]][label_zone(zone)] = zone
        return [
            (str(_CONTINENTS[name]), [(zone, town) for town, zone in sorted(zones_of.items())])
            for name, zones_of in towns.items()
        ]
