"""An installation of its own on disk, for tests that kill: real processes of the product on a real database.

The fake provider's ledger is what is believed; rows are read with plain SQL from outside.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests.support.fake_provider import FakeProvider
from tests.support.fork_server import ForkedProcess, ForkServer
from tests.support.provider_webhooks import SIGNING_KEY
from tests.support.time_limits import ANSWER_SECONDS, START_SECONDS

OPEN = ("pending", "submitting")
_UNFINISHED_SENDS = {"preparing", "ready", "submitting", ""}
CONFIRMING = "confirm-me@example.org"
JOINED = 300
"""How many people joined since the welcome was turned on, in a database that has one."""


def wait_until(
    told: Callable[[], Any], *, seconds: float = ANSWER_SECONDS, every: float = 0.05, what: str = "it"
) -> Any:
    """Return the first true result of ``told``. Raise AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        answer = told()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come about within {seconds} seconds")
        time.sleep(every)


def wait_for_start(process: "Process", told: Callable[[], Any], *, what: str) -> Any:
    """Return the first true result of ``told``, however slowly the process starts. Raise AssertionError if it ends."""

    def look() -> Any:
        assert process.running, process.said()
        return told()

    return wait_until(look, seconds=START_SECONDS, what=what)


def open_process(command: list[str], *, env: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a process in a group of its own, with its output in ``log``."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


class Process:
    """One process of the product, in a group of its own, with its output in a file."""

    def __init__(self, popen: "subprocess.Popen[bytes] | ForkedProcess", *, log: Path) -> None:
        self.popen, self.log = popen, log

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def kill(self) -> None:
        """Kill it, as a power cut does: it can do nothing more."""
        self._signal(signal.SIGKILL)
        self.popen.wait(START_SECONDS)

    def terminate(self, *, within: float = 32, by: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as a service manager does. Return the exit status."""
        self._signal(by)
        return self.popen.wait(within)

    def terminate_or_report(self, *, within: float) -> None:
        """Stop it as `terminate` does. Unless its status is 0, raise AssertionError with its output."""
        try:
            status = self.terminate(within=within)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGUSR1)
            time.sleep(1.0)
            raise AssertionError(f"a process that was told to stop did not within {within} s: {self.said()}") from None
        if status:
            raise AssertionError(f"a process that was told to stop ended with {status}: {self.said()}")

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used so far."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_memory_megabytes(self) -> float:
        """Return the most memory that it ever had."""
        lines = Path(f"/proc/{self.popen.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def _signal(self, number: int) -> None:
        if self.running:
            os.killpg(self.popen.pid, number)


class Installation:
    """A data folder, a database, a provider, and the processes that a test starts in it."""

    def __init__(
        self,
        *,
        folder: Path,
        database_url: str,
        provider: FakeProvider,
        engine: str,
        batch: int,
        logs: Path | None = None,
    ) -> None:
        self.folder, self.database_url, self.provider = folder, database_url, provider
        self.further_providers: dict[str, FakeProvider] = {}
        self._logs = logs or folder
        self._processes: list[Process] = []
        self._fork_servers: dict[tuple[tuple[str, str], ...], ForkServer] = {}
        self._env = {
            **os.environ,
            "DATABASE_URL": database_url,
            "NEWSLETTER_DATA_DIR": str(folder),
            "NEWSLETTER_ENGINE": engine,
            "NEWSLETTER_PROVIDER_URL": f"{provider.provider_url}&max_batch={batch}&webhook_key={SIGNING_KEY}",
        }

    def start(self, *arguments: str, stall: str = "", log: Path | None = None, **env: str) -> Process:
        """`newsletter …`; with ``stall``, held at that point until `release_stalled` (tests/support/stall_points.py).

        It is forked from a process that has read the code already, one for each environment.
        """
        whole = {**self._env, **env}
        known = tuple(sorted(whole.items()))
        if known not in self._fork_servers:
            self._fork_servers[known] = ForkServer(env=whole)
        log = log or self._logs / f"process-{len(self._processes)}.log"
        log.touch()
        fork = self._fork_servers[known].start(arguments, log=log, stall=stall, folder=self.folder)
        process = Process(fork, log=log)
        self._processes.append(process)
        return process

    def start_without_fork(self, *arguments: str, **env: str) -> Process:
        """`newsletter …` from its first line on, as a shell starts it."""
        log = self._logs / f"process-{len(self._processes)}.log"
        command = [sys.executable, "-m", "newsletter.project.cli", *arguments]
        process = Process(open_process(command, env={**self._env, **env}, log=log), log=log)
        self._processes.append(process)
        return process

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "newsletter.project.cli", *arguments],
            env={**self._env, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of its processes."""
        return dict(self._env)

    def set_provider(self, url: str) -> None:
        """Set the provider of the processes that are started from now on."""
        self._env["NEWSLETTER_PROVIDER_URL"] = url

    def add_account(self, name: str, provider: FakeProvider, *, batch: int) -> None:
        """Configure a further account, for the processes that are started from now on. Its ledger counts too."""
        self.further_providers[name] = provider
        self._env[f"NEWSLETTER_PROVIDER_URL_{name.upper()}"] = f"{provider.provider_url}&max_batch={batch}"

    def wait_for_stall(self) -> None:
        """Wait until the process that was started last is held. The next one may then be held elsewhere."""
        held = self.folder / "stalled"
        wait_for_start(self._processes[-1], held.exists, what="the process at the point where it is held")
        (self.folder / "stalled").unlink()

    def release_stalled(self) -> None:
        (self.folder / "go").touch()

    def end(self) -> None:
        for process in self._processes:
            process.kill()
        for server in self._fork_servers.values():
            server.end()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with connect(self.database_url) as connection:
            cursor = connection.execute(_marks(sql, self.database_url), parameters)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def batches(self) -> Counter[str]:
        """Count the batches in each state."""
        return Counter(dict(self.query("SELECT state, COUNT(*) FROM newsletter_batch GROUP BY state")))

    def expire_leases(self) -> None:
        """Let the leases of all batches under way expire, as a minute would."""
        self.query(
            "UPDATE newsletter_batch SET lease_until = ? WHERE state = 'submitting'", "2020-01-01 00:00:00+00:00"
        )

    def postpone_calls(self, *, seconds: float) -> None:
        """Let no account be called for so many seconds."""
        self.query("UPDATE newsletter_provideraccount SET next_at = ?", time.time() + seconds)

    def expire_waits(self) -> None:
        """Let the waits of accounts, batches and reports be over, as after an hour. The rate is the full one again."""
        self.query("UPDATE newsletter_provideraccount SET next_at = ?, pace = 1", time.time())
        self.query("UPDATE newsletter_batch SET not_before = NULL WHERE state IN ('pending', 'uncertain')")
        self.query("UPDATE newsletter_providerevent SET retry_at = received_at WHERE applied_at IS NULL")

    def wait_until_done(self, *, seconds: float = ANSWER_SECONDS) -> None:
        """Wait until no batch is left to do and each send has ended."""

        def done() -> bool:
            left = self.batches()
            return not any(left[state] for state in OPEN) and self.send_states().isdisjoint(_UNFINISHED_SENDS)

        wait_until(done, seconds=seconds, every=0.1, what=f"the end of the send {self.batches()}")

    def send_state(self) -> str:
        """Return the state of the only send, or "" if there is none."""
        rows = self.query("SELECT state FROM newsletter_send WHERE state <> 'cancelled'")
        return str(rows[0][0]) if rows else ""

    def send_states(self) -> set[str]:
        """Return the states of all sends; {""} if there is none."""
        rows = self.query("SELECT DISTINCT state FROM newsletter_send WHERE state <> 'cancelled'")
        return {str(state) for (state,) in rows} or {""}

    def people_by_state(self) -> Counter[str]:
        """Count the deliveries by their own state, or else their batch's."""
        rows = self.query(
            "SELECT COALESCE(NULLIF(e.state, ''), b.state), COUNT(*) FROM newsletter_delivery d"
            " JOIN newsletter_batch b ON b.id = d.batch_id"
            " LEFT JOIN newsletter_deliveryexception e ON e.delivery_id = d.id GROUP BY 1"
        )
        return Counter({str(state): int(count) for state, count in rows})

    def addresses_in(self, state: str) -> set[str]:
        rows = self.query(
            "SELECT s.email FROM newsletter_delivery d JOIN newsletter_batch b ON b.id = d.batch_id"
            " JOIN subscribers_subscriber s ON s.id = d.subscriber_id"
            " LEFT JOIN newsletter_deliveryexception e ON e.delivery_id = d.id"
            " WHERE COALESCE(NULLIF(e.state, ''), b.state) = ?",
            state,
        )
        return {str(row[0]) for row in rows}

    def check_invariants(self, *, people: int) -> None:
        """Assert that nobody was mailed twice or lost, and that “accepted” and “submitted” are true by the provider's ledger."""
        taken = self.count_newsletters()
        assert max(taken.values(), default=0) <= 1, "somebody got the issue twice"
        states = self.people_by_state()
        assert sum(states.values()) == people, f"the audience is {people} but {states}"
        assert self.query("SELECT SUM(size) FROM newsletter_batch") == [(people,)]
        accepted = self.addresses_in("accepted")
        assert accepted <= set(taken), "somebody is said to have been handed over and was not"
        assert set(taken) <= accepted | self.addresses_in("uncertain"), (
            "somebody was handed over and it is not on record"
        )
        if self.send_state() == "submitted":
            assert states["accepted"] + states["skipped"] + states["rejected"] == people

    def count_newsletters(self) -> Counter[str]:
        """Count the newsletters that all providers took for each address, without notices."""
        counts: Counter[str] = Counter()
        for entry in [each for one in (self.provider, *self.further_providers.values()) for each in one.accepted()]:
            counts.update(set(entry.recipients) - {CONFIRMING})
        return counts


@contextmanager
def connect(url: str) -> Iterator[Any]:
    """Open a connection that commits each statement at once."""
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
    else:
        import psycopg

        connection = psycopg.connect(url, autocommit=True, options="-c statement_timeout=120s")
    try:
        yield connection
    finally:
        connection.close()


def copy_database(url: str, *, to: Path) -> str:
    """Copy a database and return the URL of the copy. On PostgreSQL, the copied one is the template of a new one."""
    if url.startswith("sqlite"):
        copy = to / "newsletter.sqlite3"
        shutil.copyfile(url.removeprefix("sqlite:///"), copy)
        return f"sqlite:///{copy}"
    parts = urlsplit(url)
    name = f"copy_{os.getpid()}_{time.monotonic_ns()}"
    with connect(maintenance_url(url)) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{parts.path[1:]}"')
    return urlunsplit(parts._replace(path=f"/{name}"))


def drop_database(url: str) -> None:
    if not url.startswith("sqlite"):
        with connect(maintenance_url(url)) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')


def maintenance_url(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


def _marks(sql: str, url: str) -> str:
    return sql if url.startswith("sqlite") else sql.replace("?", "%s")
