"""Split a written address into the parts that may name a town, without numbers, postcodes and links."""

import re

_SEPARATORS = re.compile(r"[,;:|\n\r\t()\[\]/·•~]+|\s[-–—]\s|\\n")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_POSTCODES = re.compile(
    r"\b(?:[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}"  # Great Britain
    r"|[A-Z]\d[A-Z]\s*\d[A-Z]\d"  # Canada
    r"|\d{4}\s?[A-Z]{2}"  # Netherlands
    r"|[A-Z]{1,2}-\d{3,6}|\d{5}-\d{3,4}|\d{3}\s\d{2}|\d{2}-\d{3}|\d{3}-\d{4})\b"
)
_OUTWARD_CODE = re.compile(r"\b[A-Z]{1,2}\d{1,2}[A-Z]?\b")
_NUMBERED = re.compile(r"\b\d[\w-]*\b|#\S*")
_LEADING = {"at", "in", "near", "and", "also", "or", "from", "on", "via", "by", "@", "&", "+", "live"}
_MAX_LENGTH = 500
_MAX_PARTS = 12
_MAX_WORDS = 8


def address_parts(text: str) -> list[str]:
    """Return the parts in order, without digits and postcodes: at most twelve, of at most eight words."""
    parts: list[str] = []
    for raw in _SEPARATORS.split(_LINK.sub(" ", text[:_MAX_LENGTH])):
        part = raw
        for pattern in (_POSTCODES, _OUTWARD_CODE, _NUMBERED):
            part = pattern.sub(" ", part)
        words = part.strip(" .:'\"-–—*").split()
        while words and (words[0] in _LEADING or (len(words) > 1 and words[0].lower() in _LEADING)):
            words.pop(0)
        if words and any(char.isalpha() for char in part) and len(words) <= _MAX_WORDS:
            parts.append(" ".join(words))
    return parts[-_MAX_PARTS:]
