"""The one value that holds a person's terms on each list: `events asked_on=2026-01-31 mail_frequency=monthly`.

A file of all lists has such a column, with lists separated by semicolons.
"""

from collections.abc import Iterable, Mapping

LIST_TERMS = ("asked_on", "expires_on", "mail_frequency", "paused_until")


def write_each_list(lists: Iterable[tuple[str, Mapping[str, str]]]) -> str:
    """Write the slug of each list with its terms. Empty terms are left out."""
    return "; ".join(
        " ".join([slug, *(f"{term}={terms[term]}" for term in LIST_TERMS if terms.get(term))]) for slug, terms in lists
    )


def read_each_list(text: str, *, slug: str) -> dict[str, str] | None:
    """Return the terms of one list, or None if it is not among them."""
    for part in text.split(";"):
        words = part.split()
        if words and words[0] == slug:
            given = dict(word.partition("=")[::2] for word in words[1:])
            return {term: given.get(term, "") for term in LIST_TERMS}
    return None
