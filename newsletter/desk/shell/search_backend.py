"""The index search behind Wagtail's own pages, such as the one of images, given plain words alone."""

import re
from typing import Any

from wagtail.search.backends import database

MAX_WORDS, MAX_LENGTH = 20, 200
_NOT_A_WORD = re.compile(r"[^\w@.+-]+")


class _PlainWordSearch:
    """The database's search with words alone: their number is limited, and no sign among them is syntax."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def search(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        return self._backend.search(_plain(query), *args, **kwargs)

    def autocomplete(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        return self._backend.autocomplete(_plain(query), *args, **kwargs)


def SearchBackend(params: dict[str, Any]) -> _PlainWordSearch:  # noqa: N802  the name that Wagtail looks for
    """Wagtail's search of this database, for its own pages, such as the one of images."""
    return _PlainWordSearch(database.SearchBackend(params))


def _plain(query: Any) -> Any:
    if not isinstance(query, str):
        return query
    return " ".join(_NOT_A_WORD.sub(" ", query[:MAX_LENGTH]).split()[:MAX_WORDS])
