"""PURE. Makes one clean line of what people typed, and keeps spreadsheet programs from running it as a formula."""

import re
import unicodedata

_FORMULA = r"""[ "']*[=+\-@\t\r\n\x00＝＋－＠]"""
_UNGUARDED = re.compile(rf"(\A|[;\t\r\n])(?={_FORMULA})")
_GUARDED = re.compile(rf"(\A|[;\t\r\n])'(?={_FORMULA})")
_SPACES = re.compile(r"\s+")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_JOINERS = "\u200c\u200d"  # letters of some scripts, and some emoji, need them


def clean_line(text: str, *, max_length: int) -> str:
    """NFC, one line, single spaces, no control or direction characters, at most `most` characters."""
    flat = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    if not flat.isascii() or not flat.isprintable():
        flat = "".join(char for char in flat if char in _JOINERS or unicodedata.category(char) not in _UNSEEN)
    return flat.strip()[:max_length].rstrip()


def escape_csv_cell(text: str) -> str:
    """The text for a CSV cell: with `'` wherever a spreadsheet would take what follows for a formula.

    A program that separates cells by `;` or tabs ignores the quotation marks of ours, so a cell may begin after these too.
    """
    return _UNGUARDED.sub(r"\1'", text)


def unescape_csv_cell(text: str) -> str:
    """Undoes `escape_csv_cell`, exactly."""
    return _GUARDED.sub(r"\1", text)
