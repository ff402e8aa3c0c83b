"""Turn the cells of one record into a person, or into a refusal with its reason.

It uses no database; places and topics stay texts. A postcode names a town and is then dropped.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.common.errors import BadAddress
from newsletter.common.messages import Message, Quantity
from newsletter.common.text import unescape_csv_cell
from subscribers.addresses.normalise import normalise
from subscribers.attribute_rules import clean_attributes
from subscribers.importing.reading.cell_values import (
    read_day_or_note,
    read_frequency,
    read_giving,
    read_language,
    read_line,
    read_radius,
    read_timezone,
    read_topics,
    unpack_attributes,
)
from subscribers.importing.reading.column_mapping import ATTRIBUTE, EACH_LIST, guess_target
from subscribers.importing.reading.csv_records import Record
from subscribers.importing.reading.each_list import LIST_TERMS, read_each_list
from subscribers.importing.reading.layouts import ELSEWHERE, JOIN
from subscribers.importing.reading.parsed_rows import (
    MAX_CELL_CHARACTERS,
    PersonRow,
    RefusalKind,
    RefusedRow,
    format_csv_line,
)
from subscribers.importing.reading.statuses import apply_unsubscribe_reason, explain_status, read_status
from subscribers.importing.reading.towns_by_postcode import find_town_by_postcode

SOFT_OPT_IN_SINCE = date(2026, 2, 5)
MAX_IMPLIED_CONSENT = timedelta(days=731)
_UNREADABLE = Message("This line cannot be read: a quotation mark is missing, or one too many.")
_PACKED_FIELD_LENGTHS = {"country": 100, "region": 100, "city": 120, "language": 40}
"""What may stand among packed attributes, and its longest."""


@dataclass(frozen=True, kw_only=True)
class ImportRules:
    """How one import treats the people of its file. `soft_opt_in` requires a day for each person.

    `implied_from` is the day on which people with implied consent are imported: everybody with a last day is one of
    them, and with `all_implied` everybody is and needs one. It is None if people are asked by mail, so that no last day
    counts. `slug` is the list for a file that covers several lists.
    """

    kind: str = JOIN
    soft_opt_in: bool = False
    collected_on: date | None = None
    implied_from: date | None = None
    all_implied: bool = False
    expires_on: date | None = None
    slug: str = ""


DEFAULT_RULES = ImportRules()


class RowReader:
    """Reads the records of one file with these columns. `reason_at` is the column of reasons in a file of refused lines."""

    def __init__(
        self, mapping: Sequence[str], *, rules: ImportRules, delimiter: str = ",", reason_at: int | None = None
    ) -> None:
        self._rules = rules
        self._delimiter = delimiter
        self._width = len(mapping)
        self._slug = rules.slug if EACH_LIST in mapping else ""
        columns = list(mapping)
        if self._slug:
            columns = ["" if target in LIST_TERMS else target for target in columns] + list(LIST_TERMS)
        self._column_of = {target: at for at, target in enumerate(columns) if target}
        self._columns_of = {
            name: [at for at, target in enumerate(columns) if target == name]
            for name in ("topics", "asked_on", "left_on", "expires_on")
        }
        self._own = [
            (target.removeprefix(ATTRIBUTE), at) for at, target in enumerate(columns) if target.startswith(ATTRIBUTE)
        ]
        self._reason_at = reason_at

    def read(self, record: Record) -> PersonRow | RefusedRow | None:
        """Return the person of a record, or a refusal, or None if all cells are empty."""
        cells = record.cells
        if cells is None:
            return self._refuse_unread(record)
        if not any(cells) or not any(cell.strip() for cell in cells):
            return None
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            return _refuse(
                record,
                Message(
                    "This line has %(cells)s values but the file has %(width)s columns. Quote values with commas.",
                    cells=len(cells),
                    width=self._width,
                ),
                RefusalKind.TOO_MANY_VALUES,
            )
        if self._is_from_refused_file(cells) and any(map(_has_open_quote, cells)):
            return _refuse(record, _UNREADABLE, RefusalKind.UNREADABLE)
        if len(record.text) > MAX_CELL_CHARACTERS and any(len(cell) > MAX_CELL_CHARACTERS for cell in cells):
            return _refuse(
                record,
                Message("A value is longer than %(most_field)s characters.", most_field=Quantity(MAX_CELL_CHARACTERS)),
                RefusalKind.LONG_VALUE,
            )
        address = self._cell(cells, "email")
        try:
            email = normalise(unescape_csv_cell(address))
        except BadAddress as error:
            return _refuse(record, str(error), RefusalKind.BAD_ADDRESS if address.strip() else RefusalKind.NO_ADDRESS)
        return self._classify(record, cells, email)

    def _is_from_refused_file(self, cells: list[str]) -> bool:
        """Return True if the line comes from a file of refused lines, where an open quotation mark had to be closed."""
        return self._reason_at is not None and cells[self._reason_at : self._reason_at + 1] == [_UNREADABLE]

    def _refuse_unread(self, record: Record) -> RefusedRow:
        """Refuse a record that could not be read, showing the quotation mark that was opened and not closed."""
        *parts, opened = next(csv.reader([record.text], delimiter=self._delimiter), [""])
        raw = format_csv_line([*parts, f'"{opened}'.rstrip("\r\n")])
        return RefusedRow(record.line, raw, _UNREADABLE, RefusalKind.UNREADABLE)

    def _classify(self, record: Record, cells: list[str], email: str) -> PersonRow | RefusedRow:
        """Decide whether the person is imported, suppressed or refused."""
        kind = self._rules.kind
        status = self._cell(cells, "status")
        if status.strip():
            found, refused = read_status(status)
            if refused is not None:
                return _refuse(record, explain_status(status, refused), refused)
            if found != JOIN:
                kind = found
        if kind != JOIN:
            kind = apply_unsubscribe_reason(kind, self._cell(cells, "left_because"))
            return PersonRow(line=record.line, email=email, kind=kind, on=self._day(cells, "left_on", []))
        if self._slug:
            terms = read_each_list(unescape_csv_cell(self._cell(cells, EACH_LIST)), slug=self._slug)
            if terms is None:
                return PersonRow(line=record.line, email=email, kind=ELSEWHERE)
            missing = [""] * (self._width - len(cells))
            cells = [*cells[: self._width], *missing, *terms.values()]
        notes: list[str] = []
        asked = self._day(cells, "asked_on", notes)
        last = None
        if self._rules.implied_from is not None and (
            self._rules.all_implied or any(map(str.strip, self._texts(cells, "expires_on")))
        ):
            said = self._day(cells, "expires_on", notes)
            last = said.date() if said else self._rules.expires_on
            refusal = check_expiry(record, last, today=self._rules.implied_from)
        else:
            refusal = self._check_soft_opt_in(record, asked) if self._rules.soft_opt_in else None
        if refusal is not None:
            return refusal
        person = self._person(record.line, cells, email, asked, notes)
        person.expires_on = last
        return person

    def _person(self, line: int, cells: list[str], email: str, asked: datetime | None, notes: list[str]) -> PersonRow:
        packed = self._unpack(cells, notes)
        said = self._extract_known_fields(packed)
        return PersonRow(
            line=line,
            email=email,
            name=self._name(cells),
            country=self._line(cells, "country", 100) or said.get("country", ""),
            region=self._line(cells, "region", 100) or said.get("region", ""),
            city=self._line(cells, "city", 120) or said.get("city", "") or self._find_town(cells, said),
            language=read_language(self._cell(cells, "language") or said.get("language", ""), notes),
            topics=tuple(word for text in self._texts(cells, "topics") for word in read_topics(text)),
            giving=read_giving(self._cell(cells, "giving"), notes),
            timezone=read_timezone(self._cell(cells, "timezone"), notes),
            source=self._line(cells, "source", 120),
            radius_km=read_radius(self._cell(cells, "radius_km"), notes),
            frequency=read_frequency(self._cell(cells, "mail_frequency"), notes),
            paused_until=read_day_or_note(self._cell(cells, "paused_until"), notes),
            on=asked,
            attributes=self._attributes(cells, packed, notes),
            notes=tuple(notes),
        )

    def _find_town(self, cells: list[str], said: dict[str, str]) -> str:
        """Return the town of a postcode if the file names no town."""
        text = self._cell(cells, "postcode")
        if not text:
            return ""
        return find_town_by_postcode(text, country=self._line(cells, "country", 100) or said.get("country", ""))

    def _check_soft_opt_in(self, record: Record, asked: datetime | None) -> RefusedRow | None:
        day = asked.date() if asked else self._rules.collected_on
        if day is None:
            return _refuse(
                record,
                Message(
                    "The charitable soft opt-in needs the day on which this person gave their address, and there is "
                    "none."
                ),
                RefusalKind.NO_DAY,
            )
        if day < SOFT_OPT_IN_SINCE:
            return _refuse(
                record,
                Message(
                    "This person gave their address on %(day)s. The charitable soft opt-in covers only addresses "
                    "given on or after 2026-02-05. Ask for consent instead.",
                    day=day.isoformat(),
                ),
                RefusalKind.TOO_EARLY,
            )
        return None

    def _cell(self, cells: list[str], target: str) -> str:
        at = self._column_of.get(target)
        return cells[at] if at is not None and at < len(cells) else ""

    def _texts(self, cells: list[str], target: str) -> list[str]:
        """Return the texts of all columns with one field."""
        return [cells[at] for at in self._columns_of[target] if at < len(cells) and cells[at]]

    def _line(self, cells: list[str], target: str, most: int) -> str:
        text = self._cell(cells, target)
        return read_line(text, most) if text else ""

    def _name(self, cells: list[str]) -> str:
        name = self._line(cells, "name", 200)
        if name:
            return name
        parts = [self._line(cells, "first_name", 100), self._line(cells, "last_name", 100)]
        return " ".join(part for part in parts if part)[:200].strip()

    def _day(self, cells: list[str], target: str, notes: list[str]) -> datetime | None:
        """Return the first day that is given in the columns of one field."""
        days = (read_day_or_note(text, notes) for text in self._texts(cells, target))
        return next((day for day in days if day is not None), None)

    def _unpack(self, cells: list[str], notes: list[str]) -> dict[str, str]:
        packed = self._cell(cells, "attributes").strip()
        return unpack_attributes(packed, notes) if packed else {}

    def _extract_known_fields(self, packed: dict[str, str]) -> dict[str, str]:
        """Move location and topics from packed attributes to their fields, unless the file has columns for them."""
        found = {key: guess_target(key) for key in packed}
        taken = {
            key: field
            for key, field in found.items()
            if field in _PACKED_FIELD_LENGTHS and field not in self._column_of
        }
        return {field: read_line(packed.pop(key), _PACKED_FIELD_LENGTHS[field]) for key, field in taken.items()}

    def _attributes(self, cells: list[str], packed: dict[str, str], notes: list[str]) -> dict[str, str]:
        given = {key: unescape_csv_cell(cells[at]) for key, at in self._own if at < len(cells) and cells[at].strip()}
        if not given and not packed:
            return {}
        clean, said = clean_attributes({**packed, **given})
        notes += said
        return clean


def check_expiry(record: Record, last: date | None, *, today: date) -> RefusedRow | None:
    """Return a refusal if implied consent that ends on this day is not acceptable."""
    if last is None:
        return _refuse(
            record,
            Message("Implied consent needs the day on which it runs out, and there is none for this person."),
            RefusalKind.NO_EXPIRY,
        )
    if last < today:
        reason = Message(
            "The implied consent of this person ran out on %(last)s. Ask for consent instead.", last=last.isoformat()
        )
        return _refuse(record, reason, RefusalKind.IMPLIED_CONSENT_EXPIRED)
    if last > today + MAX_IMPLIED_CONSENT:
        reason = Message(
            "Implied consent lasts two years at most; %(last)s is later. Correct the day.", last=last.isoformat()
        )
        return _refuse(record, reason, RefusalKind.TOO_LONG)
    return None


def _has_open_quote(cell: str) -> bool:
    """Return True if a value begins with a quotation mark that is never closed."""
    return '"' in cell and unescape_csv_cell(cell).startswith('"') and cell.count('"') % 2 == 1


def _refuse(record: Record, reason: str, kind: RefusalKind) -> RefusedRow:
    return RefusedRow(record.line, format_csv_line(record.cells or []), reason, kind)
