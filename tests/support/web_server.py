"""A real `newsletter web` on loopback with a database of its own, for tests of what a web server lets through.

As a program, `python -m tests.support.web_server`, it fills the database and prints what tests need to know as JSON.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.ports import free_port
from tests.support.processes import Process, open_process
from tests.support.time_limits import START_SECONDS

MEMBERS = 12
_DATABASE = "newsletter.sqlite3"


class RunningWebServer:
    """The address of a running server, and what `tests.support.web_server` filled in."""

    def __init__(self, *, port: int, known: Mapping[str, Any], process: Process) -> None:
        self.port, self.known, self.process = port, known, process

    def connect(self, *, source: str = "127.0.0.1", timeout: float = 30) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout, source_address=(source, 0))

    def send(self, request: bytes, *, source: str = "127.0.0.1", timeout: float = 30) -> bytes:
        """Everything that the server answers to these bytes until it closes the connection."""
        with self.connect(source=source, timeout=timeout) as sock:
            sock.sendall(request)
            return read_all(sock)

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        source: str = "127.0.0.1",
        timeout: float = 30,
    ) -> tuple[int, str]:
        """The status and the whole text of an answer."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
        answer = self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body, source=source, timeout=timeout)
        return status_of(answer), answer.decode("utf-8", "replace")


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer[9:12])


def read_all(sock: socket.socket) -> bytes:
    """Return the bytes that arrive until the server closes."""
    parts = []
    while True:
        try:
            part = sock.recv(65_536)
        except ConnectionResetError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


class FilledDatabase(NamedTuple):
    """A database with people, staff and keys, and what tests need to know of them."""

    file: Path
    known: Mapping[str, Any]


def fill_database(folder: Path, *, migrated: Path, **env: str) -> FilledDatabase:
    """Copy this database into the folder and fill it. It takes a program of its own, so servers of one module share it."""
    file = folder / _DATABASE
    shutil.copy(migrated, file)
    whole = {**os.environ, **_make_settings(folder), **env}
    filled = subprocess.run(
        [sys.executable, "-m", "tests.support.web_server"],
        env=whole,
        check=True,
        timeout=START_SECONDS,
        stdout=subprocess.PIPE,
    )
    return FilledDatabase(file, json.loads(filled.stdout))


@contextmanager
def serve(folder: Path, *, migrated: Path, **env: str) -> Iterator[RunningWebServer]:
    """Yield a server in this folder, with a copy of this database, which is filled. It stops at the end."""
    own = folder / "filled"
    own.mkdir()
    with serve_filled(folder, filled=fill_database(own, migrated=migrated, **env), **env) as server:
        yield server


@contextmanager
def serve_filled(folder: Path, *, filled: FilledDatabase, **env: str) -> Iterator[RunningWebServer]:
    """Yield a server in this folder, with a copy of a filled database. It stops at the end."""
    shutil.copy(filled.file, folder / _DATABASE)
    port = free_port()
    whole = {**os.environ, **_make_settings(folder), "NEWSLETTER_SITE_URL": f"http://127.0.0.1:{port}", **env}
    log = folder / "web.log"
    command = [sys.executable, "-m", "newsletter.project.cli", "web", "--port", str(port)]
    process = Process(open_process(command, env=whole, log=log), log=log)
    try:
        _wait_for(port, process=process)
        yield RunningWebServer(port=port, known=filled.known, process=process)
    finally:
        if process.running:
            process.kill()


def _make_settings(folder: Path) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{folder / _DATABASE}", "NEWSLETTER_DATA_DIR": str(folder)}


def _wait_for(port: int, *, process: Process) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end and process.running:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the server did not start: {process.said()}")


def _fill() -> dict[str, Any]:
    from django.contrib.auth.models import User
    from django.test import Client
    from django.utils import timezone

    from newsletter.api_keys import make_key
    from newsletter.models import ApiScope
    from newsletter.models.api_keys import MAX_CALLS_PER_MINUTE
    from newsletter.organisation.accounts.staff import add_staff
    from tests.support.people import make_list, make_member, path_to

    weekly = make_list()
    people = [make_member(weekly, f"reader{number}@example.org") for number in range(MEMBERS)]
    add_staff(email="approver@example.org", role="approver", password="a quiet harbour at dawn")
    client = Client()
    client.force_login(User.objects.get(username="approver@example.org"))
    return {
        "leave": [path_to(person, weekly) for person in people],
        "cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()),
        "every_scope": make_key(
            name="stranger",
            scope=" ".join(ApiScope.values),
            by="root",
            now=timezone.now(),
            calls_per_minute=MAX_CALLS_PER_MINUTE,
        )[1],
        "key": make_key(name="web site", scope="read", by="root", now=timezone.now())[1],
    }


if __name__ == "__main__":
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.project.settings"
    django.setup()
    sys.stdout.write(json.dumps(_fill()))
