"""What staff do by hand in a run: correct changed events and mistakes, pause and resume sends, and import people."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from django.contrib.auth.models import User

from newsletter.common.errors import DomainError
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.corrections.changed_events import find_changed_events
from newsletter.issues.corrections.correct import announce_change
from newsletter.issues.corrections.correct_mistake import correct_mistake
from newsletter.models import Issue, Send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.send_controls import (
    pause_send,
    resume_send,
)
from tests.months.organisation import APPROVER, WEEKLY, Organisation
from tests.months.readers import Readers


class StaffWork:
    """``diary`` counts what was done and what the product refused."""

    def __init__(self, organisation: Organisation, *, readers: Readers, folder: Path, chance: random.Random) -> None:
        self._organisation, self._readers, self._chance = organisation, readers, chance
        self._file = folder / "people.csv"
        self._imported = 0
        self.diary: Counter[str] = Counter()

    def correct_events(self, now: datetime) -> None:
        """On two days of three, announce each changed event to the people who got other details."""
        if self._chance.random() < 0.33:
            return
        for change in find_changed_events(now=now):
            for group in change.misinformed:
                draft = partial(announce_change, event=change.event, publication=group.publication, now=now)
                self._send_correction(draft, now=now)

    def correct_mistakes(self, now: datetime) -> None:
        """On one day of six, correct a mistake in the issue that was sent last."""
        newest = Issue.objects.filter(kind=Issue.Kind.ISSUE, state=Issue.State.SENT).order_by("pk").last()
        if newest is not None and self._chance.random() < 0.17:
            text = f"The number was wrong. It is {now:%d%m%Y}."
            self._send_correction(partial(correct_mistake, issue=newest, text=text, now=now), now=now)

    def _send_correction(self, draft: Callable[..., Issue], *, now: datetime) -> None:
        try:
            issue = draft(by=_approver())
            approve_issue(issue=issue, by=_approver(), now=now)
            start_send(issue=issue, now=now, at_once=True)
        except DomainError as error:
            self.diary[f"correction refused: {error}"] += 1
        else:
            self.diary[f"correction sent: {issue.correction.change_type}"] += 1

    def pause_and_resume(self) -> None:
        """Resume what was paused some hours ago, and pause one send in ten."""
        for send in Send.objects.filter(state=Send.State.PAUSED, code=Send.Code.PAUSED_BY_STAFF):
            self._try("resumed", partial(resume_send, send=send, by=_approver()))
        for send in Send.objects.filter(state=Send.State.SUBMITTING):
            if self._chance.random() < 0.1:
                self._try("paused", partial(pause_send, send=send, by=_approver()))

    def import_people(self, now: datetime) -> None:
        """Import a file with three new people, and with everybody who ever left or was on the list."""
        new = [f"imported-{self._imported + number}@example.org" for number in range(3)]
        self._imported += len(new)
        known = sorted({address for address, slug in self._readers.joined if slug == WEEKLY})
        self._file.write_text("email,country\n" + "".join(f"{address},GB\n" for address in (*new, *known)))
        self._organisation.run(
            "subscribers", "import", "--list", WEEKLY, "--basis", "consent", "--evidence", "A form.", str(self._file)
        )
        self._file.unlink()
        self._readers.add_imported(new, WEEKLY, now=now)
        self.diary["imported"] += 1

    def _try(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except DomainError as error:
            name = f"not {name}: {error}"
        self.diary[name] += 1


def _approver() -> User:
    return User.objects.get(username=APPROVER)
