"""Puts a sentence that the code made in English into the language of whoever reads it.

Refusals, findings and reasons are made, logged and kept in English. The catalogue “sentences” holds the pattern of each;
read back, a sentence's values are taken out by its pattern and put into the translation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

from babel.messages.mofile import read_mo
from django.apps import apps
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.dateformat import format as format_date
from django.utils.formats import get_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

CATALOGUE = "sentences.mo"
PLACE = re.compile(r"%\((\w+)\)s")
_DEEPEST = 6
_LONGEST = 4000
_MOST_SENTENCES = 20
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+")
_DATES = {
    re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}"): "%d %B %Y",
    re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d"): "%d %B %Y, %H:%M",
}
_QUOTES = (("“", "”"), ('"', '"'))
_LED = re.compile(r"(“[^”]*” |[^\s:]+: )(.+)", re.DOTALL)
"""What a part begins with: a name in quotation marks, or the place of a fault, such as “rule.all.0: ”."""
_SENTENCE_END = re.compile(r"(?<=[.!?]) ")


@dataclass(frozen=True)
class Pattern:
    """A sentence with places for values. ``names`` are those that stand between quotation marks: never translated."""

    found: re.Pattern[str]
    longest: str
    names: frozenset[str]
    translation: str


@dataclass(frozen=True)
class Sentences:
    """What one language has: whole sentences, and patterns, the most telling first."""

    whole: dict[str, str]
    patterns: tuple[Pattern, ...]


def say(said: object) -> str:
    """The words of an error, a finding or a kept reason for whoever reads them now; as they are where nobody translated them."""
    text = str(said)
    language = (get_language() or "en").partition("-")[0]
    return text if language == "en" or not text.strip() or len(text) > _LONGEST else _say(text, language)


def make_pattern(sentence: str, translation: str) -> Pattern:
    """``sentence`` has places such as %(title)s, and doubled percent signs."""
    pieces = PLACE.split(sentence)
    fixed = [piece.replace("%%", "%") for piece in pieces[::2]]
    names = pieces[1::2]
    source = "".join(
        re.escape(text) + (f"(?P<{names[at]}>.+?)" if at < len(names) else "") for at, text in enumerate(fixed)
    )
    quoted = {name for at, name in enumerate(names) if (fixed[at][-1:], fixed[at + 1][:1]) in _QUOTES}
    return Pattern(re.compile(source, re.DOTALL), max(fixed, key=len), frozenset(quoted), translation)


@lru_cache(maxsize=4096)
def _say(text: str, language: str) -> str:
    return _translate(text, read_sentences(language), depth=0)


@cache
def read_sentences(language: str) -> Sentences:
    whole, patterns = {}, []
    for file in _find_catalogues(language):
        with file.open("rb") as opened:
            for message in read_mo(opened):
                sentence, words = str(message.id), str(message.string or "")
                if sentence and words and PLACE.search(sentence):
                    patterns.append(make_pattern(sentence, words))
                elif sentence and words:
                    whole[sentence.replace("%%", "%")] = words.replace("%%", "%")
    patterns.sort(key=lambda pattern: -len(pattern.found.pattern))
    return Sentences(whole, tuple(patterns))


def _find_catalogues(language: str) -> Iterator[Path]:
    for app in apps.get_app_configs():
        file = Path(app.path) / "locale" / language / "LC_MESSAGES" / CATALOGUE
        if file.exists():
            yield file


def _translate(text: str, known: Sentences, *, depth: int) -> str:
    """A whole sentence, or a list of them, or one after another; what is in none of these forms stays as it is."""
    if text != text.lstrip():
        return text[: len(text) - len(text.lstrip())] + _translate(text.lstrip(), known, depth=depth)
    found = _match(text, known, depth=depth)
    if found is not None:
        return found
    for between in ("\n", "; ", " and "):
        parts = text.split(between)
        if len(parts) > 1:
            told = [_translate(part, known, depth=depth) for part in parts]
            if told != parts:
                return (_(" and ") if between == " and " else between).join(told)
    led = _LED.fullmatch(text)
    if led and depth < _DEEPEST:
        return led[1] + _translate(led[2], known, depth=depth + 1)
    return _translate_in_turn(text, known, depth=depth)


def _translate_in_turn(text: str, known: Sentences, *, depth: int) -> str:
    parts = _SENTENCE_END.split(text)
    if len(parts) > _MOST_SENTENCES:
        return text
    told, at = [], 0
    while at < len(parts):
        for end in range(len(parts), at, -1):
            found = _match(" ".join(parts[at:end]), known, depth=depth) if (at, end) != (0, len(parts)) else None
            if found is not None or end == at + 1:
                told.append(parts[at] if found is None else found)
                at = end
                break
    return " ".join(told)


def _match(text: str, known: Sentences, *, depth: int) -> str | None:
    if text in known.whole:
        return known.whole[text]
    for pattern in known.patterns:
        found = pattern.found.fullmatch(text) if pattern.longest in text else None
        if found:
            values = {
                name: value if name in pattern.names else _say_value(value, known, depth=depth + 1)
                for name, value in found.groupdict().items()
            }
            return pattern.translation % values
    return None


def _say_value(value: str, known: Sentences, *, depth: int) -> str:
    """A number, a day or a sentence within a sentence, as the language writes it."""
    if _NUMBER.fullmatch(value):
        return str(intcomma(int(value.replace(",", ""))))
    for form, written in _DATES.items():
        if form.fullmatch(value):
            return _say_date(value, written)
    return _translate(value, known, depth=depth) if depth < _DEEPEST else value


def _say_date(value: str, written: str) -> str:
    try:
        moment = datetime.strptime(value, written)  # noqa: DTZ007 only its words change
    except ValueError:
        return value
    day = format_date(moment, get_format("DATE_FORMAT"))
    return f"{day}, {moment:%H:%M}" if "%H" in written else day
