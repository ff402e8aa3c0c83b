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

    ``opening``: the lines before the first event. They apply to the whole calendar.
    """

    lines: list[Line] = field(default_factory=list)
    opening: list[Line] = field(default_factory=list)
    events: list[ComponentText] = field(default_factory=list)
    zones: dict[str, str] = field(default_factory=dict)

    def value(self, *names: str) -> str:
        """Return the value of the first of these properties that the calendar has, or ""."""
        values = {line.name: line.value for line in reversed(self.lines)}
        return next((values[name].strip() for name in names if values.get(name, "").strip()), "")


def split_calendars(body: bytes) -> list[CalendarText]:
    """Return the calendars of a document in order, or an empty list if none begins."""
    splitter = _Splitter()
    for line in _lines(body):
        splitter.add(line)
    return splitter.finish()


class _Splitter:
    """Sorts the lines of a document into calendars and components, one line after another."""

    def __init__(self) -> None:
        self._calendars: list[CalendarText] = []
        self._open: list[ComponentText] = []
        """The components that have begun and not ended, the outermost first."""
        self._zone: list[str] = []
        """The lines of the VTIMEZONE that has begun."""
        self._last_event: ComponentText | None = None
        self._has_stray_line = False
        """A line of an event was outside any event, since the last component began."""

    def add(self, line: Line) -> None:
        match line.name, line.value.strip().upper():
            case "BEGIN", "VCALENDAR":
                self._begin_calendar()
            case "BEGIN", kind:
                self._begin_component(kind, line)
            case "END", "VCALENDAR":
                self._close_all()
            case "END", kind:
                self._end_component(kind, line)
            case _:
                self._add_property(line)

    def finish(self) -> list[CalendarText]:
        """Return the calendars. Every component that has not ended is damaged."""
        self._close_all()
        return self._calendars

    def _begin_calendar(self) -> None:
        self._close_all()
        self._calendars.append(CalendarText())
        self._last_event, self._has_stray_line = None, False

    def _close_all(self) -> None:
        """Forget the open components. Each is damaged, because it has not ended."""
        _mark_damaged(self._open)
        self._open = []

    def _begin_component(self, kind: str, line: Line) -> None:
        if not self._calendars:
            return
        if kind in ("VEVENT", "VTIMEZONE"):
            self._close_all()
        component = ComponentText(kind, damaged=self._has_stray_line and kind == "VEVENT")
        self._open.append(component)
        self._has_stray_line = False
        if kind == "VEVENT":
            self._calendars[-1].events.append(component)
        if kind == "VTIMEZONE":
            self._zone = [line.text()]
        elif self._zone:
            self._zone.append(line.text())

    def _end_component(self, kind: str, line: Line) -> None:
        if any(component.kind == kind for component in self._open):
            self._close(kind, line)
        elif self._open and kind not in _ZONE_PARTS:
            self._open[0].damaged = True
        elif self._last_event is not None:
            # The lines before this one belong to an entry that was split.
            self._last_event.damaged, self._has_stray_line = True, False

    def _close(self, kind: str, line: Line) -> None:
        """Close the innermost component of this kind. A component in it that has not ended damages all around it."""
        if self._zone:
            self._zone.append(line.text())
        component = self._open.pop()
        while component.kind != kind:
            _mark_damaged([component, *self._open])
            component = self._open.pop()
        if kind == "VEVENT":
            self._last_event = component
        if kind == "VTIMEZONE":
            _keep_zone(self._calendars[-1], self._zone)
            self._zone = []

    def _add_property(self, line: Line) -> None:
        if self._open:
            self._open[-1].lines.append(line)
            if self._zone:
                self._zone.append(line.whole)
            return
        if not self._calendars:
            return
        calendar = self._calendars[-1]
        calendar.lines.append(line)
        if not calendar.events:
            calendar.opening.append(line)
        self._has_stray_line = self._has_stray_line or line.name in _OF_AN_EVENT or not line.name
        if self._last_event is not None and self._has_stray_line:
            # The event before lost its end, or the next one its beginning, perhaps with the mark that made it private.
            self._last_event.damaged = True


def _mark_damaged(components: list[ComponentText]) -> None:
    for component in components:
        component.damaged = True


def _keep_zone(calendar: CalendarText, lines: list[str]) -> None:
    name = next((line.partition(":")[2].strip() for line in lines if line.upper().startswith("TZID")), "")
    if name:
        calendar.zones.setdefault(name.strip('"'), "\r\n".join(lines))


def _lines(body: bytes) -> Iterator[Line]:
    """Yield the unfolded lines. Lines are joined before they are decoded, because a fold may split a character."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        body = body.decode("utf-16", "replace").encode("utf-8", "replace")
    unfolded = _FOLD.sub(b"", body.removeprefix(codecs.BOM_UTF8).replace(b"\0", b""))
    try:
        text = unfolded.decode("utf-8")
    except UnicodeDecodeError:
        text = _decode_by_line(unfolded)
    for line in _BREAK.split(text):
        if line.strip():
            yield read_line(line)


def _decode_by_line(unfolded: bytes) -> str:
    """Decode each line as UTF-8, else as Windows-1252, so that one bad line damages no other."""
    decoded = []
    for line in re.split(rb"\r*\n|\r", unfolded):
        try:
            # A lone surrogate stays: only the entry that contains it is refused.
            decoded.append(line.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            decoded.append(line.decode("cp1252", "replace"))
    return "\n".join(decoded)


def read_line(line: str) -> Line:
    """Return the parts of one line. The value of a date follows the last colon, because zone names contain colons."""
    match_of_name = _NAME.match(line.lstrip())
    name = match_of_name[0].upper() if match_of_name else ""
    after_name = line.lstrip()[len(name) :]
    if not name or after_name[:1] not in (":", ";"):
        return Line("", "", line, line)
    if name in DATED:
        parameters, colon, value = after_name.rpartition(":")
        return Line(name, parameters, value, line) if colon else Line("", "", line, line)
    at = next((match.start() for match in _QUOTED_OR_COLON.finditer(after_name) if match[0] == ":"), -1)
    return Line(name, after_name[:at], after_name[at + 1 :], line) if at >= 0 else Line("", "", line, line)
