"""PURE. The names and values of custom attributes: one spelling each, within limits. Stores nothing."""

import re
import unicodedata
from collections.abc import Mapping

from newsletter.common.text import clean_line

MOST_OF_A_KEY = 60
MOST_OF_A_VALUE = 300
MOST_OF_A_PERSON = 50
_APART = re.compile(r"[\W_]+")


def attribute_key(text: str) -> str:
    """The one spelling of an attribute's name: “Member since” and `member_since` are `member_since`; may be empty."""
    lower = unicodedata.normalize("NFC", text).lower()
    return _APART.sub("_", lower).strip("_")[:MOST_OF_A_KEY].rstrip("_")


def attribute_value(text: str) -> str:
    """The value as one clean line of at most 300 characters; may be empty."""
    return clean_line(text, most=MOST_OF_A_VALUE)


def fold_value(value: str) -> str:
    """The value as rules compare it: without regard to case, in one Unicode form, at most 300 characters."""
    return unicodedata.normalize("NFC", value.casefold())[:MOST_OF_A_VALUE]


def clean_attributes(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The attributes as they can be kept, without empty ones, and in words what was left out or cut, and why."""
    clean: dict[str, str] = {}
    notes: list[str] = []
    for name, text in given.items():
        key, value = attribute_key(name), attribute_value(text)
        if not value:
            continue
        if not key:
            notes.append(f"“{name.strip()[:40]}” cannot name an attribute: it has no letter or digit; left out.")
            continue
        if key in clean:
            notes.append(f"The attribute {key} is there more than once; the first value counts.")
            continue
        if len(clean) == MOST_OF_A_PERSON:
            notes.append(f"More than {MOST_OF_A_PERSON} attributes for one person; {key} and what follows is left out.")
            break
        if len(text.strip()) > MOST_OF_A_VALUE:
            notes.append(f"The value of {key} is longer than {MOST_OF_A_VALUE} characters; its end is left out.")
        clean[key] = value
    return clean, notes
