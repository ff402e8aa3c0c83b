"""Split iCalendar text into its calendars, entries and lines. It interprets no value.

A broken entry is marked as damaged and never runs into the next one.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_FOLD = re.compile(rb"(?:\r*\n|\r)[ \t]")
_BREAK = re.compile(r"\r*\n|\r")
_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
_QUOTED_OR_COLON = re.compile(r"\"[^\"]*\"|:")
DATED = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"})
_OF_AN_EVENT = DATED | {"SUMMARY", "LOCATION", "RRULE", "DURATION", "CLASS", "TRANSP", "STATUS"}
_ZONE_PARTS = frozenset({"STANDARD", "DAYLIGHT"})


@dataclass(frozen=True)
class Line:
    """One unfolded line. ``name`` is upper case, or "" for a line that is no property. ``parameters`` begin with ";"."""

    name: str
    parameters: str
    value: str
    whole: str

    def text(self) -> str:
        return f"{self.name}{self.parameters}:{self.value}"


@dataclass
class ComponentText:
    """One component without the components in it. ``damaged`` means that its begin or its end is missing."""

    kind: str
    lines: list[Line] = field(default_factory=list)
    damaged: bool = False

    def first(self, name: str) -> Line | None:
        return next((line for line in self.lines if line.name == name), None)

    def value(self, name: str) -> str:
        line = self.first(name)
        return line.value.strip() if line else ""


@dataclass
class CalendarText:
    """One VCALENDAR: its own lines, its VEVENTs in order, and the whole text of each VTIMEZONE by its TZID.

    ``opening`` are the lines before its first event, where a calendar says what holds for all of it.
    """

    lines: list[Line] = field(default_factory=list)
    opening: list[Line] = field(default_factory=list)
    events: list[ComponentText] = field(default_factory=list)
    zones: dict[str, str] = field(default_factory=dict)

    def value(self, *names: str) -> str:
        """Return the value of the first of these properties that the calendar has, or ""."""
        found = {line.name: line.value for line in reversed(self.lines)}
        return next((found[name].strip() for name in names if found.get(name, "").strip()), "")


def split_calendars(body: bytes) -> list[CalendarText]:
    """Return the calendars of a document in order, or an empty list if none begins."""
    calendars: list[CalendarText] = []
    stack: list[ComponentText] = []
    zone: list[str] = []
    last: ComponentText | None = None
    stray = False
    for line in _lines(body):
        if line.name == "BEGIN":
            kind = line.value.strip().upper()
            if kind == "VCALENDAR":
                _mark_damaged(stack)
                calendars.append(CalendarText())
                stack, last, stray = [], None, False
            elif not calendars:
                continue
            else:
                if kind in ("VEVENT", "VTIMEZONE"):
                    _mark_damaged(stack)
                    stack = []
                stack.append(ComponentText(kind, damaged=stray and kind == "VEVENT"))
                stray = False
                if kind == "VEVENT":
                    calendars[-1].events.append(stack[-1])
                zone = [line.text()] if kind == "VTIMEZONE" else [*zone, line.text()] if zone else zone
        elif line.name == "END":
            kind = line.value.strip().upper()
            if kind == "VCALENDAR":
                _mark_damaged(stack)
                stack = []
            elif any(block.kind == kind for block in stack):
                if zone:
                    zone.append(line.text())
                while stack:
                    block = stack.pop()
                    if block.kind == kind:
                        last = block if kind == "VEVENT" else last
                        break
                    block.damaged = True
                    for outer in stack:
                        outer.damaged = True
                if kind == "VTIMEZONE" and calendars:
                    _keep_zone(calendars[-1], zone)
                    zone = []
            elif stack and kind not in _ZONE_PARTS:
                stack[0].damaged = True
            elif last is not None:
                # The lines before this one belong to an entry that was split.
                last.damaged, stray = True, False
        elif stack:
            stack[-1].lines.append(line)
            if zone:
                zone.append(line.whole)
        elif calendars:
            calendars[-1].lines.append(line)
            if not calendars[-1].events:
                calendars[-1].opening.append(line)
            stray = stray or line.name in _OF_AN_EVENT or not line.name
            if last is not None and stray:
                # A line of an event outside any event: the event before lost its end, or the next one its beginning,
                # perhaps with the mark that made it private.
                last.damaged = True
    _mark_damaged(stack)
    return calendars


def _mark_damaged(stack: list[ComponentText]) -> None:
    for block in stack:
        block.damaged = True


def _keep_zone(calendar: CalendarText, lines: list[str]) -> None:
    name = next((line.partition(":")[2].strip() for line in lines if line.upper().startswith("TZID")), "")
    if name:
        calendar.zones.setdefault(name.strip('"'), "\r\n".join(lines))


def _lines(body: bytes) -> Iterator[Line]:
    """Yield the unfolded lines. Lines are joined before they are decoded, because a fold may split a character."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        body = body.decode("utf-16", "replace").encode("utf-8", "replace")
    whole = _FOLD.sub(b"", body.removeprefix(codecs.BOM_UTF8).replace(b"\0", b""))
    try:
        text = whole.decode("utf-8")
    except UnicodeDecodeError:
        text = _decode_by_line(whole)
    for line in _BREAK.split(text):
        if line.strip():
            yield read_line(line)


def _decode_by_line(whole: bytes) -> str:
    """Decode each line as UTF-8, else as Windows-1252, so that one bad line damages no other."""
    decoded = []
    for line in re.split(rb"\r*\n|\r", whole):
        try:
            # A lone surrogate stays: only the entry that holds it is refused.
            decoded.append(line.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            decoded.append(line.decode("cp1252", "replace"))
    return "\n".join(decoded)


def read_line(line: str) -> Line:
    """Return the parts of one line. The value of a date follows the last colon, because zone names contain colons."""
    found = _NAME.match(line.lstrip())
    name = found[0].upper() if found else ""
    rest = line.lstrip()[len(name) :]
    if not name or rest[:1] not in (":", ";"):
        return Line("", "", line, line)
    if name in DATED:
        parameters, colon, value = rest.rpartition(":")
        return Line(name, parameters, value, line) if colon else Line("", "", line, line)
    at = next((match.start() for match in _QUOTED_OR_COLON.finditer(rest) if match[0] == ":"), -1)
    return Line(name, rest[:at], rest[at + 1 :], line) if at >= 0 else Line("", "", line, line)
