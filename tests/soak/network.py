"""Troubles of the provider and the network in a soak: odd answers, broken calls, no DNS, TLS errors."""

import random
import time

from tests.support.processes import Installation, Process
from tests.support.provider_faults import Fault, answer, too_many

ASTRAY_SECONDS = 6.0
MAX_THROTTLES = 4
CONCURRENCY = "4"


class Network:
    """Troubles of the way to the provider. Each may be made at any time."""

    def __init__(self, here: Installation, *, chance: random.Random) -> None:
        self._here, self._chance = here, chance
        self._throttled = 0

    def fail(self) -> None:
        """Let the provider or the network fail at the next call. “Too many” slows a send for long, so it is rare."""
        chosen = self._chance.choice(_FAULTS)
        if chosen.status == 429:
            self._throttled += 1
            if self._throttled > MAX_THROTTLES:
                chosen = Fault("reset_after_accepting")
        self._here.provider.fault_next(chosen)

    def refuse(self) -> None:
        """Let the provider be down: calls break off, connections are refused."""
        self._here.provider.stop_listening()
        time.sleep(self._chance.uniform(1.0, 3.0))
        self._here.provider.start_listening()

    def lose_names(self) -> None:
        """Start a worker beside the others that finds no name in the DNS."""
        self._go_astray(self._here.start("worker", "--concurrency", CONCURRENCY, stall="no_names"))

    def speak_tls(self) -> None:
        """Start a worker beside the others that speaks TLS to a port without it."""
        url = self._here.env["NEWSLETTER_PROVIDER_URL"].replace("endpoint=http%3A", "endpoint=https%3A")
        self._go_astray(self._here.start("worker", "--concurrency", CONCURRENCY, NEWSLETTER_PROVIDER_URL=url))

    def _go_astray(self, worker: Process) -> None:
        time.sleep(ASTRAY_SECONDS)
        worker.kill()


_FAULTS = (
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
)
