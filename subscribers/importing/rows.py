"""PURE. Turns the cells of one record into a person, or into a refusal with its reason. Postcodes are dropped here.

It looks nothing up in the database; places and topics stay the texts that they are.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import available_timezones

from subscribers.addresses import normalise
from subscribers.attribute_texts import clean_attributes
from subscribers.errors import BadAddress
from subscribers.importing.layouts import BOUNCED, COMPLAINED, JOIN, LEFT_ALL, LEFT_LIST
from subscribers.importing.records import Record
from subscribers.importing.targets import ATTRIBUTE
from subscribers.lines import clean_line, unguard_cell

MOST_FIELD = 10_000
SOFT_OPT_IN_SINCE = date(2026, 2, 5)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}", re.I)
_GIVING = {"none", "donor", "monthly"}
_TOPIC_SPLIT = re.compile(r"[;|,]")
_DAY = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T](\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?"
)
_MOST_JSON = 20_000
_STATUS = {
    **dict.fromkeys(("", "subscribed", "enabled", "active", "confirmed", "opted in", "yes"), JOIN),
    **dict.fromkeys(("unsubscribed", "unsubscribe", "opted out", "left"), LEFT_LIST),
    **dict.fromkeys(("blocklisted", "blacklisted", "blocked", "left everything", "suppressed"), LEFT_ALL),
    **dict.fromkeys(("cleaned", "bounced", "bounce", "hard bounce", "hard bounced", "invalid"), BOUNCED),
    **dict.fromkeys(("complained", "complaint", "spam", "reported as spam", "abuse"), COMPLAINED),
}
_NOT_ASKED = {"pending", "unconfirmed", "non-subscribed", "nonsubscribed", "transactional", "disabled", "archived"}
_NOT_ASKED |= {"deleted", "inactive", "never subscribed", "no"}


class Refused(StrEnum):
    """Why a line was refused, for counting."""

    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    TOO_MANY_VALUES = "too_many_values"
    LONG_VALUE = "long_value"
    UNREADABLE = "unreadable"
    NOT_SUBSCRIBED = "not_subscribed"
    UNKNOWN_STATUS = "unknown_status"
    TOO_EARLY = "too_early"
    NO_DAY = "no_day"


REFUSED_WORDS = {
    Refused.NO_ADDRESS: "no email address",
    Refused.BAD_ADDRESS: "not an email address that can be mailed",
    Refused.TOO_MANY_VALUES: "more values than there are columns",
    Refused.LONG_VALUE: f"a value of more than {MOST_FIELD:,} characters",
    Refused.UNREADABLE: "a quotation mark is missing",
    Refused.NOT_SUBSCRIBED: "not subscribed where they come from",
    Refused.UNKNOWN_STATUS: "a status that is not known",
    Refused.TOO_EARLY: "signed up before the charitable soft opt-in existed (5 February 2026)",
    Refused.NO_DAY: "no day of signing up, which the charitable soft opt-in needs",
}


@dataclass(slots=True)
class PersonRow:
    """One good line. Texts are clean and may be empty; `notes` say what was left out of the line, and why.

    `kind` is what becomes of the person: `join`, or one of the kinds of `layouts` that keep them from mail.
    """

    line: int
    email: str
    name: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    language: str = ""
    topics: tuple[str, ...] = ()
    giving: str = ""
    timezone: str = ""
    source: str = ""
    kind: str = JOIN
    on: datetime | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class RefusedRow:
    """One line that is not imported. `raw` is the line as CSV with commas, its cells cut to 10,000 characters."""

    line: int
    raw: str
    reason: str
    kind: Refused


class RowReader:
    """Reads the records of one file, whose columns have these targets. `soft_opt_in` asks for a day with each person."""

    def __init__(
        self,
        mapping: Sequence[str],
        *,
        kind: str = JOIN,
        soft_opt_in: bool = False,
        collected_on: date | None = None,
        delimiter: str = ",",
    ) -> None:
        self._delimiter = delimiter
        self._width = len(mapping)
        self._at = {target: at for at, target in enumerate(mapping) if target}
        self._topics = [at for at, target in enumerate(mapping) if target == "topics"]
        self._days = {
            name: [at for at, target in enumerate(mapping) if target == name] for name in ("asked_on", "left_on")
        }
        self._own = [
            (target.removeprefix(ATTRIBUTE), at) for at, target in enumerate(mapping) if target.startswith(ATTRIBUTE)
        ]
        self._kind = kind
        self._soft_opt_in = soft_opt_in
        self._collected_on = collected_on
        self._zones = available_timezones()

    def read(self, record: Record) -> PersonRow | RefusedRow | None:
        """The person of a record, or why not; None where all its cells are empty."""
        line, cells, text = record
        if cells is None:
            parts = next(csv.reader([text], delimiter=self._delimiter), [])
            reason = "This line cannot be read: a quotation mark is missing, or one too many."
            return RefusedRow(line, as_csv_line([part.rstrip("\r\n") for part in parts]), reason, Refused.UNREADABLE)
        if not any(cells) or not any(cell.strip() for cell in cells):
            return None
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            return _refuse(
                record,
                f"This line has {len(cells)} values but the file has {self._width} columns. Quote values with commas.",
                Refused.TOO_MANY_VALUES,
            )
        if len(text) > MOST_FIELD and any(len(cell) > MOST_FIELD for cell in cells):
            return _refuse(record, f"A value is longer than {MOST_FIELD:,} characters.", Refused.LONG_VALUE)
        address = self._cell(cells, "email")
        try:
            email = normalise(unguard_cell(address))
        except BadAddress as error:
            kind = Refused.BAD_ADDRESS if address.strip() else Refused.NO_ADDRESS
            return _refuse(record, str(error), kind)
        return self._person(record, cells, email)

    def _person(self, record: Record, cells: list[str], email: str) -> PersonRow | RefusedRow:
        notes: list[str] = []
        kind = self._kind
        status = self._cell(cells, "status").strip().lower()
        if status:
            found = _STATUS.get(status)
            if found is None:
                known = status in _NOT_ASKED
                reason = (
                    f"The status is “{status[:40]}”: this person was not mailed there, and nobody asked for it here."
                    if known
                    else f"The status “{status[:40]}” is not known. Write subscribed, unsubscribed or bounced."
                )
                return _refuse(record, reason, Refused.NOT_SUBSCRIBED if known else Refused.UNKNOWN_STATUS)
            if found != JOIN:
                kind = found
        if kind != JOIN:
            return self._kept_from_mail(record.line, cells, email, kind)
        asked = self._day(cells, "asked_on", notes)
        if self._soft_opt_in:
            refusal = self._check_soft_opt_in(record, asked)
            if refusal is not None:
                return refusal
        return PersonRow(
            line=record.line,
            email=email,
            name=self._name(cells),
            country=self._line(cells, "country", 100),
            region=self._line(cells, "region", 100),
            city=self._line(cells, "city", 120),
            language=_language(self._cell(cells, "language"), notes),
            topics=self._topic_words(cells),
            giving=_giving(self._cell(cells, "giving"), notes),
            timezone=self._timezone(self._cell(cells, "timezone"), notes),
            source=self._line(cells, "source", 120),
            on=asked,
            attributes=self._attributes(cells, notes),
            notes=tuple(notes),
        )

    def _kept_from_mail(self, line: int, cells: list[str], email: str, kind: str) -> PersonRow:
        because = self._cell(cells, "left_because").lower()
        if kind in (LEFT_LIST, LEFT_ALL) and any(word in because for word in ("spam", "abuse", "complain")):
            kind = COMPLAINED
        return PersonRow(line=line, email=email, kind=kind, on=self._day(cells, "left_on", []))

    def _check_soft_opt_in(self, record: Record, asked: datetime | None) -> RefusedRow | None:
        day = asked.date() if asked else self._collected_on
        if day is None:
            return _refuse(
                record,
                "The charitable soft opt-in needs the day on which this person gave their address, and there is none.",
                Refused.NO_DAY,
            )
        if day < SOFT_OPT_IN_SINCE:
            return _refuse(
                record,
                f"This person gave their address on {day.isoformat()}. The charitable soft opt-in covers only addresses "
                "given on or after 2026-02-05. Ask for consent instead.",
                Refused.TOO_EARLY,
            )
        return None

    def _cell(self, cells: list[str], target: str) -> str:
        at = self._at.get(target)
        return cells[at] if at is not None and at < len(cells) else ""

    def _line(self, cells: list[str], target: str, most: int) -> str:
        text = self._cell(cells, target)
        return _cached_line(text, most) if text else ""

    def _name(self, cells: list[str]) -> str:
        name = self._line(cells, "name", 200)
        if name:
            return name
        parts = [self._line(cells, "first_name", 100), self._line(cells, "last_name", 100)]
        return " ".join(part for part in parts if part)[:200].strip()

    def _topic_words(self, cells: list[str]) -> tuple[str, ...]:
        words = []
        for at in self._topics:
            if at < len(cells) and cells[at]:
                words += [
                    part.strip().strip('"').strip()
                    for part in _TOPIC_SPLIT.split(unguard_cell(cells[at]))
                    if part.strip()
                ]
        return tuple(word for word in words if word)

    def _day(self, cells: list[str], target: str, notes: list[str]) -> datetime | None:
        for at in self._days[target]:
            text = cells[at].strip() if at < len(cells) else ""
            if text:
                day = read_day(text)
                if day is not None:
                    return day
                notes.append(f"“{text[:40]}” is not a day such as 2026-03-31; left out.")
        return None

    def _timezone(self, text: str, notes: list[str]) -> str:
        zone = text.strip()
        if not zone or zone in self._zones:
            return zone
        notes.append(f"“{zone[:40]}” is not a time zone such as Europe/London; left out.")
        return ""

    def _attributes(self, cells: list[str], notes: list[str]) -> dict[str, str]:
        given = {key: unguard_cell(cells[at]) for key, at in self._own if at < len(cells) and cells[at].strip()}
        packed = self._cell(cells, "attributes").strip()
        if packed:
            given = {**_unpack(packed, notes), **given}
        if not given:
            return {}
        clean, said = clean_attributes(given)
        notes += said
        return clean


def read_day(text: str) -> datetime | None:
    """The moment of a text such as 2026-03-31 or 2026-03-31 09:00:00; UTC unless it says otherwise. None if it is none."""
    found = _DAY.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        zone = found[7]
        return (
            moment
            if zone in (None, "Z")
            else datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S}{zone}").astimezone(UTC)
        )
    except (ValueError, OverflowError):
        return None


def as_csv_line(cells: Sequence[str]) -> str:
    """The cells as one line of a CSV file with commas, each cut to 10,000 characters, fit for any database."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(
        [cell[:MOST_FIELD].replace("\x00", "\N{REPLACEMENT CHARACTER}") for cell in cells]
    )
    return out.getvalue()


