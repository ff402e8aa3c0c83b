"""A limit of processor time for one step of a parse, so that one entry cannot use the time of the whole document."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN_SECONDS = 0.05


class CpuBudgetExceeded(BaseException):
    """The step used too much processor time. It is no Exception, so that no library catches it."""


@contextmanager
def cpu_budget(seconds: float) -> Iterator[None]:
    """Raise CpuBudgetExceeded in the block after ``seconds`` of processor time.

    It works in the main thread only, where the parsing child does all its work. Elsewhere the block has no limit.
    Budgets do not nest.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    # The signal repeats, because a library may swallow the first one with a bare “except”.
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise CpuBudgetExceeded
