"""An error of the database is recognised by its code: PostgreSQL writes its texts in the language of its server."""

import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import requests
from django.conf import LazySettings
from django.db import DatabaseError, OperationalError, ProgrammingError
from procrastinate.exceptions import ConnectorException

from newsletter.common.commands.base import explain_database_error
from newsletter.common.database.error_codes import describe_cause
from newsletter.providers.base.contract import HttpRequest
from newsletter.providers.base.errors import RequestNotSent
from newsletter.providers.base.transport import Transport, describe_error
from subscribers.segments import count
from tests.support.unprivileged_user import make_world_writable_folder, run_as_nobody


def wrap(cause: Exception, kind: type[DatabaseError] = OperationalError) -> DatabaseError:
    """Return Django's error with the driver's as its cause."""
    error = kind(str(cause))
    error.__cause__ = cause
    return error


@contextmanager
def no_limit(milliseconds: int) -> Iterator[None]:
    yield


@pytest.mark.django_db
def test_a_spanish_server_stops_a_slow_query_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "_sqlite_time_limit", no_limit)
    canceled = psycopg.errors.QueryCanceled("cancelando la sentencia: se agotó el tiempo de espera")
    with pytest.raises(count.QueryTimeout), count.query_time_limit(50):
        raise wrap(canceled)


@pytest.mark.parametrize("missing", [psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn])
def test_a_spanish_server_without_our_tables_is_not_prepared(missing: type[psycopg.Error]) -> None:
    line = explain_database_error(wrap(missing("no existe la relación “newsletter_issue”"), ProgrammingError))
    assert line.startswith("The database is not prepared for this version (")
    assert line.endswith("Run: newsletter migrate")


def test_a_missing_role_is_not_taken_for_missing_tables() -> None:
    line = explain_database_error(wrap(psycopg.OperationalError('role "newsletter" does not exist')))
    assert line.startswith("The database cannot be used: ")


def test_a_refused_statement_does_not_blame_the_address() -> None:
    refused = psycopg.errors.UnsafeNewEnumValueUsage("uso inseguro del nuevo valor “aborting”")
    line = explain_database_error(wrap(refused))
    assert line.startswith("The database works, but it refused a step of this command: uso inseguro")
    assert "DATABASE_URL" not in line


def test_a_server_that_shuts_down_cannot_be_used() -> None:
    line = explain_database_error(wrap(psycopg.errors.AdminShutdown("terminando la conexión")))
    assert line.startswith("The database cannot be used: terminando la conexión. Check DATABASE_URL")


def test_the_statement_of_an_error_is_not_repeated() -> None:
    missing = psycopg.errors.UndefinedTable('relation "a" does not exist\nLINE 1: SELECT "secret" FROM "a"\n   ^')
    line = explain_database_error(wrap(missing, ProgrammingError))
    assert line == (
        'The database is not prepared for this version (relation "a" does not exist). Run: newsletter migrate'
    )


def test_an_error_of_the_queue_is_described_by_its_cause() -> None:
    error = ConnectorException()
    error.__cause__ = psycopg.OperationalError("connection failed: Connection refused\n\tIs the server running?")
    assert describe_cause(error) == "connection failed: Connection refused"


def test_a_sqlite_file_in_use_is_reported_as_busy(tmp_path: Path) -> None:
    file = tmp_path / "busy.sqlite3"
    with closing(sqlite3.connect(file)) as first, closing(sqlite3.connect(file, timeout=0)) as second:
        first.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as refused:
            second.execute("BEGIN IMMEDIATE")
    assert explain_database_error(wrap(refused.value)).startswith("The database is busy with another command.")


def test_a_sqlite_file_that_cannot_be_written_is_a_matter_of_rights(tmp_path: Path, settings: LazySettings) -> None:
    file = settings.NEWSLETTER_DATABASE_FILE = tmp_path / "read.sqlite3"
    with closing(sqlite3.connect(file)) as first:
        first.execute("CREATE TABLE one (id INTEGER)")
    reader = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    with closing(reader), pytest.raises(sqlite3.OperationalError) as refused:
        reader.execute("INSERT INTO one VALUES (1)")
    line = explain_database_error(wrap(refused.value))
    assert "cannot be written" in line
    assert "Run the command as the user who owns it." in line


