"""The organisation of a run: a weekly letter with a welcome, a letter that staff approve, and a digest each month."""

from datetime import datetime
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from django.contrib.auth.models import User
from django.utils import timezone

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.hold import release_issue
from newsletter.issues.assembly.restored_slots import HELD_AT_ASSEMBLY, HELD_FOR
from newsletter.issues.planning.close_issue import close_issue
from newsletter.issues.planning.welcome import set_up_welcome
from newsletter.models import Issue, Publication
from newsletter.project.cli import main as run_command

FILE_NAME = "organisation.toml"
APPROVER = "approver@example.org"
WEEKLY, CAMPAIGNS = "weekly", "campaigns"
FILE = """[brand]
name = "Open Door"
postal_address = "1 Example Street, Leeds, United Kingdom"
website = "https://example.org/"

[limits]
mails_in_7_days = 3
silent_months = 6

[[list]]
slug = "weekly"
name = "The weekly letter"
ask = ["name", "place"]

[[list]]
slug = "campaigns"
name = "Campaigns"
ask = ["name"]

[[source]]
name = "Stories"
kind = "feed"
url = "{site}/feed.xml"
every = "30m"

[[source]]
name = "Events"
kind = "calendar"
url = "{site}/events.ics"
every = "1h"

[[publication]]
slug = "weekly"
name = "The weekly letter"
list = "weekly"
from_name = "Open Door"
from_email = "letter@news.example.org"
schedule = "30 1 * * sun"
zone = "Europe/London"
send_at = "local"
lead_hours = 24
approval = "auto"
archive = "public"

[[publication]]
slug = "campaigns"
name = "Campaigns"
list = "campaigns"
from_name = "Open Door"
from_email = "letter@news.example.org"
schedule = "0 9 * * wed"
zone = "Europe/London"
lead_hours = 48
approval = "approve"
events = 0
"""


class Organisation:
    """Set up and used by the commands that staff use."""

    def __init__(self, folder: Path, *, site: str) -> None:
        self._file = folder / FILE_NAME
        self._file.write_text(FILE.format(site=site))

    def set_up(self) -> None:
        self.run("apply", str(self._file))
        with patch("sys.stdin", StringIO("a long password of the run\n")):
            self.run("staff", "add", APPROVER, "--role", "admin", "--password-stdin")
        self._turn_on_welcome()

    def approve(self, reference: str) -> bool:
        """Approve an issue as a person does. Return False if the product refuses."""
        return run_command(["approve", reference, "--by", APPROVER]) == 0

    def skip_held(self, *, now: datetime) -> None:
        """Skip what may have been sent since a backup, and let the welcome mails go on."""
        by = User.objects.get(username=APPROVER)
        for issue in Issue.objects.filter(
            held=True, held_reason__in=[HELD_FOR, HELD_AT_ASSEMBLY], state__in=Issue.UNSENT_STATES
        ):
            if issue.is_welcome:
                release_issue(issue=issue)
            else:
                close_issue(issue=issue, reason="It may have been sent since the backup.", by=by, now=now)

    def run(self, *words: str) -> None:
        if run_command(list(words)):
            raise AssertionError(f"`newsletter {' '.join(words)}` failed.")

    def _turn_on_welcome(self) -> None:
        by, now = User.objects.get(username=APPROVER), timezone.now()
        for issue in set_up_welcome(publication=Publication.objects.get(slug=WEEKLY), by=by, now=now):
            approve_issue(issue=issue, by=by, now=now)
