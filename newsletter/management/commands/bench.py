"""newsletter bench: measure this machine, each part in a process of its own."""

import os
import platform
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence

from rich.table import Table

from newsletter.bench.catalogue import IN_OTHER_PARTS, MEASUREMENTS, find_unmeasurable
from newsletter.bench.own_process import give_keys_to_children, measure_in_own_process
from newsletter.common.commands.base import ProductCommand
from newsletter.common.errors import DomainError


class Command(ProductCommand):
    help = "Measure this machine against a provider on loopback, in temporary databases; the configured one is not touched."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--recipients", type=_number, default=100_000, metavar="N", help="people in each measurement"
        )
        parser.add_argument("--only", type=_parts, metavar="PART,…", help=", ".join(MEASUREMENTS))
        parser.add_argument("--json", action="store_true")

    def run(self, *, recipients: int, only: Sequence[str] | None, json: bool) -> None:
        give_keys_to_children()
        conditions: dict[str, object] = {
            "recipients": recipients,
            "provider": "mailgun on loopback, batches of 1,000, provider-side variables",
        }
        report: dict[str, object] = {
            "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": sys.version.split()[0]},
            "settings": conditions,
        }
        try:
            for part in self._list_parts() if only is None else only:
                figures = self._measure(part, recipients=recipients, report=report)
                conditions["database"] = figures[0]["database"]
                if not json:
                    self.console().print(_table(part, figures))
        finally:  # what was measured before an error may have taken hours
            if json:
                self.write_json(report)

    def _list_parts(self) -> list[str]:
        """Return all parts, each thing once. Those that this system cannot measure are left out, which is said in one line."""
        left_out = find_unmeasurable()
        for part in sorted(left_out):
            self.stderr.write(f"{part.capitalize()} is not measured: it can be read on Linux only.")
        return [part for part in MEASUREMENTS if part not in left_out | IN_OTHER_PARTS]

    def _measure(self, part: str, *, recipients: int, report: dict[str, object]) -> list[dict[str, object]]:
        """Return the figures of each run of a part, and add them, or why there are none, to the report."""
        try:
            figures = [measure_in_own_process(measure, **how) for measure, how in MEASUREMENTS[part](recipients)]
        except DomainError as error:
            report["failed"] = {part: str(error)}
            raise
        runs = [_without_database(run) for run in figures]
        report[part] = runs if len(runs) > 1 else runs[0]
        return figures


def _number(text: str) -> int:
    try:
        number = int(text.replace(",", "").replace("_", ""))
    except ValueError:
        number = 0
    if not 5_000 <= number <= 10_000_000:
        raise ArgumentTypeError("give a number of people from 5,000 to 10,000,000")
    return number


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in parts if part not in MEASUREMENTS]
    if unknown or not parts:
        raise ArgumentTypeError(f"“{', '.join(unknown)}” is not measured; there are {', '.join(MEASUREMENTS)}")
    unmeasurable = [part for part in parts if part in find_unmeasurable()]
    if unmeasurable:
        raise ArgumentTypeError(f"“{', '.join(unmeasurable)}” can be measured on Linux only; leave it out")
    return parts


def _without_database(figures: dict[str, object]) -> dict[str, object]:
    return {name: figure for name, figure in figures.items() if name != "database"}


def _table(part: str, figures: list[dict[str, object]]) -> Table:
    table = Table(title=f"{part.replace('_', ' ')} ({figures[0]['database']}, {os.cpu_count()} cores)", box=None)
    table.add_column("figure", style="bold")
    for _ in figures:
        table.add_column(justify="right")
    for name in _without_database(figures[0]):
        table.add_row(name.replace("_", " "), *(_words(run[name]) for run in figures))
    return table


def _words(figure: object) -> str:
    if isinstance(figure, dict):
        return "\n".join(f"{name}: {_words(value)}" for name, value in figure.items())
    if isinstance(figure, list | tuple):
        return ", ".join(_words(value) for value in figure) or "none"
    if isinstance(figure, bool) or not isinstance(figure, int | float):
        return str(figure)
    return f"{figure:,}"
