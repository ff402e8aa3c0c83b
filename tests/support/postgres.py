"""Runs a command beside a PostgreSQL of its own: python -m tests.support.postgres pytest tests/db

The binaries are found on PATH or where Debian puts them. Without them nothing runs and the reason is said.
"""

import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "nobody"
FAST = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


def find_binary(name: str) -> str | None:
    found = shutil.which(name)
    return found or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)


@contextmanager
def temporary_postgres() -> Iterator[str]:
    """The URL of a new, empty cluster on a free loopback port; gone afterwards."""
    initdb, server = find_binary("initdb"), find_binary("postgres")
    if not initdb or not server:
        raise SystemExit("PostgreSQL's binaries (initdb, postgres) are not on this machine: its tests are not run.")
    user = USER if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="newsletter-pg-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        if user:
            for path in (folder, data):
                shutil.chown(path, user=user)
        _run(
            [initdb, "-D", str(data), "-U", "test", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"], user
        )
        port = _free_port()
        arguments = [server, "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", folder, *FAST]
        log = (Path(folder) / "log").open("wb")
        process = subprocess.Popen(arguments, user=user, stdout=log, stderr=log, cwd=folder)
        try:
            _wait(port, process)
            yield f"postgres://test@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait(timeout=30)
            log.close()


def _run(command: list[str], user: str | None) -> None:
    done = subprocess.run(command, user=user, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    import psycopg

    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit("PostgreSQL stopped while it was starting.")
        try:
            psycopg.connect(f"postgres://test@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            import time

            time.sleep(0.1)
        else:
            return
    raise SystemExit("PostgreSQL did not start within 20 seconds.")


def main(command: list[str]) -> int:
    with temporary_postgres() as url:
        return subprocess.run(command, env={**os.environ, "NEWSLETTER_TEST_DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
