"""This system, as `newsletter send ISSUE --now` does it."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.tools.base import Tool, plain_environment

_FILL = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.project.settings"
import django
django.setup()
from newsletter.bench.audience import make_approved_issue, make_audience
make_approved_issue(make_audience(int(sys.argv[1])))
"""
_ISSUE = "bench/latest"


class Newsletter(Tool):
    name = "newsletter"
    about_kills = "The second run goes on with everybody whose call had not begun."
    description = (
        "`newsletter send --now`: personal emails, 1,000 people a call, 8 calls at once, one row for each person"
    )

    def version(self) -> str:
        done = subprocess.run([*self._command(), "--version"], capture_output=True, check=True, timeout=60)
        return done.stdout.decode().strip()

    def prepare(self, people: int) -> None:
        self.run([*self._command(), "migrate"])
        self.run([sys.executable, "-c", _FILL, str(people)])

    def send_command(self) -> list[str]:
        return [*self._command(), "send", _ISSUE, "--now", "--json"]

    def environment(self) -> dict[str, str]:
        endpoint, domain = self.provider_url, "news.example.org"
        return {
            **plain_environment(),
            "NEWSLETTER_DATA_DIR": str(self.folder / "data"),
            "NEWSLETTER_PROVIDER_URL": f"mailgun://bench@{domain}?endpoint={endpoint}",
        }

    def count_uncertain(self) -> int | None:
        status = json.loads(self.run([*self._command(), "status", _ISSUE, "--json"]))
        return int(status["deliveries"]["uncertain"])

    def _command(self) -> list[str]:
        return [str(Path(sys.executable).parent / "newsletter")]
