"""Recognise database errors by their codes. PostgreSQL writes their texts in the language of its server."""

import re
import sqlite3

from django.db import Error

QUERY_CANCELED = "57014"
_READ_ONLY = "25006"
_MISSING = ("42P01", "42703")  # a table, a column
_UNUSABLE = ("08", "28", "3D", "53", "57", "58")  # classes: connection, sign-in, database, resources, shutdown, system
_SQLITE_HAS_NO_SUCH = re.compile(r"no such (table|column)|^table .+ has no column named ", re.IGNORECASE)
_SQLITE_PRIMARY_CODE = 0xFF


def sqlstate_of(error: Error) -> str:
    """Return PostgreSQL's five-letter error code, or "" without one (SQLite has none)."""
    return str(getattr(error.__cause__, "sqlstate", None) or "")


def is_interrupted(error: Error) -> bool:
    """Return True if the database cancelled a statement on request, such as at a time limit."""
    return sqlstate_of(error) == QUERY_CANCELED or _sqlite_code_of(error) == sqlite3.SQLITE_INTERRUPT


def is_statement_refused(error: Error) -> bool:
    """Return True if PostgreSQL works and refused this one statement."""
    code = sqlstate_of(error)
    return bool(code) and code[:2] not in _UNUSABLE


def is_read_only(error: Error) -> bool:
    """Return True if PostgreSQL takes no changes at all."""
    return sqlstate_of(error) == _READ_ONLY


def describe_cause(error: Exception) -> str:
    """Return the first line of the driver's text. PostgreSQL repeats the statement in the next ones."""
    lines = str(error.__cause__ or error).strip().splitlines()
    return " ".join(lines[0].split()).rstrip(".") if lines else ""


def is_locked(error: Error) -> bool:
    """Return True if another process holds SQLite's lock."""
    return _sqlite_code_of(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_refused_by_disk(error: Error) -> bool:
    """Return True if SQLite may not open or write its file, or the files beside it."""
    return _sqlite_code_of(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def is_disk_full(error: Error) -> bool:
    """Return True if SQLite found no room. Some file systems report a full disk as an error of reading or writing."""
    return _sqlite_code_of(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def is_damaged(error: Error) -> bool:
    """Return True if the file is no SQLite database, or a damaged one."""
    return _sqlite_code_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_table_missing(error: Error) -> bool:
    """Return True if a table or a column is missing. SQLite has no code for it, and only English texts.

    PostgreSQL's 42P01 is wider: a statement that names a table its FROM clause lacks has it too.
    """
    if isinstance(error.__cause__, sqlite3.Error):
        return bool(_SQLITE_HAS_NO_SUCH.search(str(error)))
    return sqlstate_of(error) in _MISSING


def _sqlite_code_of(error: Error) -> int:
    """Return SQLite's primary error code, or 0 if it is no error of SQLite's."""
    return int(getattr(error.__cause__, "sqlite_errorcode", 0)) & _SQLITE_PRIMARY_CODE