def test_a_sqlite_file_that_is_missing_is_no_matter_of_rights(tmp_path: Path, settings: LazySettings) -> None:
    file = settings.NEWSLETTER_DATABASE_FILE = tmp_path / "none" / "read.sqlite3"
    with pytest.raises(sqlite3.OperationalError) as missing:
        sqlite3.connect(file)
    assert explain_database_error(wrap(missing.value)).startswith(f"There are no data in {file} yet.")


def test_the_file_that_this_user_may_not_write_is_named(settings: LazySettings) -> None:
    with make_world_writable_folder() as folder:
        folder.chmod(0o777)
        file, other = folder / "read.sqlite3", folder / "read.sqlite3-shm"
        file.touch()
        file.chmod(0o666)
        other.touch(mode=0o444)
        settings.NEWSLETTER_DATABASE_FILE = file
        reader = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        with closing(reader), pytest.raises(sqlite3.OperationalError) as refused:
            reader.execute("CREATE TABLE one (id INTEGER)")
        line = run_as_nobody(lambda: explain_database_error(wrap(refused.value)))
    assert f"This user may not write {other}. Run the command as the user who owns it." in line


def test_a_full_disk_asks_for_space() -> None:
    with closing(sqlite3.connect(":memory:")) as full:
        full.execute("CREATE TABLE one (text TEXT)")
        full.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as refused:
            full.execute("INSERT INTO one VALUES (?)", ["x" * 100_000])
    assert "Free some disk space" in explain_database_error(wrap(refused.value))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite3").write_text("a letter\n" * 1000)
    with closing(sqlite3.connect(tmp_path / "text.sqlite3")) as text, pytest.raises(sqlite3.DatabaseError) as refused:
        text.execute("SELECT * FROM one")
    assert "no SQLite database" in explain_database_error(wrap(refused.value))


@pytest.mark.parametrize(
    "statement",
    ["SELECT 1 FROM locked", "SELECT added FROM one", "UPDATE one SET added = 1", "INSERT INTO one (added) VALUES (1)"],
)
def test_an_older_sqlite_file_is_reported_as_not_prepared(statement: str) -> None:
    with closing(sqlite3.connect(":memory:")) as old:
        old.execute("CREATE TABLE one (id INTEGER)")
        with pytest.raises(sqlite3.OperationalError) as refused:
            old.execute(statement)
    line = explain_database_error(wrap(refused.value))
    assert line.startswith("The database is not prepared for this version (")


def refuse_connection() -> Exception:
    """Return the error of the HTTP client for a port that nobody listens on."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as refused:
        requests.get(f"http://127.0.0.1:{port}/", timeout=5)
    return refused.value


def suppress_cause() -> Exception:
    """Return an error whose code says that an earlier one did not lead to it."""
    try:
        try:
            raise ConnectionRefusedError
        except OSError:
            raise OSError from None
    except OSError as error:
        return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Conexión rehusada"), "it refused the connection"),
        (refuse_connection(), "it refused the connection"),
        (ConnectionResetError(104, "Conexión reinicializada"), "it closed the connection without an answer"),
        (TimeoutError(110, "Expiró el tiempo de conexión"), "it did not answer in time"),
        (
            socket.gaierror(-2, "Nombre o servicio desconocido"),
            "its name could not be found (DNS); check the spelling and this machine’s network",
        ),
        (OSError(101, "La red es inaccesible; refused"), "the connection failed (OSError)"),
        (suppress_cause(), "the connection failed (OSError)"),
    ],
)
def test_the_cause_of_a_failed_call_follows_from_its_type(error: Exception, said: str) -> None:
    assert str(describe_error(error)) == said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "it closed the connection without an answer"),
        (b"220 mail.example.org ESMTP\r\n", "it did not answer as HTTP"),
        (b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n", "it did not answer as HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-One: 1\r\n" * 101 + b"\r\n", "it did not answer as HTTP"),
    ],
    ids=["nothing", "greeting", "long line", "many headers"],
)
def test_an_answer_that_is_not_http_differs_from_no_answer(answer: bytes, said: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server, ThreadPoolExecutor(1) as thread:
        thread.submit(answer_once, server, answer)
        server.settimeout(10)
        port = server.getsockname()[1]
        request = HttpRequest("GET", f"http://127.0.0.1:{port}/", headers={}, body=b"", timeout=(5, 5))
        with closing(Transport()) as transport, pytest.raises(RequestNotSent, match=said):
            transport.call(request)


def answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(answer)
