"""Plain text put in order: spaces, lengths, teasers. It knows no HTML and no entries."""

import re
import unicodedata

TITLE_LENGTH = 300
TEASER_LENGTH = 280

_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_SENTENCE_END = re.compile(r"[.!?…。！？।]+[\"'”’»)\]]*(?=\s|$)")
_ABBREVIATIONS = (
    "mr.",
    "mrs.",
    "ms.",
    "dr.",
    "st.",
    "rev.",
    "prof.",
    "no.",
    "vs.",
    "e.g.",
    "i.e.",
    "u.s.",
    "u.k.",
    "inc.",
)
_KEPT_FORMATS = {"\u200d", "\u200c", "\ufe0f"}


def tidy(text: str, *, keep_lines: bool = False) -> str:
    """Text without control characters and doubled spaces, on one line unless ``keep_lines``.

    Marks that turn the direction of text are dropped, so that nothing after it is turned; joiners of emoji stay.
    """
    kept = "".join(
        char
        for char in text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
        if char in "\n\t" or char in _KEPT_FORMATS or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    lines = _LINES.sub("\n", _SPACES.sub(" ", kept)).strip()
    return lines if keep_lines else _SPACES.sub(" ", lines.replace("\n", " "))


def cut_at_word(text: str, limit: int) -> str:
    """Text of at most ``limit`` characters, ended with "…" after a whole word when it had to be cut."""
    if len(text) <= limit:
        return text
    room = text[: limit - 1]
    space = room.rfind(" ")
    return (room[:space] if space > limit // 2 else room).rstrip(" ,;:–—-(") + "…"


def make_teaser(text: str, *, limit: int = TEASER_LENGTH) -> str:
    """The first sentences of a text that fit in ``limit`` characters; a first sentence too long is cut at a word."""
    line = tidy(text)
    if len(line) <= limit:
        return line
    end = 0
    for match in _SENTENCE_END.finditer(line[: limit + 1]):
        last_word = line[: match.end()].rsplit(" ", 1)[-1].lower()
        if match.end() <= limit and last_word not in _ABBREVIATIONS:
            end = match.end()
    return line[:end] if end >= limit // 4 else cut_at_word(line, limit)
