"""Countries (ISO 3166-1) and regions (ISO 3166-2): names to codes and back."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

from newsletter.common.errors import UnknownPlace
from subscribers.places.folding import fold

_FILE = Path(__file__).with_name("regions.json")
_LANGUAGES = ("es", "fr", "de", "pt", "ro", "hi", "ar", "uk")
"""The languages of mails besides English, in which people write the names of countries."""
_CODE = re.compile(r"^([A-Za-z]{2})[-_ ]([A-Za-z0-9]{1,3})$")


@dataclass(frozen=True)
class _Book:
    countries: dict[str, str]
    regions: dict[str, str]
    parents: dict[str, str]
    country_by_name: dict[str, str]
    continent_by_name: dict[str, str]
    regions_by_name: dict[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def _book() -> _Book:
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    country_by_name: dict[str, str] = {}
    for code, (label, _, *others) in data["countries"].items():
        for name in (label, *others):
            country_by_name.setdefault(fold(name), code)
    by_name: dict[str, list[str]] = {}
    for code, (label, _, *others) in data["regions"].items():
        for name in {fold(text) for text in (label, *others)} - {""}:
            by_name.setdefault(name, []).append(code)
    return _Book(
        countries={code: row[0] for code, row in data["countries"].items()},
        regions={code: row[0] for code, row in data["regions"].items()},
        parents={code: row[1] for code, row in data["regions"].items() if row[1]},
        country_by_name=country_by_name,
        continent_by_name={fold(name): code for code, name in data["continents"].items()},
        regions_by_name={name: tuple(codes) for name, codes in by_name.items()},
    )


def country_name(code: str) -> str:
    """Return the English name of a country code: "United Kingdom" for "GB". Raises `UnknownPlace`."""
    name = _book().countries.get(code.strip().upper())
    if name is None:
        raise UnknownPlace(
            "“%(code)s” is not a country code. Use two letters of ISO 3166-1, such as GB or US.", code=code
        )
    return name


def region_name(code: str) -> str:
    """Return the name of an ISO 3166-2 code: "Texas" for "US-TX". Raises `UnknownPlace`."""
    name = _book().regions.get(code.strip().upper())
    if name is None:
        raise UnknownPlace("“%(code)s” is not a region code. Use ISO 3166-2, such as GB-ENG or US-TX.", code=code)
    return name


def country_label(code: str, *, language: str) -> str:
    """Return a country's name in the reader's language, or the code of a country that no longer exists."""
    code = code.strip()
    name = _book().countries.get(code.upper(), code)
    return name if _is_english(language) else _territories(language).get(code.upper(), name)


def region_label(code: str, *, language: str = "en") -> str:
    """Return a region's name, in the reader's language if it has one there, or the code of a former region."""
    code = code.strip()
    return _regions_in(language).get(code.upper()) or _book().regions.get(code.upper(), code)


def has_region_names(language: str) -> bool:
    """Return True if regions have names in this language: those that are not in its file have their English ones there too."""
    return _is_english(language) or bool(_regions_in(language))


def _is_english(language: str) -> bool:
    return language.lower().partition("-")[0] == "en"


@lru_cache(maxsize=32)
def _territories(language: str) -> Mapping[str, str]:
    try:
        return Locale.parse(language, sep="-").territories
    except (ValueError, UnknownLocaleError):
        return {}


@lru_cache(maxsize=32)
def _regions_in(language: str) -> dict[str, str]:
    """Return the names of regions in a language from its file, which leaves out those equal to English."""
    name = language.lower().partition("-")[0]
    file = _FILE.with_name(f"regions.{name}.json") if name.isalpha() else None
    if file is None or not file.is_file():
        return {}
    names: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return names


def country_of(region: str) -> str:
    """Return the country part of an ISO 3166-2 code: "US" for "US-TX", "" for ""."""
    return region.partition("-")[0].upper()


@lru_cache(maxsize=32)
def countries(*, language: str = "en") -> tuple[tuple[str, str], ...]:
    """Return the (code, name) pairs of all countries, sorted by name."""
    pairs = [(code, country_label(code, language=language)) for code in _book().countries]
    return tuple(sorted(pairs, key=lambda pair: fold(pair[1])))


def regions_of(country: str, *, language: str = "en") -> tuple[tuple[str, str], ...]:
    """Return the (code, name) pairs of a country's top-level regions, sorted by name."""
    code = resolve_country(country)
    book = _book()
    pairs = [(region, region_label(region, language=language)) for region in book.regions if country_of(region) == code]
    return tuple(sorted((pair for pair in pairs if pair[0] not in book.parents), key=lambda pair: fold(pair[1])))


