"""The figures of a load test, read from Locust's table and printed as Markdown."""

import csv
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from benchmarks.tools.base import NotMeasured

MAX_SLOW_MS = 1_000
ONE_CLICK = "one-click unsubscribe"
"""The name of these requests in the table."""
_SHOWN = 15
_MOMENT_SECONDS = 30
_NOT_SETTLED_BY_MAIL = ("pending", "rejected", "uncertain")


@dataclass(frozen=True)
class PageFigures:
    """Requests for one page, and milliseconds until each was answered."""

    name: str
    requests: int
    errors: int
    median_ms: float
    p99_ms: float
    slowest_ms: float


@dataclass(frozen=True)
class Moment:
    """What all visitors together asked for in some seconds from the start, and milliseconds until they were answered."""

    seconds: int
    requests: int
    errors: int
    median_ms: float
    p99_ms: float
    slowest: str
    slowest_ms: float


@dataclass(frozen=True)
class SendFigures:
    """The receipt of the send, and what the provider's ledger says: people ``mailed``, and those with more than one mail."""

    state: str
    recipients: int
    deliveries: dict[str, int]
    mailed: int
    mailed_again: int

    @property
    def is_right(self) -> bool:
        """Return True if it ended, each recipient was mailed once or skipped, and the ledger agrees with the receipt."""
        return (
            self.state == "submitted"
            and not self.mailed_again
            and self.deliveries["accepted"] == self.mailed
            and self.deliveries["accepted"] + self.deliveries["skipped"] == self.recipients
            and not any(self.deliveries[state] for state in _NOT_SETTLED_BY_MAIL)
        )


