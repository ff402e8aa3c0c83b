"""An organisation that uses the product by its commands, with a provider on loopback whose ledger is the evidence."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.fake_provider import FakeProvider
from tests.support.processes import Installation

APPROVER = "approver@example.org"
READERS = [f"reader-{number}@example.org" for number in range(1, 6)]
FILE = """[brand]
name = "Justice in the field"
postal_address = "Justice in the field, 1 Example Street, London ZZ1 1ZZ, United Kingdom"
website = "https://www.example.org/"

[[list]]
slug = "weekly"
name = "The weekly letter"

[[publication]]
slug = "weekly"
name = "The weekly letter"
list = "weekly"
from_name = "Justice in the field"
from_email = "letter@news.example.org"
schedule = "{schedule}"
zone = "UTC"
lead_hours = {lead_hours}
approval = "{approval}"
days_ahead = 365
stories = 20
events = 12
"""
SOURCE = '\n[[source]]\nname = "{name}"\nkind = "{kind}"\nurl = "{url}"\nevery = "1m"\n'


@dataclass
class Organisation:
    """Everything goes through `newsletter …` commands; rows are only read."""

    install: Installation
    file: Path

    def set_up(self, *, schedule: str = "0 9 * * thu", lead_hours: int = 24, approval: str = "approve") -> None:
        """Create the list, the publication, an approver and five subscribers."""
        self.file.write_text(FILE.format(schedule=schedule, lead_hours=lead_hours, approval=approval))
        self.run("apply", str(self.file))
        self._run_with_input("a long password\n", "staff", "add", APPROVER, "--role", "admin", "--password-stdin")
        people = self.file.with_name("people.csv")
        people.write_text("email,city,country\n" + "".join(f"{email},Leeds,GB\n" for email in READERS))
        options = ["--list", "weekly", "--basis", "consent", "--evidence", "Paper form of the integration test"]
        self.run("subscribers", "import", str(people), *options)

    def add_source(self, name: str, *, kind: str, url: str, **more: str) -> None:
        """Name one more source in the organisation's file and apply it."""
        text = SOURCE.format(name=name, kind=kind, url=url) + "".join(
            f'{key} = "{value}"\n' for key, value in more.items()
        )
        with self.file.open("a") as file:
            file.write(text)
        self.run("apply", str(self.file))

    def ingest(self) -> dict[str, dict[str, Any]]:
        """Look at all sources once; return each one's report by name."""
        reports = json.loads(self.run("ingest", "--json"))["sources"]
        return {report["name"]: report for report in reports}

    def ingest_well(self) -> dict[str, dict[str, Any]]:
        """As `ingest`, and no source may report an error."""
        reports = self.ingest()
        assert not any(report["error"] for report in reports.values()), reports
        return reports

    def assemble(self) -> dict[str, Any]:
        return dict(json.loads(self.run("assemble", "weekly", "--json")))

    def approve(self) -> None:
        self.run("approve", "weekly/latest", "--by", APPROVER)

    def send_now(self) -> int:
        """Send the latest issue in this process and return the exit status."""
        return self.install.run("send", "weekly/latest", "--now", "--json").returncode

    def send_refusal(self) -> str:
        """Try to send the latest issue; return what the command says when it does not."""
        done = self.install.run("send", "weekly/latest", "--now")
        assert done.returncode, f"it was sent: {done.stdout}"
        return done.stdout + done.stderr

    def status(self, issue: str = "weekly/latest") -> dict[str, Any]:
        return dict(json.loads(self.run("status", issue, "--json")))

    def mailed_text(self) -> str:
        """Return the HTML and text that the provider accepted for the first subscriber, or ""."""
        mails = self.install.provider.mailbox(READERS[0])
        return "\n".join(f"{mail.subject}\n{mail.html}\n{mail.text}" for mail in mails)

    def story_titles(self) -> set[str]:
        return {str(row[0]) for row in self.install.query("SELECT title FROM newsletter_story")}

    def events(self) -> list[tuple[str, str]]:
        """Return (title, start in UTC to the minute) of each event, in order of time."""
        rows = self.install.query("SELECT title, starts_at FROM newsletter_eventnotice ORDER BY starts_at, title")
        return [(str(title), str(starts)[:16]) for title, starts in rows]

    def run(self, *arguments: str) -> str:
        """Run one command, which must succeed, and return what it prints."""
        done = self.install.run(*arguments)
        assert done.returncode == 0, f"newsletter {' '.join(arguments)}: {done.stdout} {done.stderr}"
        return done.stdout

    def _run_with_input(self, text: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "newsletter.project.cli", *arguments]
        subprocess.run(
            command, input=text, env=self.install.env, text=True, check=True, capture_output=True, timeout=120
        )


@contextmanager
def open_organisation(folder: Path, *, like: Path | None = None) -> Iterator[Organisation]:
    """Yield an organisation with its own database, data folder and provider. ``like`` is a folder to copy."""
    if like is not None:
        shutil.copytree(like, folder)
    folder.mkdir(parents=True, exist_ok=True)
    provider = FakeProvider().start()
    database = f"sqlite:///{folder / 'newsletter.sqlite3'}"
    install = Installation(folder=folder, database_url=database, provider=provider, engine="embedded", batch=100)
    try:
        organisation = Organisation(install=install, file=folder / "organisation.toml")
        yield organisation
    finally:
        install.end()
        provider.stop()


def calendar_time(moment: datetime) -> str:
    """Write a moment as iCalendar does, in UTC."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def at_noon(*, days: int) -> datetime:
    """Return noon, so many days from today, in UTC."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)
