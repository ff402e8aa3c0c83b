"""Write the figures of a comparison as a Markdown page."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.measure import KillFigures, SpeedFigures

_INTRODUCTION = """\
# Speed and kills beside other tools

`python -m benchmarks --write docs/reference/beside-others.md` wrote this page. It sends one issue with each tool to the same
imitation of Mailgun's API on loopback, which takes every email and keeps a ledger. Run it on your own machine; what it
does is in the folder `benchmarks/` of the source.
"""


@dataclass(frozen=True)
class Measured:
    """The figures of one tool."""

    name: str
    version: str
    about_kills: str
    description: str
    speeds: Sequence[SpeedFigures]
    kills: Sequence[KillFigures]


def write_page(
    measured: Sequence[Measured],
    *,
    latency_ms: int,
    arguments: Sequence[str],
    note: str = "",
    left_out: Mapping[str, str] | None = None,
) -> str:
    return "\n".join(
        [
            _INTRODUCTION,
            *_describe_run(latency_ms, arguments, note),
            *_list_tools(measured),
            *_list_speeds(measured),
            *_list_kills(measured),
            *_list_left_out(left_out or {}),
        ]
    )


def _describe_run(latency_ms: int, arguments: Sequence[str], note: str) -> list[str]:
    return [
        f"- Date: {datetime.now(UTC):%-d %B %Y}",
        f"- Machine: {_read_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}",
        f"- Load when this was printed: {os.getloadavg()[1]:.1f} (five minutes)",
        f"- The provider answers each call after {latency_ms} ms. Options: `{' '.join(arguments) or 'none'}`",
        *([f"- {note}"] if note else []),
        "",
    ]


def _list_left_out(left_out: Mapping[str, str]) -> list[str]:
    """Say which tools people ask for, and why no figures of them are here."""
    return [
        "## Not measured",
        "",
        *(f"- {name}: {why}" for name, why in left_out.items()),
        "- listmonk was not run: it is published as a binary and an image, and not on PyPI or npm, where these scripts look.",
        "",
    ]


def _list_tools(measured: Sequence[Measured]) -> list[str]:
    rows = [f"| {tool.name} | {tool.version} | {tool.description} |" for tool in measured]
    return ["| tool | version | how it sends |", "|---|---|---|", *rows, ""]


def _list_speeds(measured: Sequence[Measured]) -> list[str]:
    rows = []
    for tool in measured:
        each = sorted(figures.people_per_second for figures in tool.speeds)
        whole = median(figures.whole_seconds for figures in tool.speeds)
        sending = median(figures.sending_seconds for figures in tool.speeds)
        waiting = median(figures.waiting_seconds for figures in tool.speeds)
        rows.append(
            f"| {tool.name} | {tool.speeds[0].people:,} | {tool.speeds[0].calls:,} | {whole:.1f} | {waiting:.1f} | {sending:.1f} "
            f"| {median(each):,.0f} | {each[0]:,.0f}–{each[-1]:,.0f} |"
        )
    return [
        "## Speed",
        "",
        "Medians. The whole time is that of the command, from its start to its end; people a second are counted by it.",
        "",
        "| tool | people | calls | whole time, s | until the first call, s | first to last call, s | people a second | spread |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def _list_kills(measured: Sequence[Measured]) -> list[str]:
    if not any(tool.kills for tool in measured):
        return []
    rows = [
        f"| {tool.name} | {figures.killed_after:,} of {figures.people:,} | {figures.twice:,} | {figures.missing:,} "
        f"| {'cannot say' if figures.uncertain is None else f'{figures.uncertain:,}'} |"
        for tool in measured
        for figures in tool.kills
    ]
    return [
        "## Killed while it sends",
        "",
        "Each tool is killed (`SIGKILL`) once the provider has so many emails, and the same command is run again to its end."
        " The provider's ledger says who was mailed. “Uncertain” are people whom the tool itself names, because their call was"
        " under way: it does not mail them again until staff decide.",
        "",
        "| tool | killed after | mailed twice | not mailed | named as uncertain |",
        "|---|---|---|---|---|",
        *rows,
        "",
        *(f"- {tool.name}: {tool.about_kills}" for tool in measured if tool.kills and tool.about_kills),
        "",
    ]


def _read_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
