"""newsletter worker: the sender only. Any number may run on one database."""

from argparse import ArgumentParser
from typing import Any

from newsletter.jobs.catalogue import WORKER
from newsletter.jobs.engine import engine_for, run_until_stopped
from newsletter.management.base import ProductCommand, describe_start
from newsletter.sending.dispatching.worker_loop import LANES


class Command(ProductCommand):
    help = "Send what is due, until stopped. Any number may run, on any number of machines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_lanes(parser)

    def run(self, **options: Any) -> None:
        engine = engine_for(roles=frozenset({WORKER}), lanes=options["lanes"])
        text = f"The worker runs, {options['lanes']} calls at once. Ctrl-C stops it.\n{describe_start()}"
        run_until_stopped(engine, started=lambda: say_at_once(self, text))


def say_at_once(command: ProductCommand, text: str) -> None:
    """A line that stands in a log file at once, not when the process ends."""
    command.stdout.write(text)
    command.stdout.flush()


def add_lanes(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--lanes", type=_lanes, default=LANES, metavar="N", help=f"How many calls to the provider go at once ({LANES})."
    )


def _lanes(text: str) -> int:
    lanes = int(text)
    if not 1 <= lanes <= 64:
        raise ValueError(text)
    return lanes