@dataclass(frozen=True)
class MemoryFigures:
    """MB (10⁶ bytes) of the server before the load, at each of the seconds during it, and at the end of the send.

    ``processes`` are those at the end, the largest first.
    """

    before: float
    during: dict[float, float]
    processes: list[float]

    @property
    def end(self) -> float:
        return round(sum(self.processes), 1)

    @property
    def early(self) -> float:
        """After a fifth of the load."""
        return list(self.during.values())[len(self.during) // 5]

    @property
    def largest(self) -> float:
        return max(self.before, *self.during.values(), self.end)

    def read_at(self, seconds: float) -> float:
        return self.during[min(self.during, key=lambda sample: abs(sample - seconds))]


@dataclass(frozen=True)
class LoadFigures:
    """What the visitors met, what became of the send, and the memory of the server.

    ``left_out`` are the routes of the desk that nobody opened, by the status of their answer.
    """

    database: str
    pages: list[PageFigures]
    moments: list[Moment]
    left_out: dict[str, list[str]]
    visitors_failed: bool
    send: SendFigures
    memory: MemoryFigures

    @property
    def errors(self) -> int:
        return sum(page.errors for page in self.pages)

    @property
    def unsubscribes(self) -> int:
        return sum(page.requests for page in self.pages if page.name == ONE_CLICK)

    @property
    def has_errors(self) -> bool:
        """Return True if a request failed, the send is wrong, or it skipped more people than can have unsubscribed."""
        skipped_too_many = self.send.deliveries["skipped"] > self.unsubscribes
        return bool(self.errors) or self.visitors_failed or skipped_too_many or not self.send.is_right


def read_pages(file: Path) -> list[PageFigures]:
    """Return the pages of Locust's table, the slowest at the 99th percentile first. Raise NotMeasured if there is none."""
    if not file.exists():
        raise NotMeasured("Locust wrote no table of the pages. Its messages are above.")
    with file.open(newline="", encoding="utf-8") as table:
        pages = [
            PageFigures(
                name=row["Name"],
                requests=int(row["Request Count"]),
                errors=int(row["Failure Count"]),
                median_ms=float(row["50%"]),
                p99_ms=float(row["99%"]),
                slowest_ms=float(row["100%"]),
            )
            for row in csv.DictReader(table)
            if row["Name"] != "Aggregated"
        ]
    return sorted(pages, key=lambda page: -page.p99_ms)


def read_moments(file: Path) -> list[Moment]:
    """Return each half a minute of the visitors' list of answers. Raise NotMeasured if it is empty."""
    with file.open(newline="", encoding="utf-8") as table:
        answers = sorted(
            (float(asked_at), float(took), name, failed == "1") for asked_at, took, name, failed in csv.reader(table)
        )
    if not answers:
        raise NotMeasured("The visitors got no answer. Locust's messages are above.")
    first = answers[0][0]
    halves = groupby(answers, key=lambda answer: int(answer[0] - first) // _MOMENT_SECONDS)
    return [_make_moment(number * _MOMENT_SECONDS, list(within)) for number, within in halves]


def _make_moment(seconds: int, answers: Sequence[tuple[float, float, str, bool]]) -> Moment:
    took = sorted(took for _, took, _, _ in answers)
    slowest = max(answers, key=lambda answer: answer[1])
    return Moment(
        seconds=seconds,
        requests=len(answers),
        errors=sum(failed for *_, failed in answers),
        median_ms=took[len(took) // 2],
        p99_ms=took[math.ceil(len(took) * 0.99) - 1],
        slowest=slowest[2],
        slowest_ms=slowest[1],
    )


def write_figures(figures: LoadFigures, *, arguments: Sequence[str]) -> str:
    """Return the page: pages with errors and the slowest ones, the send and the memory."""
    pages, send = figures.pages, figures.send
    failed = [page for page in pages if page.errors]
    shown = [*failed, *(page for page in pages if not page.errors)][: max(_SHOWN, len(failed))]
    slow = sum(page.p99_ms > MAX_SLOW_MS for page in pages)
    memory = figures.memory
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    lines = [
        f"`python -m benchmarks.load {' '.join(arguments)}` on {figures.database}; load of the machine at the end: {load}.",
        "",
        f"{sum(page.requests for page in pages):,} requests for {len(pages)} pages, {figures.errors:,} errors; "
        f"{slow} pages took more than {MAX_SLOW_MS:,} ms at the 99th percentile.",
        "",
        f"{sum(len(names) for names in figures.left_out.values())} routes of the desk were left out, because they show no page "
        f"without further input: {_list_left_out(figures.left_out)}.",
        "",
        "| page | requests | errors | median ms | 99th percentile | slowest |",
        "|---|---|---|---|---|---|",
        *(
            f"| {page.name} | {page.requests:,} | {page.errors} | {page.median_ms:.0f} | {page.p99_ms:.0f} "
            f"| {page.slowest_ms:.0f} |"
            for page in shown
        ),
        "",
        f"In each {_MOMENT_SECONDS} seconds:",
        "",
        "| from second | requests | errors | median ms | 99th percentile | slowest | page | MB of the server |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {one.seconds} | {one.requests:,} | {one.errors} | {one.median_ms:.0f} | {one.p99_ms:.0f} "
            f"| {one.slowest_ms:.0f} | {one.slowest} | {memory.read_at(one.seconds):.1f} |"
            for one in figures.moments
        ),
        "",
        f"The send: {send.state}, {send.recipients:,} recipients, {send.deliveries['accepted']:,} accepted, "
        f"{send.deliveries['skipped']:,} skipped, {send.deliveries['rejected']:,} rejected, "
        f"{send.deliveries['uncertain']:,} uncertain, {send.deliveries['pending']:,} pending. "
        f"The provider mailed {send.mailed:,} people, {send.mailed_again:,} of them more than once.",
        "",
        f"Memory of the server in MB: {memory.before} before the load, {memory.early} after a fifth of it, "
        f"{memory.end} at the end, {memory.largest} at most. Each process at the end: "
        f"{', '.join(f'{one:.1f}' for one in memory.processes)}.",
    ]
    return "\n".join(lines) + "\n"


def _list_left_out(left_out: dict[str, list[str]]) -> str:
    return "; ".join(f"{status} {', '.join(names)}" for status, names in left_out.items()) or "none"
