"""Fold names to plain lower-case letters, so that they can be compared and searched."""

import re
import unicodedata

from newsletter.common.text import remove_accents

_SAINTS = {"st": "saint", "ste": "sainte", "mt": "mount", "ft": "fort"}
_APOSTROPHES = re.compile(r"['’ʻʼ‘`´.]")
_NOT_WORD = re.compile(r"[^\w]+|_+")


def fold(text: str) -> str:
    """Return the comparable form of a name: no accents, lower case, single spaces, "St." as "saint"."""
    words = _NOT_WORD.sub(" ", _APOSTROPHES.sub("", remove_accents(text))).split()
    return " ".join(_SAINTS.get(word, word) for word in words)


def is_usable_alternate(name: str) -> bool:
    """Return True if people write this alternate name: capitalised Latin letters, at least four."""
    if len(name) < 4 or not name[0].isupper() or name.isupper():
        return False
    return all(char in " -'’." or (char.isalpha() and "LATIN" in unicodedata.name(char, "")) for char in name)
