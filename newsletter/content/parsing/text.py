"""Tidy plain text: spaces, lengths, teasers."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

TITLE_LENGTH = 300
TEASER_LENGTH = 280
_MIN_TEASER_LENGTH = 15
_MAX_WORD_LENGTH = 40
_MIN_FRAGMENT_LENGTH = 40

_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_SENTENCE_END = re.compile(r"[.!?…。！？।]+[\"'”’»)\]]*(?=\s|$)")
SENTENCE_ENDS = (".", "!", "?", "”", '"', "’", "»", ")", "。", "！", "？", "।")
_ABBREVIATIONS = frozenset(
    [
        "mr.", "mrs.", "ms.", "dr.", "st.", "rev.", "prof.", "sr.", "sra.", "dra.", "mme.", "mlle.", "no.", "nr.",
        "vs.", "e.g.", "i.e.", "u.s.", "u.k.", "inc.", "ltd.", "z.b.", "d.h.", "bzw.", "ca.", "etc.", "usw.",
        "jr.", "gov.", "sen.", "rep.", "gen.", "lt.", "sgt.", "hon.", "art.", "p.m.", "a.m.",
    ]
)  # fmt: skip
_INITIAL = re.compile(r"[^\W\d_]\.|\d{1,2}\.")
_KEPT_FORMATS = {"\u200d", "\u200c", "\ufe0f"}


def tidy(text: str, *, keep_lines: bool = False) -> str:
    """Return text without control characters and repeated spaces, on one line unless ``keep_lines``.

    Marks that change the direction of text are removed, so that nothing after it is turned. Joiners of emoji stay.
    """
    printable = "".join(
        char
        for char in text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
        if char in "\n\t" or char in _KEPT_FORMATS or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    lines = _LINES.sub("\n", _SPACES.sub(" ", printable)).strip()
    return lines if keep_lines else _SPACES.sub(" ", lines.replace("\n", " "))


def cut_at_word(text: str, limit: int) -> str:
    """Return text of at most ``limit`` characters, ended with "…" after a whole word if it was cut."""
    if len(text) <= limit:
        return text
    start = text[: limit - 1]
    space = start.rfind(" ")
    return (start[:space] if space > limit // 2 else start).rstrip(" ,;:–—-(") + "…"


def make_teaser(text: str, *, limit: int = TEASER_LENGTH, cut: bool = False) -> str:
    """Return the first sentences that fit in ``limit`` characters. A first sentence that is too long is cut at a word.

    ``cut`` means that the text breaks off inside its last sentence, which is then left out. If it is the only one, it
    ends with "…", unless it is a few words, such as a heading.
    """
    line = tidy(text)
    if len(line) <= limit and not cut:
        return line
    end = 0
    for at in _sentence_ends(line[: limit + 1]):
        if at <= limit and not (cut and at == len(line) and not line.endswith(SENTENCE_ENDS)):
            end = at
    if end and (end >= limit // 4 or (cut and end >= _MIN_TEASER_LENGTH)):
        return line[:end]
    if len(line) <= limit:
        broken_off = len(line) >= _MIN_FRAGMENT_LENGTH and not line.endswith(SENTENCE_ENDS)
        return f"{line.rstrip(' ,;:–—-(')}…" if broken_off else line
    return cut_at_word(line, limit)


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a line of text, each with its end."""
    line = tidy(text)
    marks = [0, *_sentence_ends(line)]
    if marks[-1] < len(line):
        marks.append(len(line))
    parts = (line[start:end].strip() for start, end in pairwise(marks))
    return [part for part in parts if part]


def _sentence_ends(line: str) -> Iterator[int]:
    """Yield where sentences end. Full stops of abbreviations, initials and German days ("3. März") end none."""
    for match in _SENTENCE_END.finditer(line):
        last_word = (
            line[max(0, match.end() - _MAX_WORD_LENGTH) : match.end()].rsplit(" ", 1)[-1].lower().lstrip("(“\"'‘")
        )
        if last_word not in _ABBREVIATIONS and not _INITIAL.fullmatch(last_word):
            yield match.end()
