"""Turn the cells of one record into a person, or into a refusal with its reason.

It uses no database; places and topics stay texts. A postcode is used to find the town, then dropped.
"""

import csv
from collections.abc import Collection, Sequence
from datetime import datetime

from newsletter.common.errors import BadAddress
from newsletter.common.messages import Message, Quantity
from newsletter.common.text import clean_line, unescape_csv_cell
from subscribers.addresses.normalise import normalise
from subscribers.attribute_rules import clean_attributes
from subscribers.importing.reading.cell_values import (
    LINES,
    READERS,
    find_town_by_postcode,
    join_name,
    read_day_or_note,
    read_language,
    read_line,
    read_topics,
    unpack_attributes,
)
from subscribers.importing.reading.column_mapping import ATTRIBUTE, EACH_LIST, guess_target, hide_choice
from subscribers.importing.reading.csv_records import Record
from subscribers.importing.reading.parsed_rows import (
    MAX_CELL_CHARACTERS,
    ImportTerms,
    PersonRow,
    RefusalKind,
    RefusedRow,
    RowKind,
    format_csv_line,
)
from subscribers.importing.reading.subscription_state import (
    LIST_TERMS,
    STATUS_FIELD,
    YES_NO_FIELDS,
    apply_unsubscribe_reason,
    check_expiry,
    check_soft_opt_in,
    find_state,
    is_filled,
    read_each_list,
)
from subscribers.importing.reading.unclear_state import find_unclear_state, may_say_unsubscribed

_UNREADABLE = Message(
    "This line cannot be read: a quotation mark is missing, or there is one too many. Correct the line."
)
_PACKED_FIELDS = ("country", "region", "city", "language")
"""Fields that may also be inside the JSON attributes."""


