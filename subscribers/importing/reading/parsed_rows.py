"""The input and the results of reading a line: the import's terms; a person, or a refusal with the original line."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from newsletter.common.messages import Message, Quantity

MAX_CELL_CHARACTERS = 10_000


class RowKind(StrEnum):
    """The outcome for the person of a line. All but the first are `ImportKind`s that suppress, or skip the line."""

    JOIN = "join"
    UNSUBSCRIBED_LIST = "left_list"
    UNSUBSCRIBED_ALL = "left_all"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ELSEWHERE = "elsewhere"
    """The person is only on other lists of the file. The row is skipped."""


@dataclass(frozen=True)
class ImportTerms:
    """The terms of one import, the same for all rows: who the people are, and on which basis they may be mailed.

    `soft_opt_in` requires a sign-up date; `collected_on` is the date for rows without one. `implied_from` is the day of
    the import, from which implied consent is counted; None if people must confirm by mail. With `all_implied`, every
    row needs an expiry date, or `expires_on`. `list_slug` is the list to read from a file that covers several lists.
    `country` is the code of the country for rows without one, to read their postcodes.
    """

    kind: str = RowKind.JOIN
    soft_opt_in: bool = False
    collected_on: date | None = None
    implied_from: date | None = None
    all_implied: bool = False
    expires_on: date | None = None
    list_slug: str = ""
    country: str = ""


class RefusalKind(StrEnum):
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
    NO_EXPIRY = "no_expiry"
    IMPLIED_CONSENT_EXPIRED = "run_out"
    TOO_LONG = "too_long"


REFUSAL_LABELS = {
    RefusalKind.NO_ADDRESS: Message("no email address"),
    RefusalKind.BAD_ADDRESS: Message("not an email address that can be mailed"),
    RefusalKind.TOO_MANY_VALUES: Message("more values than there are columns"),
    RefusalKind.LONG_VALUE: Message(
        "a value of more than %(most_field)s characters", most_field=Quantity(MAX_CELL_CHARACTERS)
    ),
    RefusalKind.UNREADABLE: Message("a quotation mark is missing"),
    RefusalKind.NOT_SUBSCRIBED: Message("not subscribed in the old system"),
    RefusalKind.UNKNOWN_STATUS: Message("unknown status"),
    RefusalKind.TOO_EARLY: Message("signed up before the charitable soft opt-in existed (5 February 2026)"),
    RefusalKind.NO_DAY: Message("no sign-up date, which the charitable soft opt-in requires"),
    RefusalKind.NO_EXPIRY: Message("no date on which the implied consent expires"),
    RefusalKind.IMPLIED_CONSENT_EXPIRED: Message("implied consent that has expired"),
    RefusalKind.TOO_LONG: Message("implied consent for longer than two years"),
}


@dataclass(slots=True)
class PersonRow:
    """One good line. Texts are clean and may be empty; `notes` say what was left out, and why.

    `line` is the row that a spreadsheet shows. `kind` is a `RowKind`. `dated_at` is when the person signed up, or when
    they unsubscribed if the row suppresses them.
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
    radius_km: int | None = None
    frequency: str = ""
    paused_until: datetime | None = None
    source: str = ""
    kind: str = RowKind.JOIN
    dated_at: datetime | None = None
    expires_on: date | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class RefusedRow:
    """A line that is not imported. `raw` is the line as CSV with commas, its cells cut to 10,001 characters."""

    line: int
    raw: str
    reason: str
    kind: RefusalKind


def format_csv_line(cells: Sequence[str]) -> str:
    """Return the cells as one CSV line with commas, storable in any database, with long cells cut."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(
        [cell[: MAX_CELL_CHARACTERS + 1].replace("\x00", "\N{REPLACEMENT CHARACTER}") for cell in cells]
    )
    return out.getvalue()
