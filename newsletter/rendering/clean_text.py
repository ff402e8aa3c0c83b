"""Clean plain text for mails: remove invisible controls, tidy lines, shorten at a word, wrap. No HTML here."""

import re
import textwrap
from functools import lru_cache
from urllib.parse import urlsplit

from newsletter.common.personal_tokens import TOKEN_PREFIX

# Controls, line and paragraph separators, marks that reverse the direction of text, lone surrogates, non-characters.
UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
UNSAFE_IN_LINE = re.compile(UNSAFE.pattern[:-1] + "\t\n\r]")
SOFT_HYPHEN = "\u00ad"
MAX_LINE_LENGTH = 72
SOFT_BREAK = "\x1f"
"""The end of a line that ``wrap`` broke, until the text is whole: one space then, as in format=flowed (RFC 3676)."""
_TRAILING_PUNCTUATION = " ·,;:-–—"
# A link as plain text has it: an address, or a reader's own page with a case. No punctuation of the sentence is in it.
_LINK = re.compile(
    rf"(?:https?://|mailto:|tel:|{TOKEN_PREFIX}t_preferences__\?case=)[^\s<>]*[^\s<>.,;:!?)\]}}’”\"'*]", re.IGNORECASE
)
_LABELLED_LINK = re.compile(rf":[ ]+(?={_LINK.pattern})", re.IGNORECASE)
_RULE = re.compile(r"([-=*])\1+")
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_ADDRESS = re.compile(r".*://|\(?[\w-]+(?:\.[\w-]+)+/")  # also one without its scheme, such as “example.org/visit”


def tidy_line(text: str) -> str:
    """Return one line without controls and direction overrides, with white space collapsed."""
    return " ".join(UNSAFE_IN_LINE.sub(" ", text).split())


def join_lines(text: str) -> str:
    """Return a postal address of several lines as one line with commas."""
    return tidy_line(", ".join(part for line in text.splitlines() if (part := line.strip(" ,"))))


def tidy_paragraphs(text: str) -> str:
    """Return paragraphs with one blank line between, each tidied as one line."""
    bare = UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n\n".join(line for part in re.split(r"\n\s*\n", bare) if (line := tidy_line(part)))


def tidy_lines(text: str) -> str:
    """Return text with its line breaks, each line tidied, and at most one blank line between."""
    bare = UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(tidy_line(line) for line in bare.split("\n"))).strip("\n")


def shorten(text: str, length: int) -> str:
    """Return at most ``length`` characters, cut at a word if possible, with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    if not text[length - 1].isspace() and " " in cut[length // 2 :]:
        cut = cut.rsplit(" ", 1)[0]
    return cut.rstrip(_TRAILING_PUNCTUATION) + "…"


def wrap(text: str, *, indent: str = "") -> str:
    """Return plain text in lines of at most 72 characters. Links stay whole; longer words are broken.

    Without an indent, a line that was broken ends in ``SOFT_BREAK``.
    """
    return "\n".join(_wrap_line(line, indent) for line in text.split("\n"))


def number_links(text: str, *, links: list[str]) -> str:
    """Return wrapped text with a number such as “[2]” in place of each link. Append links that are new to ``links``.

    A link on a line of its own becomes a number at the end of the line above, if there is room.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        above = lines[-1].rstrip(f": {SOFT_BREAK}") if lines else ""
        numbered = _LINK.sub(lambda match: f"[{_find_number(match[0], links)}]", _LABELLED_LINK.sub(" ", line))
        joined = f"{above} {numbered.strip()}"
        is_alone = _LINK.fullmatch(line.strip()) is not None
        if is_alone and above and not _RULE.fullmatch(above.strip()) and len(joined) <= MAX_LINE_LENGTH:
            lines[-1] = joined
        else:
            lines.append(numbered)
    return "\n".join(lines)


def _find_number(link: str, links: list[str]) -> int:
    if link not in links:
        links.append(link)
    return links.index(link) + 1


def finish_lines(text: str) -> str:
    """Return the text with at most one blank line between, and a space at the end of the lines that ``wrap`` broke."""
    lines = [f"{line.rstrip()} " if line.endswith(SOFT_BREAK) else line.rstrip() for line in text.split("\n")]
    finished = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
    return "\n".join(finished).strip("\n") + "\n"


def safe_url(url: str) -> str:
    """Return the trimmed link, "" unless it is a web, mail or telephone link without controls."""
    bare = url.strip()
    if UNSAFE_IN_LINE.search(bare) or any(mark in bare for mark in '"<>`\\ '):
        return ""
    try:
        parts = urlsplit(bare)
    except ValueError:
        return ""
    if parts.scheme.lower() not in _SCHEMES:
        return ""
    return bare if parts.scheme.lower() in {"mailto", "tel"} or parts.hostname else ""


def safe_picture_url(url: str) -> str:
    """Return a picture's URL, "" unless it is an absolute http or https URL."""
    bare = safe_url(url)
    return bare if bare.lower().startswith(("http://", "https://")) else ""


@lru_cache(maxsize=2_000)
def _wrap_line(line: str, indent: str) -> str:
    if not line.strip():
        return ""
    words: list[str] = []
    for word in line.split(" "):
        keep = len(word) <= MAX_LINE_LENGTH or "__pv_" in word or _ADDRESS.match(word)
        words += [word] if keep else textwrap.wrap(word, MAX_LINE_LENGTH - len(indent))
    lines = textwrap.wrap(
        " ".join(words),
        MAX_LINE_LENGTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return ("\n" if indent else f"{SOFT_BREAK}\n").join(lines)
