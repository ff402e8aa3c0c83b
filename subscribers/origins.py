"""The origin of a change, so that a system which receives our webhooks can recognise its own changes.

Each entrance (API, desk, import, reports of the provider) names itself for the time of its work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

DESK, IMPORT, PROVIDER, SELF, SYSTEM = "desk", "import", "provider", "self", "system"
_current: ContextVar[str] = ContextVar("origin", default="")


@contextmanager
def acting_through(origin: str) -> Iterator[None]:
    """Record this origin for all changes made inside."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def set_origin(origin: str) -> None:
    """Record this origin until the surrounding `acting_through` ends."""
    _current.set(origin)


def api_origin(key_name: str) -> str:
    """Return the origin of changes by an API key."""
    return f"api:{key_name}"


def current_origin(*, by_person: bool = False) -> str:
    """Return the origin. Without a named one: ``self`` for what the person did, else ``system``."""
    return _current.get() or (SELF if by_person else SYSTEM)
