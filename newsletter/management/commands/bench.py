"""newsletter bench: measure the send path against a provider on this machine."""

import os
import platform
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from rich.table import Table

from newsletter.bench.database import temporary_database
from newsletter.bench.measure import measure_send
from newsletter.bench.parts import measure_parts
from newsletter.management.base import ProductCommand

LATENCIES_MS = (0, 150)
PARTS_PEOPLE = 10_000


class Command(ProductCommand):
    help = "Measure the send path against a provider on this machine, in a database of its own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--recipients", type=int, default=100_000, metavar="N")
        parser.add_argument("--json", action="store_true")

    def run(self, **options: Any) -> None:
        sends = []
        for latency in LATENCIES_MS:
            with temporary_database() as database:
                sends.append(asdict(measure_send(people=options["recipients"], latency_ms=latency)))
        with temporary_database():
            parts = measure_parts(people=PARTS_PEOPLE)
        report = {
            "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": sys.version.split()[0]},
            "settings": {
                "database": database,
                "provider": "mailgun on loopback, batches of 1,000, provider-side variables",
            },
            "sends": sends,
            **parts,
        }
        if options["json"]:
            self.write_json(report)
            return
        console = self.console()
        table = Table(
            "figure",
            *(f"{send['latency_ms']} ms" for send in sends),
            title=f"{database}, {os.cpu_count()} cores",
            box=None,
        )
        for name in sends[0]:
            table.add_row(name.replace("_", " "), *(f"{send[name]:,}" for send in sends))
        console.print(table)
        for title, figures in parts.items():
            words = ", ".join(f"{name.replace('_', ' ')} {figure:,}" for name, figure in figures.items())
            console.print(f"{title.replace('_', ' ')}: {words}")
