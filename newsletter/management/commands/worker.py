"""newsletter worker: the sender only. Any number may run on one database."""

from typing import Any

from newsletter.jobs.catalogue import JOBS
from newsletter.jobs.embedded import Engine
from newsletter.management.base import ProductCommand


class Command(ProductCommand):
    help = "Send what is due, until stopped. Any number may run, on any number of machines."
    role = "worker"

    def run(self, **options: Any) -> None:
        engine = Engine(only=frozenset(job.name for job in JOBS if job.role == self.role))
        self.stdout.write(f"The {self.role} runs. Ctrl-C stops it.")
        engine.run_until_stopped()
