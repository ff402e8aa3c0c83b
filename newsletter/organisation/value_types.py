"""Check the kinds of values in the organisation file, with error messages for staff."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator

from newsletter.common.errors import BadAddress, UnknownPlace
from newsletter.common.known_names import nearest
from newsletter.common.languages import normalise_language_code
from newsletter.content.parsing.source_kind import SOURCE_KINDS
from newsletter.content.parsing.urls import find_host
from newsletter.issues.snapshot.drafted_subjects import SUBJECT_PLACEHOLDERS, find_unknown_placeholder
from newsletter.rendering.colours import normalise_colour
from newsletter.rendering.errors import MergeError
from newsletter.rendering.merge import fill_defaults
from subscribers.addresses.normalise import normalise
from subscribers.places.regions import resolve_region

MAX_URL_LENGTH = 2_000
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,60}")
_EVERY = re.compile(r"(\d{1,5})\s*(m|min|h|d)")
_EVERY_MINUTES = {"m": 1, "min": 1, "h": 60, "d": 24 * 60}
_MAX_INTERVAL_MINUTES = 31 * 24 * 60


def _check_slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise ValueError(
            f"“{text[:60]}” cannot be a slug; use up to 50 letters, digits and hyphens, such as “weekly-letter”"
        )
    return text


def _check_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise ValueError("this must be one line; take the line break out")
    return text.strip()


def _check_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s<>\"]", text):
        raise ValueError(f"“{text[:80]}” is not a web address; write it whole, such as https://www.example.org/page")
    if len(text) > MAX_URL_LENGTH:
        raise ValueError(f"this web address is longer than {MAX_URL_LENGTH:,} characters")
    return text


def _check_source_url(text: str) -> str:
    """Check a web address, or an address for calendar programs (``webcal:``)."""
    webcal = re.match(r"webcals?(?=://)", text, re.IGNORECASE)
    if webcal:
        _check_url(f"https{text[webcal.end() :]}")
        return text
    return _check_url(text)


def _check_source_kind(text: str) -> str:
    if text not in SOURCE_KINDS:
        if broken := SOURCE_KINDS.find_broken(text):
            raise ValueError(f"the extension for “{text}” could not be loaded: {broken.reason}. {broken.do}")
        hint = nearest(text, SOURCE_KINDS)
        kinds = ", ".join(f"“{name}”" for name in SOURCE_KINDS)
        raise ValueError(
            f"“{text[:60]}” is not one of {kinds}{f'; {hint}' if hint else '.'} If it comes with an extension, install its "
            "package here first."
        )
    return text


def _check_variable_name(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError(
            "this is not the name of a setting. Write the key itself in .env, such as EVENTBRITE_TOKEN=…, and only the name of"
            " its setting here"
        )
    return text


def _check_email(text: str) -> str:
    try:
        return normalise(text)
    except BadAddress as error:
        raise ValueError(f"“{text[:80]}”: {error}") from error


def _check_colour(text: str) -> str:
    colour = normalise_colour(text, fallback="") if text.strip().startswith("#") else ""
    if not colour:
        raise ValueError(f"“{text[:30]}” is not a colour; write it as # and six hexadecimal digits, such as “#17414f”")
    return colour


def _check_language(text: str) -> str:
    try:
        Locale.parse(text, sep="_" if "_" in text else "-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"“{text[:30]}” is not a language code; write one such as “en”, “en-GB” or “es”") from error
    return normalise_language_code(text) or text.replace("_", "-")


def _check_host(text: str) -> str:
    host = find_host(text)
    if not host:
        raise ValueError(f"“{text[:60]}” is not a host; write one such as “donate.example.org”")
    return host


def _check_region(text: str) -> str:
    try:
        return resolve_region(text)
    except UnknownPlace as error:
        raise ValueError(str(error)) from error


def _check_every(text: str) -> str:
    parse_interval_minutes(text)
    return text


def _check_subject(text: str) -> str:
    text = _check_line(text)
    unknown = find_unknown_placeholder(text)
    if unknown:
        placeholders = ", ".join("{" + name + "}" for name in SUBJECT_PLACEHOLDERS)
        raise ValueError(f"“{{{unknown}}}” stands for nothing here; known are {placeholders}")
    return _check_staff_text(text)


def _check_staff_text(text: str) -> str:
    try:
        fill_defaults(text)
    except MergeError as error:
        raise ValueError(str(error)) from error
    return text


def _or_empty(text: str, check: AfterValidator) -> str:
    return str(check.func(text)) if text.strip() else ""  # type: ignore[call-arg]


def parse_interval_minutes(every: str) -> int:
    """Return the minutes of “30m”, “2h” or “1d”. Raises ValueError."""
    match = _EVERY.fullmatch(every.strip().lower())
    minutes = int(match[1]) * _EVERY_MINUTES[match[2]] if match else 0
    if not 1 <= minutes <= _MAX_INTERVAL_MINUTES:
        raise ValueError(
            f"“{every[:30]}” is not how often; write minutes, hours or days such as “30m”, “2h” or “1d”, up to 31 days"
        )
    return minutes


def format_interval(minutes: int) -> str:
    """Return the shortest way to write minutes: 120 is “2h”."""
    for unit, size in (("d", 24 * 60), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


_URL, _EMAIL = AfterValidator(_check_url), AfterValidator(_check_email)
_REGION, _LANGUAGE = AfterValidator(_check_region), AfterValidator(_check_language)

Slug = Annotated[str, AfterValidator(_check_slug)]
Line = Annotated[str, AfterValidator(_check_line)]
Url = Annotated[str, _URL]
Host = Annotated[str, AfterValidator(_check_host)]
VariableName = Annotated[str, AfterValidator(_check_variable_name)]
SourceKindName = Annotated[str, AfterValidator(_check_source_kind)]
SourceUrl = Annotated[str, AfterValidator(_check_source_url)]
OptionalUrl = Annotated[str, AfterValidator(lambda text: _or_empty(text, _URL))]
Email = Annotated[str, _EMAIL]
OptionalEmail = Annotated[str, AfterValidator(lambda text: _or_empty(text, _EMAIL))]
Colour = Annotated[str, AfterValidator(_check_colour)]
Language = Annotated[str, _LANGUAGE]
OptionalLanguage = Annotated[str, AfterValidator(lambda text: _or_empty(text, _LANGUAGE))]
OptionalRegion = Annotated[str, AfterValidator(lambda text: _or_empty(text, _REGION))]
Every = Annotated[str, AfterValidator(_check_every)]
Subject = Annotated[str, AfterValidator(_check_subject)]
StaffText = Annotated[str, AfterValidator(_check_staff_text)]
