"""Find postcodes in an address: the country and region they prove, and the centre of their district.

Great Britain is known by outward code, the United States by ZIP code. Northern Ireland, Canada and Ireland have no free
table of points: there a postcode proves the country, and in the first two also the region.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from subscribers.places.towns import town_database

_BRITISH = re.compile(r"(?<![A-Z\d])([A-Z]{1,2}\d[A-Z\d]?)[ \t\r\n]*(\d[ABD-HJLNP-UW-Z]{2})(?![A-Z\d])", re.IGNORECASE)
_OUTWARD = re.compile(r"(?<![A-Za-z\d-])([A-Z]{1,2}\d{1,2}[A-Z]?)(?![A-Za-z\d-])")
_CANADIAN = re.compile(
    r"(?<![A-Z\d])([ABCEGHJ-NPRSTVXY])\d[ABCEGHJ-NPRSTV-Z][ -]?\d[ABCEGHJ-NPRSTV-Z]\d(?![A-Z\d])", re.IGNORECASE
)
_IRISH = re.compile(r"(?<![A-Z\d])(?:[AC-FHKNPRTV-Y]\d\d|D6W)[ ]?(?=[A-Z\d]*\d)[AC-FHKNPRTV-Y\d]{4}(?![A-Z\d])")
_ZIP = re.compile(r"(?<![\w-])(\d{5})(?:-\d{4})?(?![\w-])")
_ISLANDS = {"JE": "JE", "GY": "GG", "IM": "IM"}
_PROVINCES = {
    "A": "NL", "B": "NS", "C": "PE", "E": "NB", "G": "QC", "H": "QC", "J": "QC", "K": "ON", "L": "ON", "M": "ON",
    "N": "ON", "P": "ON", "R": "MB", "S": "SK", "T": "AB", "V": "BC", "Y": "YT",
}  # fmt: skip
_ULSTER = "BT"
_ZIP_DIGITS = 5


@dataclass(frozen=True)
class Postcode:
    """The country and region that a postcode proves. ``certain`` is False if other countries use the form, or it may be none.

    ``latitude`` and ``longitude`` are the centre of its district, or None if no table has it.
    """

    text: str
    country: str
    region: str = ""
    latitude: float | None = None
    longitude: float | None = None
    certain: bool = True


def find_postcodes(text: str) -> list[Postcode]:
    """Return the postcodes of an address, those that prove most first."""
    certain = [*_canadian(text), *_british(text), *_irish(text)]
    return certain or [*_zips(text), *_outward(text)]


def shorten_postcode(text: str, *, country: str = "") -> str:
    """Return the outward code or ZIP code of a lone postcode, or "" if it is unknown."""
    for code in find_postcodes(text):
        if code.text.strip() == text.strip() and code.latitude is not None and country in ("", code.country):
            return code.text.strip()[:-3].strip().upper() if code.certain else code.text.strip()[:_ZIP_DIGITS]
    return ""


def _british(text: str) -> Iterator[Postcode]:
    for match in _BRITISH.finditer(text):
        code = match[1].upper()
        area = code.rstrip("0123456789")[:2] if code[1:2].isdigit() else code[:2]
        if area in _ISLANDS:
            yield Postcode(match[0], _ISLANDS[area])
        elif area == _ULSTER:
            yield Postcode(match[0], "GB", "GB-NIR")
        elif found := _look_up("GB", code):
            yield Postcode(match[0], "GB", *found)


def _canadian(text: str) -> Iterator[Postcode]:
    for match in _CANADIAN.finditer(text):
        province = _PROVINCES.get(match[1].upper(), "")
        yield Postcode(match[0], "CA", f"CA-{province}" if province else "")


def _irish(text: str) -> Iterator[Postcode]:
    for match in _IRISH.finditer(text):
        yield Postcode(match[0], "IE")


def _zips(text: str) -> Iterator[Postcode]:
    for match in reversed(list(_ZIP.finditer(text))):
        for country in ("US", "PR", "VI", "GU"):
            if found := _look_up(country, match[1]):
                yield Postcode(match[0], country, *found, certain=False)


def _outward(text: str) -> Iterator[Postcode]:
    for match in reversed(list(_OUTWARD.finditer(text))):
        if found := _look_up("GB", match[1]):
            yield Postcode(match[0], "GB", *found, certain=False)


@lru_cache(maxsize=4096)
def _look_up(country: str, code: str) -> tuple[str, float, float] | None:
    """Return the region and point of a code, or None if the table does not have it."""
    rows = town_database.query(
        "SELECT region, latitude, longitude FROM postcode WHERE country = ? AND code = ?", (country, code)
    )
    if not rows:
        return None
    region, latitude, longitude = rows[0]
    return f"{country}-{region}" if region else "", int(str(latitude)) / 10_000, int(str(longitude)) / 10_000
