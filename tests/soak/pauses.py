"""Resumes sends that pause during a soak, counts them by reason, and fails if no trouble explains a pause."""

import re
from collections import Counter

from newsletter.common.messages import loads
from tests.soak.staff_process import StaffProcess
from tests.support.processes import Installation

NETWORK = frozenset(
    {"fail", "refuse", "lose_names", "speak_tls", "kill", "hold", "freeze_database", "restart_database"}
)
EXPLANATIONS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("calls in a row failed", r"calls in a row failed", NETWORK),
    (
        "too many attempts of one batch",
        r"slow down|could not be reached|handed over whole|worker stalled|longer than its lease",
        NETWORK,
    ),
    ("hours late", r"hours? late", frozenset({"jump_clock"})),
    ("another payload under the same key", r"with other content", frozenset({"leave", "erase", "move"})),
)


class Pauses:
    """The pauses of a soak. ``seen`` counts them by kind."""

    def __init__(self, here: Installation, *, by_hand: StaffProcess) -> None:
        self._here, self._by_hand = here, by_hand
        self.seen: Counter[str] = Counter()

    def resume(self, *, done: Counter[str]) -> None:
        """Resume a paused send. Raise AssertionError if none of the troubles that were made explains the pause."""
        for (reason,) in self._here.query("SELECT reason FROM newsletter_send WHERE state = 'paused'"):
            self.seen[explain(loads(str(reason)), done=done)] += 1
            self._by_hand.do("resume")


def explain(reason: str, *, done: Counter[str]) -> str:
    """Return the kind of a pause. Raise AssertionError if it has no known kind or nothing was done that leads to it."""
    for name, pattern, troubles in EXPLANATIONS:
        if re.search(pattern, reason):
            assert troubles & done.keys(), f"the send paused although nothing of {sorted(troubles)} was done: {reason}"
            return name
    raise AssertionError(f"the send paused for a reason that no trouble explains: {reason}")
