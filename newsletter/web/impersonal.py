"""Fills a mail's tokens for nobody in particular: every default, and one harmless page for every personal link."""

from collections.abc import Iterable

from newsletter.rendering import Variable, split, values_for

PERSONAL_LINKS = ("unsubscribe", "preferences")


def fill_impersonal(text: str, *, variables: Iterable[Variable], personal_url: str) -> str:
    """``text`` with defaults for names and ``personal_url`` for each personal link."""
    values = values_for(variables=tuple(variables), fields=dict.fromkeys(PERSONAL_LINKS, personal_url))
    return split(text).join(values)
