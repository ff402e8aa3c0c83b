"""Read a CSV file of gifts, as donation systems export it. One line that cannot be read spoils no other."""

import csv
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from babel.numbers import list_currencies

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.feedback.gifts import ReportedGift
from subscribers.importing.reading.cell_values import is_ambiguous_day, read_day

MAX_LINES = 50_000
MAX_AMOUNT = Decimal("9999999999.99")
_AMOUNT = re.compile(
    r"-?(\d+|\d+[.,]\d\d?|\d+\.\d{4,}"
    r"|\d{1,3}(,\d{3})+\.\d\d?|\d{1,3}(\.\d{3})+,\d\d?|\d{1,3}(,\d{3}){2,}|\d{1,3}(\.\d{3}){2,})",
    re.ASCII,
)
_TWO_MEANINGS = re.compile(r"-?\d{1,3}[.,]\d{3}", re.ASCII)
_GROUP_SEPARATOR = re.compile(r"[.,](?=\d{3}(?!\d))", re.ASCII)
_NAMES = {
    "reference": ("id", "reference", "gift_id", "transaction_id", "donation_id"),
    "amount": ("amount", "total"),
    "currency": ("currency",),
    "given_on": ("date", "given_on", "given_at", "created_at"),
    "campaign": ("utm_campaign", "campaign"),
    "block": ("utm_content", "content"),
}
_REQUIRED = ("reference", "amount", "currency", "given_on", "campaign")


class BadGiftFile(DomainError):
    """A file of gifts cannot be read at all."""


class BadGift(DomainError):
    """One gift is incomplete or wrong."""


def read_gifts(data: bytes) -> Iterator[ReportedGift | tuple[int, Message]]:
    """Yield each gift, or the line and the reason why it was refused. Raises BadGiftFile before the first."""
    text = _decode(data)
    first = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count))
    columns = _find_columns(next(reader, []))
    for number, cells in enumerate(reader, 2):
        if number > MAX_LINES + 1:
            raise BadGiftFile("The file has more than %(max_lines)s lines. Split it.", max_lines=MAX_LINES)
        if any(cell.strip() for cell in cells):
            values = {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()}
            try:
                yield make_gift(line=number, amount=read_amount(values.pop("amount")), **values)
            except BadGift as error:
                yield number, error.message


def make_gift(
    *, reference: str, amount: Decimal, currency: str, given_on: str, campaign: str, block: str = "", line: int = 0
) -> ReportedGift:
    """Return a gift from its amount and its other values as text. Raises BadGift."""
    if not 0 < len(reference) <= 120:
        raise BadGift("it has no id of at most 120 characters, by which it is counted once")
    if not 0 < amount <= MAX_AMOUNT:
        raise BadGift("the amount “%(amount)s” is not above 0, or too large", amount=str(amount)[:40])
    code = currency.upper()
    if code not in list_currencies():
        raise BadGift("“%(currency)s” is not a currency; write its code, such as GBP", currency=currency[:40])
    day = _read_date(given_on)
    money = amount.quantize(Decimal("0.01"))
    return ReportedGift(reference, money, code, day, campaign[:200], block[:60], line)


def _read_date(text: str) -> date:
    """Return the day as it is written, without regard to its time zone. Raises BadGift."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        moment = read_day(text)
    if moment is not None:
        return moment.date()
    if is_ambiguous_day(text.strip()):
        raise BadGift("“%(date)s” can mean two dates; write it like 2026-03-31", date=text[:40])
    raise BadGift("“%(date)s” is not a date; write it like 2026-03-31", date=text[:40])


def read_amount(text: str) -> Decimal:
    """Return an amount as donation systems of any country write it: 1250, 1,250.00 or 1.250,00. Raises BadGift.

    “1,250” is refused: it is 1250 in one country and 1.25 in another.
    """
    if _TWO_MEANINGS.fullmatch(text):
        raise BadGift("“%(amount)s” can mean two amounts; write it like 1250.00", amount=text[:40])
    if not _AMOUNT.fullmatch(text):
        raise BadGift("“%(amount)s” is not an amount; write it like 12.50", amount=text[:40])
    return Decimal(_GROUP_SEPARATOR.sub("", text).replace(",", "."))


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _find_columns(header: list[str]) -> dict[str, int]:
    titles = [name.strip().lower().replace(" ", "_") for name in header]
    columns = {
        name: next(titles.index(alias) for alias in aliases if alias in titles)
        for name, aliases in _NAMES.items()
        if any(alias in titles for alias in aliases)
    }
    missing = [_NAMES[name][0] for name in _REQUIRED if name not in columns]
    if missing:
        raise BadGiftFile(
            "The file has no column %(missing)s. Its first line must name the columns: id, amount, currency, date, "
            "utm_campaign and, if you have it, utm_content.",
            missing=", ".join(missing),
        )
    return columns
