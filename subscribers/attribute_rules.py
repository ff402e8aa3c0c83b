"""The rules for names and values of custom attributes: spelling and limits. No I/O."""

import re
import unicodedata
from collections.abc import Mapping

from newsletter.common.messages import Message
from newsletter.common.text import clean_line

MAX_KEY_LENGTH = 60
MAX_VALUE_LENGTH = 300
MAX_ATTRIBUTES_PER_PERSON = 50
_SEPARATORS = re.compile(r"[\W_]+")


def attribute_key(text: str) -> str:
    """Return the canonical name: “Member since” and `member_since` both give `member_since`. It may be empty."""
    lower = unicodedata.normalize("NFC", text).lower()
    return _SEPARATORS.sub("_", lower).strip("_")[:MAX_KEY_LENGTH].rstrip("_")


def attribute_value(text: str) -> str:
    """Return the value as one clean line of at most 300 characters. It may be empty."""
    return clean_line(text, max_length=MAX_VALUE_LENGTH)


def fold_value(value: str) -> str:
    """Return the value as rules compare it: case-folded, NFC, at most 300 characters."""
    return unicodedata.normalize("NFC", value.casefold())[:MAX_VALUE_LENGTH]


def clean_attributes(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the attributes that can be kept, and a message for each that was left out or cut."""
    clean: dict[str, str] = {}
    notes: list[str] = []
    for name, text in given.items():
        key, value = attribute_key(name), attribute_value(text)
        if not value:
            continue
        if not key:
            notes.append(
                Message(
                    "“%(name)s” was left out: the name of an extra field needs a letter or digit.",
                    name=name.strip()[:40],
                )
            )
            continue
        if key in clean:
            notes.append(Message("The extra field %(key)s occurs more than once. The first value was kept.", key=key))
            continue
        if len(clean) == MAX_ATTRIBUTES_PER_PERSON:
            notes.append(
                Message(
                    "One person can have %(max_attributes)s extra fields. %(key)s and the next ones were left out.",
                    max_attributes=MAX_ATTRIBUTES_PER_PERSON,
                    key=key,
                )
            )
            break
        if len(text.strip()) > MAX_VALUE_LENGTH:
            notes.append(
                Message(
                    "The value of %(key)s was cut to %(max_length)s characters.",
                    key=key,
                    max_length=MAX_VALUE_LENGTH,
                )
            )
        clean[key] = value
    return clean, notes
