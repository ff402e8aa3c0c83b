"""Connect this process to another database for a while.

Wagtail's migrations and our services write to the default connection only, so the default connection itself is changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def use_database(**changes: object) -> Iterator[None]:
    """Connect to another database: the present one's settings with these changes, such as NAME."""
    before, parameters = connections[DEFAULT_DB_ALIAS], connections.databases[DEFAULT_DB_ALIAS]
    before.close()
    del connections[DEFAULT_DB_ALIAS]
    connections.databases[DEFAULT_DB_ALIAS] = {**parameters, **changes}
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections.databases[DEFAULT_DB_ALIAS] = parameters
        connections[DEFAULT_DB_ALIAS] = before
