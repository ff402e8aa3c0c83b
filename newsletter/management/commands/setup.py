"""newsletter setup: ask some questions and set up a new installation, up to its first proof.

The settings are asked for and written before Django starts, in `newsletter.project.setup_settings`.
"""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from rich.console import Console

from newsletter.common.commands.base import ProductCommand
from newsletter.common.errors import BadFile
from newsletter.common.networks import is_loopback
from newsletter.management.commands.serve import describe_first_link
from newsletter.management.finding_lines import describe_finding
from newsletter.management.prepare_database import prepare_database
from newsletter.management.setup.answer_checks import DEFAULT_PORT
from newsletter.management.setup.first_steps import find_or_add_administrator, read_sources, send_proof
from newsletter.management.setup.kept_answers import KeptAnswers
from newsletter.management.setup.options import add_setup_options, read_setup_options
from newsletter.management.setup.organisation_file import write_organisation_file
from newsletter.management.setup.organisation_questions import ask_about_organisation
from newsletter.management.setup.prompt import Prompt, explain_stop
from newsletter.organisation.apply_file import apply_file
from newsletter.organisation.health.run_checks import examine
from newsletter.organisation.sample_files import ORGANISATION_FILE, is_sample

_DEBIAN_PACKAGE = "/usr/lib/newsletter"
"""Where the Debian package has its Python."""
_SERVICE_FOLDER = Path("/var/lib/newsletter")
"""Where its service runs. People who set up in a folder of their own start their own program."""
_SYSTEMD = Path("/run/systemd/system")
"""This folder exists if systemd runs."""
_ABOUT_ORGANISATION = ("website", "sender", "name", "postal_address", "zone", "source")


class Command(ProductCommand):
    help = (
        "Ask some questions and set up a new installation in this folder: settings, organisation, first administrator,"
        " first source, first proof. Run it again to go on. What exists is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_setup_options(parser)

    def run(self, **values: object) -> None:
        options, answers = read_setup_options(values), KeptAnswers(Path.cwd())
        prompt = Prompt(options.given, answers, asks=not options.yes, say=self._say)
        with explain_stop(self._say):
            self._say("Preparing the database. The first time, this may take a minute …")
            prepare_database()
            self._set_up_organisation(prompt, look=options.look)
            person = find_or_add_administrator(prompt)
            for line in read_sources(now=datetime.now(UTC)):
                self._say(line)
            if person is not None:
                self._say(send_proof(prompt, person=person))
            answers.remove()
            self._say_what_is_left()

    def _set_up_organisation(self, prompt: Prompt, *, look: bool) -> None:
        """Write the organisation's file unless there is one, and apply it."""
        file = Path(ORGANISATION_FILE)
        if file.exists() and not is_sample(file):
            self._say(f"Kept: {file.absolute()}")
            if unused := [f"--{name.replace('_', '-')}" for name in _ABOUT_ORGANISATION if name in prompt.given]:
                self._say(f"  Not used, because the file says it: {', '.join(unused)}. Edit the file to change it.")
        else:
            organisation = ask_about_organisation(prompt, look=look)
            try:
                write_organisation_file(file, organisation)
            except OSError as error:
                raise BadFile(
                    f"{file.absolute()} cannot be written: {error.strerror}. Your answers are kept, and nobody was mailed."
                    " Give this user the right to write there, and run this again."
                ) from error
            self._say(f"\nWritten: {file.absolute()}")
        changes = apply_file(file, now=datetime.now(UTC))
        counts = {
            name: sum(change.action == name for change in changes) for name in ("created", "updated", "unchanged")
        }
        self._say(f"Applied it: {', '.join(f'{count} {name}' for name, count in counts.items())}.")

    def _say_what_is_left(self) -> None:
        console = self.console(soft_wrap=True)
        self._say("\nChecking the installation, with the DNS of the sender’s domain …")
        findings = [problem for problem in examine() if problem.level in ("warning", "error")]
        if findings:
            self._say("What is left to do. `newsletter doctor` shows this again:")
        for finding in findings:
            console.print(describe_finding(finding))
        _print_end(console)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _print_end(console: Console) -> None:
    if not settings.NEWSLETTER_PRODUCTION and settings.SUBSCRIBERS_ONLY_TO:
        console.print(
            f"\nOnly {', '.join(settings.SUBSCRIBERS_ONLY_TO)} is mailed so far. To mail your subscribers, replace the line"
            f" NEWSLETTER_ONLY_TO in {settings.ENV.env_file} by NEWSLETTER_PRODUCTION=true.",
            markup=False,
        )
    console.print(f"\nStart it: {_find_start_command()}", style="bold")
    if first := describe_first_link(now=datetime.now(UTC)):
        console.print(first, markup=False)
    else:
        console.print(f"Then sign in at {settings.NEWSLETTER_SITE_URL}/admin/", markup=False)


def _find_start_command() -> str:
    """Return the command that starts this installation: the service of the Debian package if it runs here, else `serve`."""
    if sys.prefix == _DEBIAN_PACKAGE and _SYSTEMD.is_dir() and Path.cwd() == _SERVICE_FOLDER:
        return "sudo systemctl enable --now newsletter"
    site = urlsplit(settings.NEWSLETTER_SITE_URL)
    port = f" --port {site.port or 80}" if is_loopback(site.hostname or "") and site.port != DEFAULT_PORT else ""
    return f"newsletter serve{port}"
