"""The pattern of a publication's subjects: text with placeholders that each issue fills in."""

import re

SUBJECT_PLACEHOLDERS = ("lead_headline", "publication", "number")
_SINGLE_BRACES = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")


def find_unknown_placeholder(pattern: str) -> str:
    """Return the first word in single braces that is not a placeholder, or ""."""
    return next((word for word in _SINGLE_BRACES.findall(pattern) if word not in SUBJECT_PLACEHOLDERS), "")
