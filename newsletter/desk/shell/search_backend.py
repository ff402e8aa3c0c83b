"""The search backend of Wagtail's own pages, such as images. It searches for plain words only."""

import re
from typing import Any, TypeVar

from wagtail.search.backends import database

from newsletter.common.text import explain_long_search

_NOT_A_WORD = re.compile(r"[^\w@.+-]+")


Query = TypeVar("Query")


class _PlainWordSearch:
    """The database search, without query syntax. It finds nothing for a text that is too long to search for."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)

    def search(self, query: object, *args: object, **kwargs: object) -> object:
        return self._backend.search(_plain(query), *args, **kwargs)

    def autocomplete(self, query: object, *args: object, **kwargs: object) -> object:
        return self._backend.autocomplete(_plain(query), *args, **kwargs)


def SearchBackend(params: dict[str, object]) -> _PlainWordSearch:  # noqa: N802  Wagtail needs this name
    """Return the backend. Wagtail finds it by this name."""
    return _PlainWordSearch(database.SearchBackend(params))


def _plain(query: Query) -> Query | str:
    if not isinstance(query, str):
        return query
    if explain_long_search(query):
        return ""
    return " ".join(_NOT_A_WORD.sub(" ", query).split())
