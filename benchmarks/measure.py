"""Measure how fast a tool sends, and what becomes of people if it is killed."""

import subprocess
import time
from dataclasses import dataclass

from benchmarks.provider import Provider
from benchmarks.tools.base import NotMeasured, Tool, kill_group

SEND_SECONDS = 1800
_SHORT = 0.002


@dataclass(frozen=True)
class SpeedFigures:
    """One send: seconds from the start of the command to its end, from its first call to the last, and until its first call."""

    people: int
    calls: int
    whole_seconds: float
    sending_seconds: float
    waiting_seconds: float

    @property
    def people_per_second(self) -> float:
        return self.people / self.whole_seconds


@dataclass(frozen=True)
class KillFigures:
    """One kill: people whom the ledger shows twice or not at all after the command was run again to its end."""

    killed_after: int
    people: int
    twice: int
    missing: int
    uncertain: int | None


def measure_speed(tool: Tool, provider: Provider, *, people: int) -> SpeedFigures:
    provider.clear()
    with tool.serving():
        began = time.perf_counter()
        _finish(tool, tool.start())
        ended = time.perf_counter()
    if provider.count_people() != people or provider.first_call_at is None or provider.last_call_at is None:
        raise NotMeasured(f"{tool.name} mailed {provider.count_people():,} of {people:,} people. See {tool.folder}.")
    sending = provider.last_call_at - provider.first_call_at
    waiting = provider.first_call_at - began
    return SpeedFigures(people, provider.calls, round(ended - began, 2), round(sending, 2), round(waiting, 2))


def measure_kill(tool: Tool, provider: Provider, *, people: int, after: int) -> KillFigures:
    """Kill the tool once the provider has so many emails, then run the same command again to its end."""
    provider.clear()
    with tool.serving():
        process = tool.start()
        end = time.monotonic() + SEND_SECONDS
        while provider.count_emails() < after and process.poll() is None and time.monotonic() < end:
            time.sleep(_SHORT)
        if process.poll() is not None:
            raise NotMeasured(f"{tool.name} ended before it could be killed. See {tool.folder}.")
        tool.kill(process)
    with tool.serving():
        _finish(tool, tool.start(), may_fail=True)
        uncertain = tool.count_uncertain()
    return KillFigures(
        killed_after=after,
        people=people,
        twice=provider.count_mailed_again(),
        missing=people - provider.count_people(),
        uncertain=uncertain,
    )


def _finish(tool: Tool, process: "subprocess.Popen[bytes]", *, may_fail: bool = False) -> None:
    try:
        status = process.wait(SEND_SECONDS)
    except subprocess.TimeoutExpired:
        kill_group(process)
        raise NotMeasured(f"{tool.name} did not end within {SEND_SECONDS} seconds. See {tool.folder}.") from None
    if status and not may_fail:
        raise NotMeasured(f"{tool.name} ended with {status}. See {tool.folder}.")
