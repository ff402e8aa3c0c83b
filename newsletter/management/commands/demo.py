"""newsletter demo: send the sample organisation's issue to files, then serve the desk."""

from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.core.management import call_command

from newsletter.demo.environment import HOST, MARKER_FILE, DemoError
from newsletter.demo.options import DemoOptions
from newsletter.demo.sample_week import LOGIN, run_sample_week
from newsletter.demo.site_server import DemoSite
from newsletter.jobs.engine import EmbeddedEngine
from newsletter.management.server import Server


class Command(DemoOptions):
    help = (
        "Send the sample organisation's weekly issue to files, then serve the desk. Touches nothing but its own folder."
    )

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
