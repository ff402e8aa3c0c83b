"""PURE. The one value that says of each list how somebody is on it: `events asked_on=2026-01-31 mail_frequency=monthly`.

A file of all lists has it, with lists between semicolons, so that each list can be taken out of it again.
"""

from collections.abc import Iterable, Mapping

LIST_TERMS = ("asked_on", "expires_on", "mail_frequency", "paused_until")


def write_each_list(lists: Iterable[tuple[str, Mapping[str, str]]]) -> str:
    """From the slug of each list and its terms; those that say nothing are left out."""
    return "; ".join(
        " ".join([slug, *(f"{term}={terms[term]}" for term in LIST_TERMS if terms.get(term))]) for slug, terms in lists
    )


def read_each_list(text: str, *, slug: str) -> dict[str, str] | None:
    """The terms of one list; None where it is not among them."""
    for part in text.split(";"):
        words = part.split()
        if words and words[0] == slug:
            given = dict(word.partition("=")[::2] for word in words[1:])
            return {term: given.get(term, "") for term in LIST_TERMS}
    return None
