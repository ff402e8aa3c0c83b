"""The entries of one UID: which of them may be read, and their dates in a window.

A private or broken change of one date removes that date; the others stay.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import icalendar
import recurring_ical_events
from recurring_ical_events.errors import InvalidCalendar

from newsletter.content.parsing.calendars.lines import ComponentText
from newsletter.content.parsing.calendars.occurrence_ids import format_local_stamp, format_stamp
from newsletter.content.parsing.calendars.privacy import is_private
from newsletter.content.parsing.calendars.recurrence_rules import check_repetition
from newsletter.content.parsing.calendars.zones import Zones
from newsletter.content.parsing.entry_rules import BROKEN_CHARACTERS, BadEntry

READ_ERRORS: Final = (ValueError, TypeError, KeyError, AttributeError, IndexError, OSError, ArithmeticError)
_NEEDED = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_SINGLE_PROPERTIES = ("UID", "DTSTAMP", "DTSTART", "RECURRENCE-ID", "SUMMARY")
_READ = frozenset(
    (*_NEEDED, "UID", "SUMMARY", "DESCRIPTION", "LOCATION", "URL", "GEO", "STATUS", "SEQUENCE", "CONFERENCE")
)
_KEPT = _READ | {"X-MICROSOFT-CDO-ALLDAYEVENT", "X-APPLE-STRUCTURED-LOCATION"}
_MAX_CHARS = 256 * 1024
_MAX_MASTERS = 10
_MAX_CHANGES = 1_000
_BROKEN = re.compile("[\ud800-\udfff]")
_DATE = re.compile(r"(\d{8})")
_UNTIL = re.compile(r"UNTIL=(\d{8})", re.IGNORECASE)


@dataclass
class Series:
    """The VEVENTs of one UID. ``private`` and ``broken`` have the stamps (see ``occurrence_ids``) of dates left out."""

    uid: str
    blocks: list[ComponentText]
    withheld: bool = False
    private: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def repeats(self) -> bool:
        return any(block.first(name) for block in self.blocks for name in ("RRULE", "RDATE", "RECURRENCE-ID"))

    @property
    def start(self) -> str:
        """Return the first date of the entries as eight digits, or ""."""
        starts = [match[1] for block in self.blocks if (match := _DATE.search(block.value("DTSTART")))]
        return min(starts, default="")

    def is_over(self, before: date) -> bool:
        """Return True if the text alone shows that every date ended before this day. If in doubt, return False."""
        changed = any(block.first("RDATE") or block.first("RECURRENCE-ID") for block in self.blocks)
        ends = [_last_day(block) for block in self.blocks]
        known_ends = [end for end in ends if end is not None]
        return not changed and len(known_ends) == len(ends) and all(end < before for end in known_ends)


def group_series(blocks: list[ComponentText]) -> list[Series]:
    """Group the entries by UID, in order. Each entry without a UID is a group."""
    groups: dict[str, Series] = {}
    for number, block in enumerate(blocks):
        uid = block.value("UID").encode("utf-8", "replace").decode()
        groups.setdefault(uid or f"\0{number}", Series(uid=uid, blocks=[])).blocks.append(block)
    return list(groups.values())


def withhold_private(series: Series, *, zones: Zones) -> None:
    """Remove private changes from a series. Withhold the whole series if the series itself is private."""
    hidden = [block for block in series.blocks if is_private(block)]
    for block in hidden:
        stamp = _stamp_of_change(block, zones)
        if not stamp:
            series.withheld = True
            return
        series.private.append(stamp)
    series.blocks = [block for block in series.blocks if block not in hidden]
    series.withheld = not series.blocks


def is_damaged(block: ComponentText) -> bool:
    """Return True if lines of an entry are missing, or lines of another one are among them."""
    return block.damaged or any(sum(line.name == name for line in block.lines) > 1 for name in _SINGLE_PROPERTIES)


def check_text(series: Series) -> None:
    """Raise BadEntry for entries that are damaged, too long, or too many under one UID."""
    for block in series.blocks:
        if is_damaged(block):
            raise BadEntry("This entry is damaged and cannot be read: its lines may belong to another one.")
        if any(_BROKEN.search(line.whole) for line in block.lines):
            raise BadEntry(BROKEN_CHARACTERS)
        if sum(len(line.whole) for line in block.lines if line.name in _KEPT) > _MAX_CHARS:
            raise BadEntry("This entry is longer than %(limit)s kB.", limit=_MAX_CHARS // 1024)
    changes = sum(block.first("RECURRENCE-ID") is not None for block in series.blocks)
    rules = sum(line.name == "RRULE" for block in series.blocks for line in block.lines)
    if rules > _MAX_MASTERS or changes > _MAX_CHANGES:
        raise BadEntry(
            "This event has more than %(rules)s rules or %(changes)s changed dates.",
            rules=_MAX_MASTERS,
            changes=_MAX_CHANGES,
        )


def read_dates(
    series: Series, *, zones: Zones, start: datetime, end: datetime, limit: int
) -> Iterator[icalendar.Component]:
    """Yield the occurrences in [start, end), at most ``limit``. Raises BadEntry if the series cannot be used."""
    events = [event for block in series.blocks if (event := _parse(series, block, zones)) is not None]
    if not events:
        return
    if not series.repeats:
        yield events[-1]
        return
    holder = icalendar.Calendar()
    for event in events:
        holder.add_component(event)
    hidden = {*series.private, *series.broken}
    try:
        occurrences = recurring_ical_events.of(holder).between(start, end)
    except (InvalidCalendar, *READ_ERRORS) as error:
        raise BadEntry("The repetition of this event cannot be understood.") from error
    visible = (occurrence for occurrence in occurrences if not _is_hidden(occurrence, hidden))
    for _, occurrence in zip(range(limit), visible, strict=False):
        yield occurrence


def _parse(series: Series, block: ComponentText, zones: Zones) -> icalendar.Component | None:
    """Return one entry as the library reads it, or None for a broken change, whose date is then left out."""
    try:
        return _parse_entry(block, zones)
    except BadEntry:
        stamp = _stamp_of_change(block, zones)
        if not stamp:
            raise
        series.broken.append(stamp)
        return None


def _parse_entry(block: ComponentText, zones: Zones) -> icalendar.Component:
    text = _text_of(block, zones, names=_KEPT)
    try:
        event = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]
    except READ_ERRORS as error:
        raise BadEntry("This entry cannot be read.") from error
    broken = next((str(name) for name, _ in event.errors if name in _NEEDED), "")
    if broken:
        raise BadEntry("This event has a part that cannot be read (%(broken)s).", broken=broken)
    if event.get("DTSTART") is None:
        raise BadEntry("This event has no start.")
    check_repetition(event)
    return event


def _text_of(block: ComponentText, zones: Zones, *, names: frozenset[str]) -> str:
    seen: set[str] = set()
    lines = []
    for line in block.lines:
        alone = line.name not in ("RRULE", "RDATE", "EXDATE", "CONFERENCE")
        if line.name in names and not (alone and line.name in seen):
            seen.add(line.name)
            lines.append(zones.rewrite(line).text())
    return "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR", ""])


def _stamp_of_change(block: ComponentText, zones: Zones) -> str:
    """Return the moment that a changed date was planned for, or "". It ends with "+" if all later dates change too."""
    line = block.first("RECURRENCE-ID")
    if line is None:
        return ""
    try:
        text = _text_of(block, zones, names=frozenset({"RECURRENCE-ID"}))
        planned = icalendar.Calendar.from_ical(text).walk("VEVENT")[0].get("RECURRENCE-ID")
        stamp = format_stamp(planned.dt)
    except READ_ERRORS:
        return ""
    return stamp + ("+" if "THISANDFUTURE" in line.parameters.upper() else "")


def _is_hidden(occurrence: icalendar.Component, hidden: set[str]) -> bool:
    if not hidden:
        return False
    planned = occurrence.get("RECURRENCE-ID") or occurrence.get("DTSTART")
    names = {format_stamp(planned.dt), format_local_stamp(planned.dt), f"{planned.dt:%Y-%m-%d}"}
    if names & hidden:
        return True
    day = format_local_stamp(planned.dt).replace("-", "")[:8]
    return any(stamp.endswith("+") and stamp.replace("-", "")[:8] <= day for stamp in hidden)


def _last_day(block: ComponentText) -> date | None:
    """Return the last day on which an entry can have a date, from its text alone; None if that cannot be said."""
    try:
        rule = block.value("RRULE")
        start = _day(block.value("DTSTART"))
        length = timedelta(days=370) if block.first("DURATION") else timedelta(days=2)
        end = max(start + length, _day(block.value("DTEND")) if block.first("DTEND") else start)
        if not rule:
            return end
        until = _UNTIL.search(rule)
        return _day(until[1]) + (end - start) if until else None
    except (ValueError, OverflowError):
        return None


def _day(text: str) -> date:
    match = _DATE.match(text.strip())
    if match is None:
        raise ValueError("no date")
    return date(int(match[1][:4]), int(match[1][4:6]), int(match[1][6:8]))