@lru_cache(maxsize=65_536)
def _cached_line(text: str, most: int) -> str:
    return clean_line(unguard_cell(text), most=most)


def _refuse(record: Record, reason: str, kind: Refused) -> RefusedRow:
    return RefusedRow(record.line, as_csv_line(record.cells or []), reason, kind)


def _unpack(text: str, notes: list[str]) -> dict[str, str]:
    """The single values of a JSON object; what is nested or no JSON is left out and said."""
    try:
        if len(text) > _MOST_JSON:
            raise ValueError
        given = json.loads(text)
        if not isinstance(given, dict):
            raise ValueError
    except (ValueError, RecursionError):
        notes.append("The attributes are no JSON object; left out.")
        return {}
    single: dict[str, str] = {}
    for key, value in given.items():
        if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
            single[key] = ", ".join(str(one) for one in value)
        elif isinstance(value, dict | list):
            notes.append(f"The attribute “{key[:40]}” holds several values; left out.")
        elif value is not None:
            single[key] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return single


def _language(text: str, notes: list[str]) -> str:
    code = text.strip().replace("_", "-")
    if not code or (_LANGUAGE.fullmatch(code) and len(code) <= 16):
        return code
    notes.append(f"“{code[:40]}” is not a language code such as en or pt-BR; left out.")
    return ""


def _giving(text: str, notes: list[str]) -> str:
    word = text.strip().lower()
    if not word or word in _GIVING:
        return word
    notes.append(f"“{word[:40]}” is not one of none, donor, monthly; left out.")
    return ""
