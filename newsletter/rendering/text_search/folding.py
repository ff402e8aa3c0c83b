"""Fold text as people read it: words without accents, widths, lookalike letters and invisible characters.

PURE. Two readings: by shape (a Cyrillic “а” is an “a”) and by letter (it is itself). Only text with such letters has two.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

_SEAM = "\x00"
"""It replaces an invisible character: two words may be apart with nothing visible between them."""
_LOOKALIKES = (
    ("АаΑαɑ", "a"), ("ВΒʙ", "b"), ("СсϹϲᴄ", "c"), ("ԁԀ", "d"), ("ЕеΕεҽ", "e"), ("ɡԌ", "g"), ("НһΗҺ", "h"), ("ІіӀӏΙιɩ", "i"),
    ("ЈјϳͿ", "j"), ("КкΚκ", "k"), ("ʟ", "l"), ("МмΜ", "m"), ("Νηɴ", "n"), ("ОоΟο", "o"), ("РрΡρ", "p"), ("Ԛԛ", "q"),
    ("гʀ", "r"), ("Ѕѕꜱ", "s"), ("ТтΤτ", "t"), ("υʋ", "u"), ("νѵѴ", "v"), ("ԜԝѡωѠ", "w"), ("ХхΧχ", "x"), ("УуΥγүҮ", "y"),
    ("ΖᴢꙀ", "z"),
)  # fmt: skip
_LATIN_BY_LOOKALIKE = {char: latin for chars, latin in _LOOKALIKES for char in chars}
_LETTERS = {
    "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ı": "i", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T",
    "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ẞ": "ss",
}  # fmt: skip
_SPELLED_OUT = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Å": "Aa", "Ø": "Oe",
})  # fmt: skip
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u0640\u00ad\U000e0100-\U000e01ef]"
)
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\u180e")
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_UNSPACED}]|(?:[^\W\d_{_UNSPACED}]|[\u0900-\u0963\u0971-\u0dff\u0f40-\u0fbc])+|\d+")
_ALIKE_LETTER = re.compile(f"[{''.join(_LATIN_BY_LOOKALIKE)}]")
_WITHOUT_SPACES = re.compile(f"[{_UNSPACED}]")
_TIGHT_GAP = re.compile(r"[-._~‐-―−·•・∙\x00]+")
_CASE_CHANGE = re.compile(r"(?<=[a-zα-ωа-ё])(?=[A-ZΑ-ΩЀ-Я])")
"""A capital after a small letter begins a word: JaneDoe is Jane and Doe, as in names of files and tags."""
_MAX_GAP_LENGTH = 4


class Gap(IntEnum):
    """The gap before a word: nothing visible; hyphens, dots and the like; a space or other marks; much."""

    NONE = 0
    TIGHT = 1
    WIDE = 2
    BREAK = 3


@dataclass(frozen=True)
class Folded:
    """A folded text: ``words`` are those of ``plain``, in lower case. Their positions are computed on demand."""

    plain: str
    lower: str
    words: list[str]

    def gap_before(self, word: int) -> Gap:
        """Return the gap between a word, by its number, and the one before it."""
        return _name_gap(self.lower[self._in_lower[word - 1][1] : self._in_lower[word][0]])

    def written(self, first: int, last: int) -> str:
        """Return these words in their own case, with the gaps between them."""
        return self.plain[self._in_plain[first][0] : self._in_plain[last][1]].replace(_SEAM, "")

    @cached_property
    def _in_lower(self) -> list[tuple[int, int]]:
        return [match.span() for match in _WORD.finditer(self.lower)]

    @cached_property
    def _in_plain(self) -> list[tuple[int, int]]:
        return [match.span() for match in _WORD.finditer(self.plain)]


def has_lookalikes(text: str) -> bool:
    """Return True if the two readings of a text may differ."""
    return not text.isascii() and _ALIKE_LETTER.search(text) is not None


def fold(text: str, *, by_shape: bool = True) -> Folded:
    """Return the words of a text. A capital after a small letter, and a digit beside a letter, begin a new word."""
    plain = text if text.isascii() else text.translate(_BY_SHAPE if by_shape else _BY_LETTER)
    plain = _CASE_CHANGE.sub(_SEAM, plain)
    lower = plain.casefold()
    return Folded(plain, lower, _WORD.findall(lower))


def spell_out(text: str) -> str:
    """Return a name as URLs and old machines write it, such as Jaeger for Jäger; else the same name."""
    return unicodedata.normalize("NFC", text).translate(_SPELLED_OUT)


def count_letters(text: str) -> int:
    """Return the number of letters and digits; one of a script without spaces counts twice."""
    return sum(2 if _WITHOUT_SPACES.match(char) else 1 for char in text if char.isalnum())


def _name_gap(between: str) -> Gap:
    if not between.strip(_SEAM):
        return Gap.NONE
    if _TIGHT_GAP.fullmatch(between):
        return Gap.TIGHT
    return Gap.WIDE if len("".join(between.split())) < _MAX_GAP_LENGTH else Gap.BREAK


class _Table(dict[int, str]):
    """A table for str.translate that adds each character when it is first used."""

    def __init__(self, *, by_shape: bool) -> None:
        super().__init__()
        self._like = _LATIN_BY_LOOKALIKE if by_shape else {}

    def __missing__(self, code: int) -> str:
        self[code] = made = self._fold(chr(code))
        return made

    def _fold(self, char: str) -> str:
        if char in _INVISIBLE or (unicodedata.category(char) == "Cf" and char != "\u00ad"):
            return _SEAM
        if _WITHOUT_SPACES.match(char):
            return unicodedata.normalize("NFKC", char)
        apart = _MARKS.sub("", unicodedata.normalize("NFKD", char))
        return "".join(self._spell_out(letter) for letter in apart)

    def _spell_out(self, char: str) -> str:
        like = self._like.get(char)
        if like is not None:
            return like.upper() if char.isupper() else like
        if not char.isascii() and char.isdecimal():
            return str(unicodedata.digit(char))
        return _LETTERS.get(char, char)


_BY_SHAPE, _BY_LETTER = _Table(by_shape=True), _Table(by_shape=False)
