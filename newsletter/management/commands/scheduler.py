"""newsletter scheduler: run the timer only. A second one does no harm, because a slot is a unique row."""

from newsletter.common.commands.base import ProductCommand, describe_start
from newsletter.jobs.catalogue import SCHEDULER
from newsletter.jobs.engine import make_engine, run_until_stopped
from newsletter.management.commands.worker import write_flushed


class Command(ProductCommand):
    help = "Poll sources, assemble issues and start sends when they are due, until stopped."

    def run(self) -> None:
        engine = make_engine(roles=frozenset({SCHEDULER}))
        text = f"The scheduler runs. Ctrl-C stops it.\n{describe_start()}"
        run_until_stopped(engine, started=lambda: write_flushed(self, text))
