"""The time zones of one calendar. Lines get IANA names, and a VTIMEZONE that cannot be used is left out."""

import re
from dataclasses import replace
from typing import Final

import icalendar
from icalendar.timezone import tzp

from newsletter.content.parsing.calendars.lines import DATED, CalendarText, Line
from newsletter.content.parsing.calendars.zone_names import find_zone_name
from newsletter.content.parsing.cpu_budget import CpuBudgetExceeded, cpu_budget

_TZID = re.compile(r";TZID=(?P<name>\"[^\"]*\"|.*?(?=;(?:VALUE|X-)|$))", re.IGNORECASE)
_LOCATION = re.compile(r"^X-LIC-LOCATION\s*:\s*(?P<name>\S.*)$", re.IGNORECASE | re.MULTILINE)
_RULE = re.compile(r"^RRULE[^:\n]*:(?P<rule>.*)$", re.IGNORECASE | re.MULTILINE)
_DAY = re.compile(r"\d{8}(?:,\d{8})*")
_ZONE_SECONDS = 0.3
_MAX_CHARS = 64_000
_READ_ERRORS: Final = (ValueError, TypeError, KeyError, AttributeError, IndexError, OSError, ArithmeticError)


class Zones:
    """Resolve the zone names of one calendar. ``unusable`` lists the names whose definition was left out."""

    def __init__(self, calendar: CalendarText) -> None:
        # Definitions are cached by name for the whole process. Two calendars may use one name for different zones.
        tzp.use_default()
        self._definitions = calendar.zones
        self._known: dict[str, str] = {}
        self.unusable: list[str] = []

    def resolve(self, name: str) -> str:
        """Return the IANA name. If there is none, return the name unchanged."""
        bare = name.strip().strip('"')
        if bare not in self._known:
            self._known[bare] = self._find(bare) or bare
        return self._known[bare]

    def rewrite(self, line: Line) -> Line:
        """Return a date line with the IANA name of its zone. All-day dates have no zone: ignore one that is given."""
        if line.name not in DATED:
            return line
        if _DAY.fullmatch(line.value.strip()):
            span = ";RANGE=THISANDFUTURE" if "THISANDFUTURE" in line.parameters.upper() else ""
            return replace(line, parameters=f";VALUE=DATE{span}", value=line.value.strip())
        match = _TZID.search(line.parameters)
        if match is None:
            return line
        name = self.resolve(match["name"])
        quoted = f'"{name}"' if re.search(r"[,;:]", name) else name
        return replace(
            line, parameters=f"{line.parameters[: match.start()]};TZID={quoted}{line.parameters[match.end() :]}"
        )

    def _find(self, name: str) -> str:
        zone = find_zone_name(name)
        if zone:
            return zone
        definition = self._definitions.get(name, "")
        if not definition:
            return ""
        located = _LOCATION.search(definition)
        zone = find_zone_name(located["name"]) if located else ""
        if not zone and not _register_definition(definition):
            self.unusable.append(name)
        return zone


def _register_definition(definition: str) -> bool:
    """Give a zone's definition to the library that reads dates. Return False if it cannot be used."""
    rules = [match["rule"].upper() for match in _RULE.finditer(definition)]
    if len(definition) > _MAX_CHARS or any("FREQ=YEARLY" not in rule or "INTERVAL=0" in rule for rule in rules):
        return False
    text = f"BEGIN:VCALENDAR\r\n{definition}\r\nEND:VCALENDAR\r\n"
    try:
        with cpu_budget(_ZONE_SECONDS):
            zones = icalendar.Calendar.from_ical(text).walk("VTIMEZONE")
            return bool(zones) and not any(part.errors for zone in zones for part in zone.walk())
    except (CpuBudgetExceeded, *_READ_ERRORS):
        return False
