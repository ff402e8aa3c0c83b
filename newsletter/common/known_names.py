"""Find a row by a name that a person wrote. An unknown name is an error with the nearest known one."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TypeVar

from django.db.models import Model

from newsletter.common.errors import BadFile

_Row = TypeVar("_Row", bound=Model)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean “x”?``, or "" if no known word is near."""
    spellings = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), spellings, n=1, cutoff=0.6)
    return f"did you mean “{spellings[close[0]]}”?" if close else ""


def find_by_name(name: str, rows: Iterable[_Row], *, by: Sequence[str], what: str, where: str) -> _Row:
    """Return the row with this name, by the first of these fields that has it. Raise BadFile if none has.

    The error says `where` the name was written, and `what` it should name.
    """
    rows = list(rows)
    for field in by:
        for row in rows:
            if getattr(row, field) == name:
                return row
    names = [str(getattr(row, by[0])) for row in rows]
    hint = nearest(name, names) or (f"known are {', '.join(names[:12])}." if names else f"there is no {what} yet.")
    raise BadFile("%(where)s: %(what)s “%(name)s” is not known; %(hint)s", where=where, what=what, name=name, hint=hint)
