"""PURE. Makes one clean line of what people typed, and keeps spreadsheet programs from running it as a formula."""

import re
import unicodedata

_FORMULA = re.compile(r"""[ "']*[=+\-@\t\r\n\x00＝＋－＠]""")
_SPACES = re.compile(r"\s+")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_JOINERS = "\u200c\u200d"  # letters of some scripts, and some emoji, need them


def clean_line(text: str, *, most: int) -> str:
    """NFC, one line, single spaces, no control or direction characters, at most `most` characters."""
    flat = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    if not flat.isascii() or not flat.isprintable():
        flat = "".join(char for char in flat if char in _JOINERS or unicodedata.category(char) not in _UNSEEN)
    return flat.strip()[:most].rstrip()


def guard_cell(text: str) -> str:
    """The text for a CSV cell: with `'` before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard_cell(text: str) -> str:
    """Undoes `guard_cell`, exactly."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text
