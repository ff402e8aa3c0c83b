"""newsletter demo: send the sample organisation's issue to files, then serve the desk."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.core.management import call_command

from newsletter.common.commands.base import ProductCommand
from newsletter.demo.environment import DEFAULT_PORT, HOST, MARKER_FILE, MAX_SUBSCRIBERS, DemoError
from newsletter.demo.sample_week import LOGIN, run_sample_week
from newsletter.demo.site_server import DemoSite
from newsletter.jobs.engine import EmbeddedEngine
from newsletter.management.ports import port_number
from newsletter.management.server import Server


class Command(ProductCommand):
    help = (
        "Send the sample organisation's weekly issue to files, then serve the desk. Touches nothing but its own folder."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="Stop when the issue is sent.")
        parser.add_argument(
            "--subscribers", type=_people, default=2000, metavar="N", help="How many sample people there are."
        )
        parser.add_argument("--port", type=port_number, default=DEFAULT_PORT, metavar="P")

    def run(self, *, no_serve: bool, subscribers: int, port: int) -> None:
        if not (Path(settings.NEWSLETTER_DATA_DIR) / MARKER_FILE).exists():
            raise DemoError("Run it as `newsletter demo`: it needs a folder of its own.")
        console = self.console(soft_wrap=True)
        started = monotonic()
        console.print("Preparing an empty database …")
        call_command("migrate", verbosity=0, interactive=False)
        now = datetime.now(UTC)
        with DemoSite(now=now) as site:
            run_sample_week(site_url=site.url, people=subscribers, now=now, console=console)
            console.print(f"\nDone in {monotonic() - started:.0f} seconds.")
            if no_serve:
                return
            console.print(
                f"\nThe desk: [bold]http://{HOST}:{port}/admin/[/bold]"
                f"   log-in: {LOGIN.email}   password: {LOGIN.password}"
                f"\nThe sample organisation's site: {site.url}/"
                "\nCtrl-C stops both.",
                markup=True,
            )
            engine = EmbeddedEngine()
            Server(host=HOST, port=port, started=engine.start, stopping=engine.stop).run()


def _people(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= MAX_SUBSCRIBERS):
        raise ArgumentTypeError(f"{text} is not a number of people from 1 to {MAX_SUBSCRIBERS:,}.")
    return int(text)
