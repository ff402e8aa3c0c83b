"""What goes wrong in a soak, chosen by a seeded chance: processes, the network, the database, the readers themselves."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.support.fake_provider import FakeProvider
from tests.support.postgres import USER, find_binary
from tests.support.processes import Installation, Process
from tests.support.provider_faults import Fault, answer, too_many

LANES = "4"
FROZEN_SECONDS = 10


class Troubles:
    """Workers that are killed, stopped and held, and everything around them. ``done`` counts what was done."""

    def __init__(self, here: Installation, *, chance: random.Random, people: int, workers: int = 3) -> None:
        self.here, self.chance, self.people = here, chance, people
        self.left_at: dict[str, float] = {}
        self.done: Counter[str] = Counter()
        self.workers = [self._start() for _ in range(workers)]
        self._postgres = not here.database_url.startswith("sqlite")

    def make_one(self) -> None:
        """One trouble, the common ones more often."""
        kinds = [self.kill] * 4 + [self.stop] * 2 + [self.hold] * 2 + [self.leave] * 5 + [self.fail] * 8
        if self._postgres:
            kinds += [self.cut]
        kind = self.chance.choice(kinds)
        kind()
        self.done[kind.__name__] += 1

    def kill(self) -> None:
        number = self._pick()
        self.workers[number].kill()
        self.workers[number] = self._start()

    def stop(self) -> None:
        """SIGTERM: it must end by itself with 0."""
        number = self._pick()
        worker = self.workers[number]
        if "runs" in worker.said() and worker.running and worker.terminate(within=40) != 0:
            raise AssertionError(
                f"a worker that was told to stop ended with {worker.popen.returncode}: {worker.said()}"
            )
        worker.kill()
        self.workers[number] = self._start()

    def hold(self) -> None:
        """SIGSTOP for longer than its lease lasts, as the rows have it, then SIGCONT."""
        worker = self.workers[self._pick()]
        worker.pause()
        self.here.let_leases_run_out()
        time.sleep(self.chance.uniform(0.5, 6))
        worker.go_on()

    def leave(self) -> None:
        """Some readers leave, each answered at once."""
        for _ in range(5):
            number = self.chance.randrange(1, self.people + 1)
            self.here.query(
                "UPDATE subscribers_subscription SET ended_at = ?, end_reason = 'unsubscribe'"
                " WHERE subscriber_id = ? AND ended_at IS NULL",
                time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime()),
                number,
            )
            self.left_at.setdefault(f"person{number}@example{number % 97}.org", time.monotonic())

    def fail(self) -> None:
        """The provider or the network misbehaves at the next calls."""
        faults = [
            too_many("2"),
            too_many(),
            answer(500, b"Internal Server Error"),
            answer(502, b"<html>Bad Gateway</html>", accept=True),
            answer(200, b"<html>Welcome</html>", accept=True),
            answer(200, b"{}", accept=True),
            Fault("reset_before_reading"),
            Fault("close_before_reading"),
            Fault("reset_after_accepting"),
            Fault("close_after_accepting"),
            Fault("truncate"),
            Fault("slow", seconds=3),
            Fault("stall_after_accepting", seconds=8),
            Fault("stall_before_accepting", seconds=8),
            Fault("drip", seconds=5),
        ]
        self.here.provider.fault_next(self.chance.choice(faults))

    def cut(self) -> None:
        """Every connection to the database is cut."""
        self.here.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def freeze_database(self) -> None:
        """The database answers nobody for a while, and loses nothing."""
        [(folder,)] = self.here.query("SHOW data_directory")
        postmaster = int((Path(folder) / "postmaster.pid").read_text().split()[0])
        pids = [int(pid) for (pid,) in self.here.query("SELECT pid FROM pg_stat_activity")]
        for pid in (postmaster, *pids):
            _tell(pid, signal.SIGSTOP)
        time.sleep(FROZEN_SECONDS)
        for pid in (postmaster, *pids):
            _tell(pid, signal.SIGCONT)
        self.done["freeze_database"] += 1

    def restart_database(self) -> None:
        """The database is stopped as a power cut does it, and comes back."""
        [(folder,)] = self.here.query("SHOW data_directory")
        control_database(folder, "restart")
        self.done["restart_database"] += 1

    def measure_recovery(self, provider: FakeProvider) -> float:
        """Kill a worker in the middle of its calls, let time itself pass, and give the seconds until its work is settled."""
        provider.fault_always(Fault("stall_before_accepting", seconds=100))
        end = time.monotonic() + 30
        held: list[tuple[int]] = []
        while time.monotonic() < end and not held:
            held = self.here.query("SELECT id FROM newsletter_batch WHERE state = 'submitting'")  # type: ignore[assignment]
            time.sleep(0.1)
        for worker in self.workers:
            worker.kill()
        killed = time.monotonic()
        provider.fault_always(None)
        self.workers = [self._start() for _ in self.workers]
        ids = ",".join(str(row[0]) for row in held) or "0"
        while time.monotonic() < killed + 90:
            left = (
                f"SELECT COUNT(*) FROM newsletter_batch WHERE state = 'submitting' AND attempts = 1 AND id IN ({ids})"
            )
            if self.here.query(left) == [(0,)]:
                return time.monotonic() - killed
            time.sleep(0.2)
        raise AssertionError("what a killed worker held was not taken up again within 90 seconds")

    def look_after_workers(self) -> None:
        """As a service manager does: whoever ended is started again."""
        for number, worker in enumerate(self.workers):
            if not worker.running:
                self.workers[number] = self._start()

    def _pick(self) -> int:
        return self.chance.randrange(len(self.workers))

    def _start(self) -> Process:
        return self.here.start("worker", "--lanes", LANES)


def control_database(folder: str, what: str) -> None:
    program = find_binary("pg_ctl")
    if program is None:
        raise SystemExit("pg_ctl is not on this machine.")
    command = [program, what, "-D", folder, "-m", "immediate", "-w", "-l", str(Path(folder) / "again.log")]
    user = USER if os.geteuid() == 0 and shutil.which("id") else None
    subprocess.run(command, user=user, cwd="/", check=True, capture_output=True, timeout=60)


def _tell(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
