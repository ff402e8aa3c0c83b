"""A send that stops by itself in a soak: counted by reason, resumed as a person would, and a fault where nothing explains it."""

import re
from collections import Counter

from tests.soak.staff_process import StaffProcess
from tests.support.processes import Installation

NETWORK = frozenset(
    {"fail", "refuse", "lose_names", "speak_tls", "kill", "hold", "freeze_database", "restart_database"}
)
EXPLANATIONS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("calls in a row came to nothing", r"calls in a row came to nothing", NETWORK),
    (
        "too many tries of one batch",
        r"slow down|could not be reached|handed over whole|stood still|longer to build",
        NETWORK,
    ),
    ("hours late", r"hours late", frozenset({"jump_clock"})),
    ("another payload under the same key", r"with other content", frozenset({"leave", "erase", "move"})),
)


class Pauses:
    """``seen`` counts them by their kind."""

    def __init__(self, here: Installation, *, by_hand: StaffProcess) -> None:
        self._here, self._by_hand = here, by_hand
        self.seen: Counter[str] = Counter()

    def resume(self, *, done: Counter[str]) -> None:
        """Let a paused send go on. Raises AssertionError where none of the troubles that were made explains the pause."""
        for (reason,) in self._here.query("SELECT reason FROM newsletter_send WHERE state = 'paused'"):
            self.seen[explain(str(reason), done=done)] += 1
            self._by_hand.do("resume")


def explain(reason: str, *, done: Counter[str]) -> str:
    """The kind of a pause. Raises AssertionError where it is of no known kind, or nothing was done that leads to it."""
    for name, pattern, troubles in EXPLANATIONS:
        if re.search(pattern, reason):
            assert troubles & done.keys(), f"the send paused although nothing of {sorted(troubles)} was done: {reason}"
            return name
    raise AssertionError(f"the send paused for a reason that no trouble explains: {reason}")
