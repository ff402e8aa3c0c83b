"""Turn iCalendar documents into events, one for each occurrence in a window. It guesses no zone and no location.

Each entry is read alone and within a time budget, so that a bad one is set aside alone. Private entries are never read.

The file is split as text, and only the entries of one UID are objects of the calendar library at a time. Measured in the
sandbox (512 MiB and 10 seconds of processor time over its start): 12,000 events in 8 MB take 70 MiB, and 1 to 3 seconds if
300 of them repeat. 12,000 series without end take 70 MiB and 5 seconds, because reading stops after 4 (``_ALL_SECONDS``).
45,000 short events in 11 MB take 170 MiB and 4 seconds.
"""

import time
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from icalendar.error import GloballyUniqueTZIDGuessed

from newsletter.common.messages import Message
from newsletter.content.parsing.calendars.events import read_event
from newsletter.content.parsing.calendars.lines import CalendarText, split_calendars
from newsletter.content.parsing.calendars.occurrence_ids import get_series_id
from newsletter.content.parsing.calendars.privacy import is_private_calendar
from newsletter.content.parsing.calendars.recurrence_rules import MAX_UID_LENGTH
from newsletter.content.parsing.calendars.series import (
    Series,
    check_text,
    group_series,
    is_damaged,
    read_dates,
    withhold_private,
)
from newsletter.content.parsing.calendars.zones import Zones
from newsletter.content.parsing.cpu_budget import CpuBudgetExceeded, cpu_budget
from newsletter.content.parsing.entries import EventEntry, Parsed, SetAside
from newsletter.content.parsing.entry_rules import BadEntry, label_entry
from newsletter.content.parsing.list_truncation import find_truncated_from
from newsletter.content.parsing.markup import title_text
from newsletter.content.parsing.text import cut_at_word, tidy

MAX_OCCURRENCES = 500
_MAX_WINDOW = timedelta(days=400)
_MAX_SERIES = 5_000
_ENTRY_SECONDS = 0.5
_ALL_SECONDS = 4.0
_TOO_MUCH_WORK = Message("This event takes too long to read. Ask the people who keep the calendar to simplify it.")

_TOO_MUCH_IN_ALL = Message("This calendar takes too long to read. Only the events up to here are used.")


def parse_calendar(body: bytes, *, url: str, window_start: datetime, window_end: datetime) -> Parsed:
    """Return the events that touch [window_start, window_end), both aware: at most 400 days and 500 occurrences.

    Single events and dates of repeating ones have separate limits, so that neither hide the others.
    """
    if b"BEGIN:VCALENDAR" not in _ascii(body[:40_000]):
        return Parsed(
            error=Message(
                "This is not a calendar (iCalendar, .ics). Check the address, or choose another kind of source."
            )
        )
    calendars = split_calendars(body)
    if not calendars or b"END:VCALENDAR" not in _ascii(body[-4_000:]):
        return Parsed(
            error=Message("This calendar is damaged and cannot be read. Ask whoever keeps it to export it again.")
        )
    reader = _Reader(url=url, start=window_start, end=min(window_end, window_start + _MAX_WINDOW))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GloballyUniqueTZIDGuessed)
        for calendar in calendars:
            reader.read(calendar)
    return reader.result()