class RowReader:
    """Read the records of one file with these columns.

    `code_at` is the column of codes in a file of refused lines. `without_codes`: it is such a file and has no such column.
    `plain` are the columns that say nothing about mail, whatever their names. `partial_names`: the full name may be one part.
    """

    def __init__(
        self,
        mapping: Sequence[str],
        *,
        terms: ImportTerms,
        delimiter: str = ",",
        code_at: int | None = None,
        without_codes: bool = False,
        plain: Collection[int] = (),
        partial_names: bool = False,
    ) -> None:
        self._partial_names = partial_names
        self._terms = terms
        self._delimiter = delimiter
        self._code_at = code_at
        self._without_codes = without_codes
        self._column_count = len(mapping)
        self._list_slug = terms.list_slug if EACH_LIST in mapping else ""
        columns = list(map(hide_choice, mapping))
        if self._list_slug:
            columns = ["" if target in LIST_TERMS else target for target in columns] + list(LIST_TERMS)
        self._column_of = {target: at for at, target in enumerate(columns) if target}
        self._columns_of = {
            name: [at for at, target in enumerate(columns) if target == name]
            for name in ("topics", "asked_on", "left_on", "bounced_on", "expires_on", *YES_NO_FIELDS)
        }
        self._yes_no_fields = [field for field in YES_NO_FIELDS if self._columns_of[field]]
        self._lines = [(self._column_of[name], name) for name in LINES if name in self._column_of]
        self._readers = [
            (self._column_of[target], field, read)
            for target, (field, read) in READERS.items()
            if target in self._column_of
        ]
        self._attribute_columns = [
            (target.removeprefix(ATTRIBUTE), at) for at, target in enumerate(columns) if target.startswith(ATTRIBUTE)
        ]
        self._possible_states = [
            (key, at) for key, at in self._attribute_columns if at not in plain and may_say_unsubscribed(key)
        ]

    def read(self, record: Record) -> PersonRow | RefusedRow | None:
        """Return the person of a record, or a refusal, or None if all cells are empty."""
        cells = record.cells
        if cells is None:
            return self._refuse_unread(record)
        if not any(cells) or not any(cell.strip() for cell in cells):
            return None
        if len(cells) > self._column_count and any(cell.strip() for cell in cells[self._column_count :]):
            return _refuse(
                record,
                RefusalKind.TOO_MANY_VALUES,
                Message(
                    "This line has %(cells)s values but the file has %(columns)s columns, so it was not imported. Quote "
                    "values that contain commas.",
                    cells=len(cells),
                    columns=self._column_count,
                ),
            )
        if self._may_be_unreadable(cells) and any(map(_has_open_quote, cells)):
            return _refuse(record, RefusalKind.UNREADABLE, _UNREADABLE)
        if len(record.text) > MAX_CELL_CHARACTERS and any(len(cell) > MAX_CELL_CHARACTERS for cell in cells):
            return _refuse(
                record,
                RefusalKind.LONG_VALUE,
                Message(
                    "A value is longer than %(max_length)s characters, so this line was not imported. Shorten it.",
                    max_length=Quantity(MAX_CELL_CHARACTERS),
                ),
            )
        address = self._read_cell(cells, "email")
        try:
            email = normalise(unescape_csv_cell(address))
        except BadAddress as error:
            return _refuse(
                record, RefusalKind.BAD_ADDRESS if address.strip() else RefusalKind.NO_ADDRESS, error.message
            )
        return self._classify(record, cells, email)

    def _may_be_unreadable(self, cells: list[str]) -> bool:
        """Return True if an open quotation mark had to be closed: for such a code, or for each line of a file without codes."""
        if self._code_at is None:
            return self._without_codes
        return cells[self._code_at : self._code_at + 1] == [RefusalKind.UNREADABLE]

    def _refuse_unread(self, record: Record) -> RefusedRow:
        """Refuse an unreadable record. The returned text shows the unclosed quotation mark."""
        *parts, opened = next(csv.reader([record.text], delimiter=self._delimiter), [""])
        raw = format_csv_line([*parts, f'"{opened}'.rstrip("\r\n")])
        return RefusedRow(record.line, raw, _UNREADABLE, RefusalKind.UNREADABLE)

    def _classify(self, record: Record, cells: list[str], email: str) -> PersonRow | RefusedRow:
        """Decide if the person is imported, suppressed or refused."""
        kind, notes = self._terms.kind, list[str]()
        status = self._read_cell(cells, "status") if "status" in self._column_of else ""
        if self._yes_no_fields or status.strip():
            answers = {field: self._read_cells(cells, field) for field in self._yes_no_fields}
            kind, unread = find_state(status, answers, file_kind=kind)
            if unread is not None:
                return _refuse(record, *unread)
        if kind == RowKind.JOIN:
            possible = {name: cells[at] for name, at in self._possible_states if at < len(cells)}
            dates = {target: self._read_cells(cells, target) for target in ("left_on", "bounced_on", "asked_on")}
            stated = [field for field in self._yes_no_fields if any(map(is_filled, self._read_cells(cells, field)))]
            stated += [STATUS_FIELD] if status.strip() else []
            kind, unclear = find_unclear_state(dates, possible, stated=stated, notes=notes)
            if unclear is not None:
                return _refuse(record, *unclear)
        if kind != RowKind.JOIN:
            kind = apply_unsubscribe_reason(kind, self._read_cell(cells, "left_because"))
            bounced_on = self._read_day(cells, "bounced_on", []) if kind == RowKind.BOUNCED else None
            dated_at = bounced_on or self._read_day(cells, "left_on", [])
            return PersonRow(line=record.line, email=email, kind=kind, dated_at=dated_at)
        if self._list_slug:
            list_terms = read_each_list(unescape_csv_cell(self._read_cell(cells, EACH_LIST)), slug=self._list_slug)
            if list_terms is None:
                return PersonRow(line=record.line, email=email, kind=RowKind.ELSEWHERE)
            missing = [""] * (self._column_count - len(cells))
            cells = [*cells[: self._column_count], *missing, *list_terms.values()]
        asked_on = self._read_day(cells, "asked_on", notes)
        terms, expires_on = self._terms, None
        has_expiry = any(map(str.strip, self._read_cells(cells, "expires_on")))
        if terms.implied_from is not None and (terms.all_implied or has_expiry):
            expiry = self._read_day(cells, "expires_on", notes)
            expires_on = expiry.date() if expiry else terms.expires_on
            refusal = check_expiry(expires_on, today=terms.implied_from)
        else:
            refusal = check_soft_opt_in(asked_on, terms=terms) if terms.soft_opt_in else None
        if refusal is not None:
            return _refuse(record, *refusal)
        person = self._read_person(record.line, cells, email, asked_on, notes)
        person.expires_on = expires_on
        return person

    def _read_person(
        self, line: int, cells: list[str], email: str, asked_on: datetime | None, notes: list[str]
    ) -> PersonRow:
        packed = self._unpack_attributes(cells, notes) if "attributes" in self._column_of else {}
        person = PersonRow(line=line, email=email, name=self._read_name(cells, notes), dated_at=asked_on)
        for at, field in self._lines:
            if at < len(cells) and cells[at]:
                setattr(person, field, read_line(cells[at], field, notes))
        language = self._read_cell(cells, "language")
        if packed:
            from_attributes = self._extract_known_fields(packed, notes)
            for field in ("country", "region", "city"):
                setattr(person, field, getattr(person, field) or from_attributes.get(field, ""))
            language = language or from_attributes.get("language", "")
        if not person.city and (postcode := self._read_cell(cells, "postcode")):
            person.city = self._find_town(postcode, country=person.country)
        if language:
            person.language = read_language(language, notes)
        if self._columns_of["topics"]:
            person.topics = tuple(word for text in self._read_cells(cells, "topics") for word in read_topics(text))
        for at, field, read in self._readers:
            if at < len(cells) and cells[at]:
                setattr(person, field, read(cells[at], notes))
        if packed or self._attribute_columns:
            person.attributes = self._read_attributes(cells, packed, notes)
        person.notes = tuple(notes)
        return person

    def _find_town(self, postcode: str, *, country: str) -> str:
        """Return the town of a postcode, first in the country of the import if the line names none."""
        home = self._terms.country if not country else ""
        at_home = find_town_by_postcode(postcode, country=home) if home else ""
        return at_home or find_town_by_postcode(postcode, country=country)

    def _read_cell(self, cells: list[str], target: str) -> str:
        at = self._column_of.get(target)
        return cells[at] if at is not None and at < len(cells) else ""

    def _read_cells(self, cells: list[str], target: str) -> list[str]:
        """Return the texts of all columns with one field."""
        return [cells[at] for at in self._columns_of[target] if at < len(cells) and cells[at]]

    def _read_name(self, cells: list[str], notes: list[str]) -> str:
        texts = (self._read_cell(cells, target) for target in ("name", "first_name", "last_name"))
        name, first, last = (clean_line(unescape_csv_cell(text)) if text else "" for text in texts)
        return join_name(name, first, last, is_partial=self._partial_names, notes=notes)

    def _read_day(self, cells: list[str], target: str, notes: list[str]) -> datetime | None:
        """Return the first day that is given in the columns of one field."""
        if not self._columns_of[target]:
            return None
        days = (read_day_or_note(text, notes) for text in self._read_cells(cells, target))
        return next((day for day in days if day is not None), None)

    def _unpack_attributes(self, cells: list[str], notes: list[str]) -> dict[str, str]:
        packed = self._read_cell(cells, "attributes").strip()
        return unpack_attributes(packed, notes) if packed else {}

    def _extract_known_fields(self, packed: dict[str, str], notes: list[str]) -> dict[str, str]:
        """Move location and topics from packed attributes to their fields, unless the file has columns for them."""
        targets = {key: guess_target(key) for key in packed}
        keys_by_field = {
            key: field for key, field in targets.items() if field in _PACKED_FIELDS and field not in self._column_of
        }
        texts = {field: packed.pop(key) for key, field in keys_by_field.items()}
        return {field: read_line(text, field, notes) if field in LINES else text for field, text in texts.items()}

    def _read_attributes(self, cells: list[str], packed: dict[str, str], notes: list[str]) -> dict[str, str]:
        values = {
            key: unescape_csv_cell(cells[at])
            for key, at in self._attribute_columns
            if at < len(cells) and cells[at].strip()
        }
        if not values and not packed:
            return {}
        clean, more_notes = clean_attributes({**packed, **values})
        notes += more_notes
        return clean


def _has_open_quote(cell: str) -> bool:
    """Return True if a value begins with a quotation mark that is never closed."""
    return '"' in cell and unescape_csv_cell(cell).startswith('"') and cell.count('"') % 2 == 1


def _refuse(record: Record, kind: RefusalKind, reason: str) -> RefusedRow:
    return RefusedRow(record.line, format_csv_line(record.cells or []), reason, kind)
