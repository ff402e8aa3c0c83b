"""A time limit for read queries, so that a page is answered in time. Do not write inside it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

from newsletter.common.database.error_codes import is_interrupted

_STEPS_BETWEEN_CHECKS = 10_000  # of SQLite's virtual machine


class QueryTimeout(Exception):
    """The query was stopped at the time limit."""


@contextmanager
def query_time_limit(milliseconds: int) -> Iterator[None]:
    """Stop the queries inside after this time and raise `QueryTimeout`."""
    try:
        if connection.vendor == "postgresql":
            with postgres_settings(statement_timeout=str(milliseconds), work_mem="64MB", jit="off"):
                yield
        else:
            with _sqlite_time_limit(milliseconds):
                yield
    except OperationalError as error:
        if is_interrupted(error):
            raise QueryTimeout from error
        raise


@contextmanager
def postgres_settings(**settings: str) -> Iterator[None]:
    """Apply PostgreSQL settings to the queries inside. Do nothing on other databases."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute(f"SET LOCAL {name} TO '{value}'")
        yield
        for name in settings:
            cursor.execute(f"SET LOCAL {name} TO DEFAULT")


@contextmanager
def _sqlite_time_limit(milliseconds: int) -> Iterator[None]:
    connection.ensure_connection()
    end = time.monotonic() + milliseconds / 1000
    connection.connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_CHECKS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)