def find_country_in_language(text: str, *, language: str) -> str:
    """Return the code of the country with this name in a language, or "" if no country has it there."""
    return _country_codes_in(language).get(fold(text), "")


@lru_cache(maxsize=32)
def _country_codes_in(language: str) -> Mapping[str, str]:
    countries = _book().countries
    return {fold(name): code for code, name in _territories(language).items() if code in countries and fold(name)}


def find_country_in_some_language(text: str) -> str:
    """Return the code of the country with this name in any language of ours, or "" if none has it or they disagree."""
    countries = {find_country_in_language(text, language=language) for language in _LANGUAGES} - {""}
    return countries.pop() if len(countries) == 1 else ""


def find_usual_country(text: str) -> str:
    """Return the code of the country with this code, or with this name in English or in its own language, or ""."""
    book = _book()
    code = text.strip().upper()
    return code if code in book.countries else book.country_by_name.get(fold(text), "")


def resolve_country(text: str) -> str:
    """Return the ISO 3166-1 code of a country given by code or name ("UK", "Irlanda"). Raises `UnknownPlace`."""
    country = find_usual_country(text) or find_country_in_some_language(text)
    if not country:
        raise UnknownPlace(
            "“%(text)s” is not a country that we know. Write its name in English or its two-letter code.", text=text
        )
    return country


def resolve_region(text: str, *, country: str = "") -> str:
    """Return the top-level ISO 3166-2 code of a region given by code, by local part with a country, or by name.

    A code below the top level gives the region above it, so that regions can be compared.

    Raises:
        UnknownPlace: Nothing matches, or regions of several countries do.
    """
    book = _book()
    code = _exact_code(text)
    if code:
        return top_region(code)
    here = resolve_country(country) if country.strip() else ""
    if here:
        local = f"{here}-{text.strip().upper()}"
        if local in book.regions:
            return top_region(local)
    regions = regions_named(text, country=here)
    if len(regions) == 1:
        return regions[0]
    if regions:
        several = ", ".join(f"{region_name(code)} ({code})" for code in regions[:4])
        if here:
            raise UnknownPlace(
                "“%(text)s” could be several regions in %(here)s: %(several)s. Write the code.",
                text=text,
                here=country_name(here),
                several=several,
            )
        raise UnknownPlace(
            "“%(text)s” could be several regions: %(several)s. Write the code.", text=text, several=several
        )
    if here:
        raise UnknownPlace(
            "“%(text)s” is not a region in %(here)s that we know. "
            "Write its ISO 3166-2 code, such as US-TX, or its name.",
            text=text,
            here=country_name(here),
        )
    raise UnknownPlace(
        "“%(text)s” is not a region that we know. Write its ISO 3166-2 code, such as US-TX, or its name.", text=text
    )


def regions_named(text: str, *, country: str = "") -> tuple[str, ...]:
    """Return the top-level regions of this name, or above a region of this name, in one country or in all."""
    codes = _book().regions_by_name.get(fold(text), ())
    exact = [code for code in codes if code not in _book().parents]
    chosen = exact or list(codes)
    tops = dict.fromkeys(top_region(code) for code in chosen if not country or country_of(code) == country)
    return tuple(tops)


def names_region(text: str, code: str) -> bool:
    """Return True if the text names this region itself, not a part of it."""
    return code in _book().regions_by_name.get(fold(text), ())


def top_region(code: str) -> str:
    """Return the top-level region of a known code: itself or one above it."""
    parents = _book().parents
    for _ in range(5):
        if code not in parents:
            return code
        code = parents[code]
    return code


def continent_named(text: str) -> str:
    """Return the two-letter code of a continent given by its English name, or ""."""
    return _book().continent_by_name.get(fold(text), "")


def _exact_code(text: str) -> str:
    match = _CODE.match(text.strip())
    code = f"{match[1]}-{match[2]}".upper() if match else ""
    return code if code in _book().regions else ""
