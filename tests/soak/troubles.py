"""The troubles of a soak, chosen at random from a seed: processes, clocks, network, database, subscribers."""

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from tests.soak.database import Database
from tests.soak.network import Network
from tests.soak.site import SoakSite
from tests.soak.staff_process import StaffProcess
from tests.soak.subscribers import Readers
from tests.support.clock import WallClock, find_faketime
from tests.support.ports import free_port
from tests.support.processes import Installation, Process, wait_until
from tests.support.provider_faults import Fault

CONCURRENCY = "4"
WORKERS = 3
MAX_SCHEDULERS = 5
LEAVE_AT_ONCE = 5
JUMPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=7), timedelta(days=-7)]
JUMPED_SECONDS = 4.0
RARE_EVERY = 25
RECOVERED_WITHIN_SECONDS = 90.0


class Troubles:
    """Workers, schedulers and a web process that are killed, stopped and held, and everything around them.

    ``done`` counts what was done; ``absent`` names what this machine does not let us do.
    """

    def __init__(self, here: Installation, *, chance: random.Random, people: int, place: SoakSite, diary: Path) -> None:
        self._diary = diary
        self.here, self.chance, self.people = here, chance, people
        self.done: Counter[str] = Counter()
        self.port = free_port()
        self.network = Network(here, chance=chance)
        self.database = Database(here, place=place)
        self.by_hand = StaffProcess(here)
        self.readers = Readers(here, chance=chance, people=people, port=lambda: self.port, by_hand=self.by_hand)
        self.clock = WallClock(here.folder / "clock") if find_faketime() else None
        self.web = self._start_web()
        self.schedulers = [self._start_scheduler() for _ in range(2)]
        self.workers: list[Process] = []
        self._postgres = not here.database_url.startswith("sqlite")
        self._rare = [*self.database.troubles(), *self._clock_troubles()]
        self.chance.shuffle(self._rare)
        self._kinds = self._weight_troubles()

    @property
    def absent(self) -> list[str]:
        here = {name for name, _ in self._rare} | self.done.keys()
        every = ["fill_disk", "jump_clock", *(["freeze_database", "restart_database"] if self._postgres else [])]
        return [name for name in every if name not in here]

    def start_workers(self) -> None:
        """Start all workers. If the machine allows it, the last one has a clock that can be set."""
        self.workers = [self._start_worker(number) for number in range(WORKERS)]

    def cause_trouble(self) -> None:
        """Cause one trouble, common ones more often. After some of these, cause a rare one."""
        if self._rare and sum(self.done.values()) % RARE_EVERY == RARE_EVERY - 1:
            name, trouble = self._rare.pop()
        else:
            trouble = self.chance.choice(self._kinds)
            name = trouble.__name__
        self._make(name, trouble)

    def cause_rare_trouble(self) -> None:
        """Cause each rare trouble that had no turn yet."""
        while self._rare:
            self._make(*self._rare.pop())

    def kill(self) -> None:
        number = self._pick()
        self.workers[number].kill()
        self.workers[number] = self._start_worker(number)

    def stop(self) -> None:
        """Stop a worker by SIGTERM: it must end by itself with 0."""
        number = self._pick()
        worker = self.workers[number]
        if "runs" in worker.said() and worker.running:
            worker.terminate_or_report(within=40)
        worker.kill()
        self.workers[number] = self._start_worker(number)

    def hold(self) -> None:
        """Hold a worker by SIGSTOP until its lease has expired by the rows, then let it go on by SIGCONT.

        A worker that is held inside a transaction of SQLite keeps everybody out, this process too: then nobody takes its lease.
        """
        worker = self.workers[self._pick()]
        worker.pause()
        with suppress(sqlite3.OperationalError):
            self.here.expire_leases()
        time.sleep(self.chance.uniform(0.5, 6))
        worker.resume()

    def kill_web(self) -> None:
        self.web.kill()
        self.web = self._start_web()

    def add_scheduler(self) -> None:
        """Start one more scheduler, or kill one if five run."""
        if len(self.schedulers) < MAX_SCHEDULERS:
            self.schedulers.append(self._start_scheduler())
        else:
            self.kill_scheduler()

    def kill_scheduler(self) -> None:
        number = self.chance.randrange(len(self.schedulers))
        self.schedulers[number].kill()
        self.schedulers[number] = self._start_scheduler()

    def leave(self) -> None:
        self.readers.leave(count=LEAVE_AT_ONCE)

    def erase(self) -> None:
        self.readers.erase()

    def move(self) -> None:
        self.readers.move()

    def cut(self) -> None:
        self.database.cut()

    def jump_clock(self, jump: timedelta) -> None:
        """Set one machine's clock wrong and right again. Then let all times that it wrote into rows be over."""
        assert self.clock is not None
        self.clock.set(jump)
        time.sleep(JUMPED_SECONDS)
        self.clock.set(timedelta(0))
        time.sleep(1.5)
        self.here.expire_waits()

    def measure_recovery(self) -> float:
        """Kill a worker in the middle of its calls, let time itself pass, and give the seconds until its work is settled."""
        provider = self.here.provider
        provider.fault_always(Fault("stall_before_accepting", seconds=100))
        submitting = "SELECT id FROM newsletter_batch WHERE state = 'submitting'"
        held = wait_until(lambda: self.here.query(submitting), seconds=30, what="a call under way")
        for worker in self.workers:
            worker.kill()
        killed = time.monotonic()
        provider.fault_always(None)
        self.here.postpone_calls(seconds=RECOVERED_WITHIN_SECONDS)
        self.start_workers()
        ids = ",".join(str(row[0]) for row in held)
        left = (
            f"SELECT COUNT(*) FROM newsletter_batch WHERE state = 'submitting' AND attempt_number = 1 AND id IN ({ids})"
        )
        wait_until(
            lambda: self.here.query(left) == [(0,)],
            seconds=RECOVERED_WITHIN_SECONDS,
            every=0.2,
            what="the settling of what a killed worker held",
        )
        took = time.monotonic() - killed
        self.here.expire_waits()
        return took

    def restart_dead_processes(self) -> None:
        """Start every process again that has ended, as a service manager does."""
        for number, worker in enumerate(self.workers):
            if not worker.running:
                self.workers[number] = self._start_worker(number)
        for number, scheduler in enumerate(self.schedulers):
            if not scheduler.running:
                self.schedulers[number] = self._start_scheduler()
        if not self.web.running:
            self.web = self._start_web()

    def end(self) -> None:
        self.by_hand.end()

    def _weight_troubles(self) -> list[Callable[[], None]]:
        processes = [self.kill] * 4 + [self.stop] * 2 + [self.hold] * 2 + [self.kill_web, self.add_scheduler]
        processes += [self.kill_scheduler]
        network = [self.network.fail] * 8 + [self.network.refuse, self.network.lose_names, self.network.speak_tls]
        people = [self.leave] * 5 + [self.erase, self.move] * 2
        return [*processes, *network, *people, *([self.cut] if self._postgres else [])]

    def _clock_troubles(self) -> list[tuple[str, Callable[[], None]]]:
        if self.clock is None:
            return []
        return [("jump_clock", lambda jump=jump: self.jump_clock(jump)) for jump in JUMPS]  # type: ignore[misc]

    def _make(self, name: str, trouble: Callable[[], None]) -> None:
        """Cause this trouble and write a line into the diary, which says what came before an error."""
        began = time.monotonic()
        with self._diary.open("a") as diary:
            diary.write(f"{time.strftime('%H:%M:%S')} {name}\n")
            self.done[name] += 1
            trouble()
            diary.write(f"  {time.monotonic() - began:.1f} s; {dict(self.here.batches())}\n")

    def _pick(self) -> int:
        return self.chance.randrange(len(self.workers))

    def _start_worker(self, number: int) -> Process:
        if self.clock is not None and number == WORKERS - 1:
            # What libfaketime shares among forks it may leave locked in one that is killed.
            return self.here.start_without_fork("worker", "--concurrency", CONCURRENCY, **self.clock.env)
        return self.here.start("worker", "--concurrency", CONCURRENCY)

    def _start_scheduler(self) -> Process:
        return self.here.start("scheduler")

    def _start_web(self) -> Process:
        return self.here.start("web", "--port", str(self.port))
