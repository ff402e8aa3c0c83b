"""Decide which calendar entries are private. If in doubt, an entry is private."""

import re
import unicodedata
from collections.abc import Iterable

from newsletter.content.parsing.calendars.lines import ComponentText, Line

# Outlook, Google, Exchange and Apple write these in place of what an entry is about.
_BUSY = """

    busy|free|tentative|unavailable|out of office|working elsewhere|away|occupied|booked|not available|blocked|no title
    beschäftigt|gebucht|belegt|frei|mit vorbehalt|abwesend|außer haus|nicht verfügbar|an einem anderen ort tätig
    occupé|occupée|libre|provisoire|absent|absente|absent du bureau|indisponible|pas disponible
    ocupado|ocupada|disponible|provisional|fuera de la oficina|no disponible|trabajando en otro lugar
    livre|provisório|fora do escritório|fora do gabinete|indisponível|não disponível
    bezet|vrij|voorlopig|niet aanwezig|niet beschikbaar|werkt elders
    occupato|occupata|libero|provvisorio|fuori sede|non disponibile
    upptagen|ledig|preliminär|frånvarande|optaget|foreløbig|ikke til stede|opptatt|varattu|vapaa|zajęty|wolny|ocupat|liber
"""
_PRIVATE = """
    private|private appointment|private event|private entry|private meeting|confidential|hidden
    privat|privater termin|private termin|vertraulich|privé|rendez vous privé|événement privé|confidentiel
    privado|privada|cita privada|evento privado|confidencial|compromisso privado|privéafspraak|persoonlijke afspraak
    privato|appuntamento privato|riservato|privat aftale|privat avtale|privat avtal|yksityinen|prywatne
"""
_PUBLIC_VALUES = frozenset({"PUBLIC"})
_OPEN_ELSEWHERE = frozenset({"PUBLIC", "NORMAL", "DEFAULT", "NONE", "OPEN"})
_VISIBILITY_PROPERTY = re.compile(r"X-(?:[A-Z0-9-]*-)?(?:CLASS|CLASSIFICATION|ACCESS|SENSITIVITY|VISIBILITY|PRIVACY)")
_PRIVATE_VALUES = ("PRIVATE", "CONFIDENTIAL", "RESTRICTED", "PERSONAL")
_CLOSED_WORD = re.compile(r"\b(?:PRIVATE|CONFIDENTIAL)\b", re.IGNORECASE)
# A typo of a shorter word can be another word.
_MIN_FUZZY_LENGTH = 7
_TEXTS = frozenset({"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CATEGORIES", "CONTACT", "X-ALT-DESC", "URL"})
_ABOUT_A_CALENDAR = _TEXTS | {"NAME", "X-WR-CALNAME", "X-WR-CALDESC", "PRODID", "X-WR-RELCALID", "UID"}
_NOT_WORDS = re.compile(r"[^\w ]+")
# WordPress puts these before the titles of private and password-protected posts.
_WORDPRESS_PREFIX = re.compile(
    r"^\s*(?:private|protected|privat|geschützt|privé|protégé|privado|privada|protegido|protegida|privato|protetto|"
    r"beveiligd)\s?: ",
    re.IGNORECASE,
)


def _plain(text: str) -> str:
    return " ".join(_NOT_WORDS.sub(" ", unicodedata.normalize("NFC", text.replace("\\", " ")).casefold()).split())


def _phrases(text: str) -> frozenset[str]:
    return frozenset(_plain(phrase) for line in text.split("\n") for phrase in line.split("|") if phrase.strip())


_BUSY_TITLES = _phrases(_BUSY)
_PRIVATE_TITLES = _phrases(_PRIVATE)


def is_private_calendar(lines: Iterable[Line]) -> bool:
    """Return True if a calendar as a whole is private, as Apple's server marks it."""
    return any(_marks_private(line) for line in lines if line.name not in _ABOUT_A_CALENDAR)


def is_private(event: ComponentText) -> bool:
    """Return True if an entry is marked private, is an unnamed busy time, or is damaged at a place that may mark it private."""
    if any(_marks_private(line) for line in event.lines):
        return True
    summaries = [_plain(line.value) for line in event.lines if line.name == "SUMMARY"]
    if any(is_private_title(line.value) for line in event.lines if line.name == "SUMMARY"):
        return True
    if event.value("DESCRIPTION") or event.value("URL"):
        return False
    if any(summary in _BUSY_TITLES for summary in summaries):
        return True
    return not any(summaries) and any(line.name.startswith("X-MICROSOFT-CDO-BUSYSTATUS") for line in event.lines)


def is_private_title(title: str) -> bool:
    """Return True if a title replaces a private one ("Private appointment") or has WordPress's mark for private posts."""
    plain = _plain(title)
    near = any(_is_typo_of(plain, phrase) for phrase in _PRIVATE_TITLES if len(phrase) >= _MIN_FUZZY_LENGTH)
    return near or plain in _PRIVATE_TITLES or _WORDPRESS_PREFIX.match(title) is not None


def _marks_private(line: Line) -> bool:
    """Return True if this line says that its entry is private, even if the line is damaged."""
    value = line.value.strip().strip('"').upper()
    if line.name == "CLASS":
        return value not in _PUBLIC_VALUES
    if line.name in _TEXTS:
        return False
    if _VISIBILITY_PROPERTY.fullmatch(line.name):
        return value not in _OPEN_ELSEWHERE
    if not line.name:
        return _CLOSED_WORD.search(line.whole) is not None or _is_typo_of(line.whole.strip().upper()[:5], "CLASS")
    if _is_typo_of(line.name, "CLASS"):
        return value not in _PUBLIC_VALUES
    return any(_is_typo_of(value, word) for word in _PRIVATE_VALUES)


def _is_typo_of(text: str, word: str) -> bool:
    """Return True if at most one character was changed, lost, added or swapped with its neighbour."""
    if text == word:
        return True
    if abs(len(text) - len(word)) > 1:
        return False
    start = next(
        (at for at, (letter, letter_of_word) in enumerate(zip(text, word, strict=False)) if letter != letter_of_word),
        None,
    )
    if start is None:
        return True
    rest, rest_of_word = text[start:], word[start:]
    swapped = rest[:2][::-1] == rest_of_word[:2] and rest[2:] == rest_of_word[2:]
    return swapped or rest_of_word in (rest[1:],) or rest in (rest_of_word[1:],) or rest[1:] == rest_of_word[1:]
