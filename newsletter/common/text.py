"""Prepare texts from outside: clean, compare and shorten lines, and protect mails and CSV cells against their content."""

import re
import unicodedata

import regex

from newsletter.common.errors import BadValue
from newsletter.common.messages import Message, Quantity

MAX_CODE_POINTS = 16
"""Longer than any emoji."""
MAX_SEARCH_LENGTH, MAX_SEARCH_WORDS = 200, 20
_FORMULA = r"""[ "']*[=+\-@\t\r\n\x00＝＋－＠]"""
_UNGUARDED = re.compile(rf"(\A|[;\t\r\n])(?={_FORMULA})")
_GUARDED = re.compile(rf"(\A|[;\t\r\n])'(?={_FORMULA})")
_SPACES = re.compile(r"\s+")
_CHARACTER = regex.compile(r"\X")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_APOSTROPHES = str.maketrans("’ʼ`", "'''")
_BRACE_OF_FIELD = re.compile(r"\{(?=[{%])")
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "œ": "oe"})
_JOINERS = "\u200c\u200d"  # letters of some scripts, and some emoji, need them


def clean_line(text: str, *, max_length: int | None = None) -> str:
    """Return one NFC line with single spaces, without control and direction characters.

    It is cut to `max_length` characters, if given. Never cut what a person typed: see `require_length`.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()[:max_length].rstrip()
    flat = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    if not flat.isascii() or not flat.isprintable():
        flat = "".join(char for char in flat if char in _JOINERS or unicodedata.category(char) not in _UNSEEN)
    return flat.strip()[:max_length].rstrip()


def require_length(text: str, *, limit: int, name: str) -> str:
    """Return a text that a person typed. Raise BadValue for the field ``name`` if it has more than ``limit`` characters."""
    if len(text) > limit:
        raise BadValue(
            "Your text has %(length)s characters. The limit is %(limit)s. Nothing was changed. Shorten the text.",
            name=name,
            length=Quantity(len(text)),
            limit=Quantity(limit),
        )
    return text


def explain_long_search(typed: str, *, max_words: int | None = MAX_SEARCH_WORDS) -> str:
    """Return why a text is too long to search for, "" if it is not. `max_words` is None if the text is searched as one."""
    length = len(typed.strip())
    if length > MAX_SEARCH_LENGTH:
        return Message(
            "Search for at most %(limit)s characters. Your text has %(length)s. Please shorten it.",
            limit=Quantity(MAX_SEARCH_LENGTH),
            length=Quantity(length),
        )
    words = len(typed.split())
    if max_words is not None and words > max_words:
        return Message(
            "Search for at most %(limit)s words. Your text has %(length)s. Please leave some out.",
            limit=Quantity(max_words),
            length=Quantity(words),
        )
    return ""


def count_characters(text: str) -> int:
    """Return how many characters people see: an emoji or an accented letter of several code points is one.

    `count_characters.js` counts the same in the browser. A line break counts as one. Of a character with more than
    `MAX_CODE_POINTS` code points, each further piece of that length counts too, so that no text can be endless.
    """
    if text.isascii() and "\r" not in text:
        return len(text)
    return sum(1 + (len(character) - 1) // MAX_CODE_POINTS for character in _CHARACTER.findall(text))


def remove_accents(text: str) -> str:
    """Return the text in lower case and without accents: “Zoë Łuczak” as “zoe luczak”."""
    if text.isascii():
        return text.lower()
    lowered = text.casefold().translate(_LETTERS)
    decomposed = unicodedata.normalize("NFKD", lowered)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).translate(_LETTERS)


def fold_name(text: str) -> str:
    """Return a text as names and words of files are compared: in lower case, without accents, with one kind of apostrophe."""
    return remove_accents(text.translate(_APOSTROPHES))


def escape_csv_cell(text: str) -> str:
    """Put `'` wherever a spreadsheet program would take what follows for a formula.

    Programs that separate cells by `;` or tabs ignore our quotation marks, so a cell may begin after these too.
    """
    return _UNGUARDED.sub(r"\1'", text) if _UNGUARDED.search(text) else text  # a search takes a third of the time


def unescape_csv_cell(text: str) -> str:
    """Undo `escape_csv_cell` exactly."""
    return _GUARDED.sub(r"\1", text) if "'" in text else text


def escape_merge_fields(text: str) -> str:
    """Separate the braces of text from outside, so that they are never read as a personal field."""
    return _BRACE_OF_FIELD.sub("{\u2060", text)


def shorten(text: str, length: int) -> str:
    """Return at most ``length`` characters, cut at a word."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    cut = text[: length - 1].rsplit(" ", 1)[0] or text[: length - 1]
    return cut.rstrip(" ·,;:") + "…"