def _replace_bad_characters(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _ascii(body: bytes) -> bytes:
    return body.replace(b"\0", b"").upper()


@dataclass
class _Reader:
    """Collect the events of the calendars of one document."""

    url: str
    start: datetime
    end: datetime
    title: str = ""
    singles: dict[str, EventEntry] = field(default_factory=dict)
    repeated: dict[str, EventEntry] = field(default_factory=dict)
    aside: list[SetAside] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    withheld: int = 0
    series: set[str] = field(default_factory=set)
    starts: list[str] = field(default_factory=list)
    listed: int = 0
    number: int = 0
    dropped: int = 0
    complete_until: datetime | None = None
    begun: float = field(default_factory=time.process_time)

    def read(self, calendar: CalendarText) -> None:
        name = calendar.value("NAME", "X-WR-CALNAME").replace("\\,", ",").replace("\\;", ";").replace("\\n", " ")
        self.title = self.title or cut_at_word(tidy(_replace_bad_characters(name)), 300)
        zones = Zones(calendar)
        default_zone = zones.resolve(calendar.value("X-WR-TIMEZONE", "TIMEZONE-ID"))
        closed = is_private_calendar(calendar.opening)
        public = [
            series for series in group_series(calendar.events) if not self._withhold(series, zones, closed=closed)
        ]
        self.listed += sum(len(series.blocks) for series in public)
        self.starts += [series.start for series in public if not series.repeats and series.start]
        ahead = [series for series in public if not series.is_over((self.start - timedelta(days=2)).date())]
        for series in sorted(ahead, key=lambda series: (series.repeats, series.start)):
            if not series.repeats and len(self.singles) >= 2 * MAX_OCCURRENCES:
                # Events come in order, so this one is later than all that are kept.
                self.dropped += 1
                continue
            self.number += 1
            late = time.process_time() - self.begun > _ALL_SECONDS
            if late or self.number > _MAX_SERIES:
                self._stop(
                    _TOO_MUCH_IN_ALL
                    if late
                    else Message("Only the first %(limit)s events of a calendar are read.", limit=_MAX_SERIES)
                )
                break
            self._read_series(series, zones, default_zone)
        for name in zones.unusable:
            reason = Message(
                "Its rules cannot be used. Its events use the calendar’s time zone, or that of their location."
            )
            self.aside.append(SetAside(Message("Time zone %(name)s", name=_replace_bad_characters(name)[:60]), reason))

    def _withhold(self, series: Series, zones: Zones, *, closed: bool) -> bool:
        """Record the private entries of a series. Return True if nothing of it may be read."""
        uid, blocks = series.uid[:MAX_UID_LENGTH], len(series.blocks)
        if closed:
            series.withheld = True
        else:
            withhold_private(series, zones=zones)
        self.withheld += blocks if series.withheld else len(series.private)
        if series.withheld:
            self.private += [uid] if uid else []
            return True
        self.private += [f"{uid}#{stamp.removesuffix('+')}" for stamp in series.private]
        if uid:
            self.series.add(get_series_id(uid))
        return False

    def _read_series(self, series: Series, zones: Zones, default_zone: str) -> None:
        uid = series.uid[:MAX_UID_LENGTH]
        target = self.repeated if series.repeats else self.singles
        try:
            check_text(series)
            with cpu_budget(_ENTRY_SECONDS):
                occurrences = read_dates(series, zones=zones, start=self.start, end=self._end(), limit=MAX_OCCURRENCES)
                for occurrence in occurrences:
                    entry = read_event(occurrence, repeats=series.repeats, default_zone=default_zone, url=self.url)
                    if entry.starts_at < self.end and (entry.ends_at or entry.starts_at) >= self.start:
                        target.setdefault(entry.external_id, entry)
        except BadEntry as error:
            self.aside.append(SetAside(self._name(series), error.message, external_id=uid))
        except CpuBudgetExceeded:
            self.aside.append(SetAside(self._name(series), _TOO_MUCH_WORK, external_id=uid))
        for stamp in series.broken:
            reason = Message("One date of this event is changed in a way that cannot be read. That date is left out.")
            self.aside.append(SetAside(self._name(series), reason, external_id=f"{uid}#{stamp.removesuffix('+')}"))
        if len(self.repeated) >= 2 * MAX_OCCURRENCES:
            self.repeated = {entry.external_id: entry for entry in self._cut(self.repeated)}

    def _name(self, series: Series) -> str:
        """Return a label for staff. The text of a damaged entry is not used: its lost lines may have made it private."""
        damaged = any(is_damaged(block) for block in series.blocks)
        if damaged:
            return Message("Entry %(number)s", number=self.number)
        title = title_text(_replace_bad_characters(series.blocks[0].value("SUMMARY").replace("\\", "")))
        return label_entry(title=title, link=series.uid, number=self.number)

    def _end(self) -> datetime:
        """Return the end of the window for repeating events: where the last one that is kept begins."""
        full = len(self.repeated) >= MAX_OCCURRENCES and self.complete_until is not None
        return min(self.end, self.complete_until) if full and self.complete_until else self.end

    def _stop(self, reason: str) -> None:
        self.aside.append(SetAside(Message("More events"), reason))
        self.complete_until = self.start

    def _cut(self, entries: dict[str, EventEntry]) -> list[EventEntry]:
        ordered = sorted(entries.values(), key=lambda entry: (entry.starts_at, entry.external_id))
        if len(ordered) > MAX_OCCURRENCES:
            self.dropped += len(ordered) - MAX_OCCURRENCES
            first = ordered[MAX_OCCURRENCES].starts_at
            self.complete_until = min(self.complete_until, first) if self.complete_until else first
        return ordered[:MAX_OCCURRENCES]

    def result(self) -> Parsed:
        events = [*self._cut(self.singles), *self._cut(self.repeated)]
        if self.dropped:
            reason = Message("Only the next %(limit)s dates of a calendar are used.", limit=MAX_OCCURRENCES)
            self.aside.append(SetAside(Message("%(dropped)s later dates", dropped=self.dropped), reason))
        if self.withheld:
            reason = Message("Entries that are marked as private, or only say that somebody is busy, are never used.")
            private = Message("1 private entry")
            if self.withheld > 1:
                private = Message("%(withheld)s private entries", withheld=self.withheld)
            self.aside.append(SetAside(private, reason))
        days = [datetime(int(day[:4]), int(day[4:6]), int(day[6:8]), tzinfo=UTC) for day in self.starts if _is_day(day)]
        return Parsed(
            events=tuple(sorted(events, key=lambda entry: (entry.starts_at, entry.external_id))),
            set_aside=tuple(self.aside),
            title=self.title,
            complete_until=self.complete_until,
            private=tuple(self.private),
            listed=self.listed,
            listed_until=find_truncated_from(
                days,
                entries=[entry.starts_at for entry in self.singles.values()],
                count=self.listed,
                start=self.start,
                end=self.end,
            ),
            series=tuple(sorted(self.series)),
        )


def _is_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007
    except ValueError:
        return False
    return int(text[:4]) > 1
