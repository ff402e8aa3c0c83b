"""newsletter worker: run a sender only. Any number may run on one database."""

from argparse import ArgumentParser

from newsletter.common.commands.base import ProductCommand, describe_start
from newsletter.jobs.catalogue import WORKER
from newsletter.jobs.engine import make_engine, run_until_stopped
from newsletter.sending.dispatching.worker_loop import DEFAULT_CONCURRENCY


class Command(ProductCommand):
    help = "Send what is due, until stopped. Any number may run, on any number of machines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_concurrency_option(parser)

    def run(self, *, concurrency: int) -> None:
        engine = make_engine(roles=frozenset({WORKER}), concurrency=concurrency)
        text = f"The worker is running, with up to {concurrency} calls at once. Ctrl-C stops it.\n{describe_start()}"
        run_until_stopped(engine, started=lambda: write_flushed(self, text))


def write_flushed(command: ProductCommand, text: str) -> None:
    """Write a line and flush it, so that it appears in a log file at once."""
    command.stdout.write(text)
    command.stdout.flush()


def add_concurrency_option(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--concurrency",
        "--lanes",
        type=_concurrency,
        default=DEFAULT_CONCURRENCY,
        metavar="N",
        help=f"Number of simultaneous calls to the provider ({DEFAULT_CONCURRENCY}). --lanes is the old name.",
    )


def _concurrency(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise ValueError(text)
    return number
