"""Run a command beside a PostgreSQL of its own: python -m tests.support.postgres pytest tests/db

With `--as-recommended` before the command, the server has the settings of docs/how-to/scale-out.md, and the durability of
a real one: use it for figures. The binaries are found on PATH or where Debian puts them. Without them nothing runs, and
it prints the reason.
"""

import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.ports import free_port
from tests.support.time_limits import START_SECONDS

USER = "nobody"
# What was committed must be there after the server is killed; only a power cut may cost it, and no test cuts the power.
FAST = {"fsync": "off", "full_page_writes": "off"}
# What docs/how-to/scale-out.md tells an installation of 8 GB to set. Everything else is PostgreSQL's default, fsync too.
RECOMMENDED = {
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
}
AS_RECOMMENDED = "--as-recommended"
# A worker has a connection for each thread and job; several beside one another need more than PostgreSQL's hundred.
MANY = {"max_connections": "400"}


def find_binary(name: str) -> str | None:
    found = shutil.which(name)
    return found or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)


class Cluster:
    """One PostgreSQL server of our own on a loopback port, which tests stop, crash, freeze and start."""

    def __init__(self, folder: Path, settings: Mapping[str, str] = FAST) -> None:
        initdb, server = find_binary("initdb"), find_binary("postgres")
        if not initdb or not server:
            raise SystemExit("PostgreSQL's binaries (initdb, postgres) are not on this machine: its tests are not run.")
        self.folder, self.port = folder, free_port()
        self._data, self._server = folder / "data", server
        self._settings = [f"--{name}={value}" for name, value in {**MANY, **settings}.items()]
        self._user = USER if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._data.mkdir()
        if self._user:
            for path in (folder, self._data):
                shutil.chown(path, user=self._user)
        _run(
            [
                initdb,
                "-D",
                str(self._data),
                "-U",
                "test",
                "--auth=trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
            self._user,
        )

    def url(self, database: str = "postgres") -> str:
        return f"postgres://test@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, or start it again, and wait until it answers."""
        listening = ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._server, "-D", str(self._data), *listening, *self._settings],
                user=self._user,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        _wait(self.port, self._process)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it. With ``at_once``, stop it as a crash does: what was under way is lost."""
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(timeout=START_SECONDS)

    def freeze(self) -> None:
        """Let it answer nobody, with every connection open."""
        self._tell(signal.SIGSTOP)

    def thaw(self) -> None:
        self._tell(signal.SIGCONT)

    def _tell(self, number: signal.Signals) -> None:
        assert self._process is not None
        for pid in (self._process.pid, *_children(self._process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


@contextmanager
def temporary_cluster(folder: Path | None = None, settings: Mapping[str, str] = FAST) -> Iterator[Cluster]:
    """Run a cluster and remove it afterwards. ``folder`` is where its files are, if that matters."""
    with tempfile.TemporaryDirectory(prefix="newsletter-pg-", dir=folder) as made:
        cluster = Cluster(Path(made), settings)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


@contextmanager
def temporary_postgres(settings: Mapping[str, str] = FAST) -> Iterator[str]:
    """Run a new, empty cluster on a free loopback port, yield its URL, and remove it afterwards."""
    with temporary_cluster(settings=settings) as cluster:
        yield cluster.url()


def copy_to(cluster: Cluster, *, url: str, name: str) -> str:
    """Copy a database of another cluster to this one, and return its URL."""
    dump, restore = find_binary("pg_dump"), find_binary("psql")
    if not dump or not restore:
        raise SystemExit("PostgreSQL's pg_dump and psql are not on this machine.")
    _run([restore, "-q", "-d", cluster.url(), "-c", f'CREATE DATABASE "{name}"'], None)
    dumped = subprocess.run([dump, "--no-owner", url], capture_output=True, check=True)
    command = [restore, "-q", "-v", "ON_ERROR_STOP=1", "-d", cluster.url(name)]
    subprocess.run(command, input=dumped.stdout, stdout=subprocess.DEVNULL, check=True)
    return cluster.url(name)


def _children(parent: int) -> list[int]:
    """Return the processes of a server: each connection has one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def _run(command: list[str], user: str | None) -> None:
    done = subprocess.run(command, user=user, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr.strip()}")


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    import psycopg

    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit("PostgreSQL stopped while it was starting.")
        try:
            psycopg.connect(f"postgres://test@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"PostgreSQL did not start within {START_SECONDS} seconds.")


def main(command: list[str]) -> int:
    as_recommended = command[:1] == [AS_RECOMMENDED]
    with temporary_postgres(RECOMMENDED if as_recommended else FAST) as url:
        command = command[1:] if as_recommended else command
        return subprocess.run(command, env={**os.environ, "NEWSLETTER_TEST_DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
