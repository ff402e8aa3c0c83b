"""The troubles of a run: the site or the provider is down for days, the machine is off, staff forget to approve."""

import random
from collections import Counter
from datetime import datetime, timedelta

from newsletter.models import Issue
from tests.months.organisation import CAMPAIGNS, Organisation
from tests.months.published import Published
from tests.support.fake_provider import FakeProvider
from tests.support.provider_faults import Fault, answer, too_many
from tests.support.provider_issue_counts import CountedIssue

DAY = timedelta(days=1)
FAULTS = {
    "the provider answers 503": answer(503),
    "the provider refuses the key": answer(401, b'{"message": "Forbidden"}'),
    "the provider resets after accepting": Fault("reset_after_accepting"),
    "the provider answers 500 after accepting": answer(500, accept=True),
    "the provider accepts and breaks off its answer": Fault("truncate"),
    "the provider answers 429": too_many("60"),
}


class Troubles:
    """``diary`` counts what happened."""

    def __init__(
        self, provider: FakeProvider, *, published: Published, organisation: Organisation, chance: random.Random
    ) -> None:
        self._provider, self._published, self._organisation, self._chance = provider, published, organisation, chance
        self._off_until = self._provider_until = self._site_until = datetime.min.replace(tzinfo=published.start.tzinfo)
        self.diary: Counter[str] = Counter()

    def pass_day(self, now: datetime) -> None:
        """End what is over, and begin something new on one day of thirty each."""
        if now >= self._site_until:
            self._published.down = self._begins("the site is down")
            self._site_until = now + self._days(10)
        if now >= self._provider_until:
            fault = self._chance.choice(list(FAULTS))
            begins = self._begins(fault)
            self._provider.fault_always(FAULTS[fault] if begins else None)
            self._provider_until = now + self._days(4 if begins else 1)
        if self._begins("the machine is off"):
            self._off_until = now + self._days(5)
        if self._begins("an event is cancelled"):
            self._published.cancel_event(now)
        if self._begins("an event is moved"):
            self._published.move_event(now)
        self._published.serve(now)
        self._count_at_provider()

    def _count_at_provider(self) -> None:
        """Let the provider count the mails of each issue, which the product compares with its own counts."""
        accepted: Counter[str] = Counter()
        for entry in self._provider.accepted():
            tags = entry.form.mail_for(entry.recipients[0]).tags if entry.form and entry.recipients else ()
            accepted.update({tag: len(entry.recipients) - len(entry.refused) for tag in tags})
        self._provider.counted.update({tag: CountedIssue(accepted=people) for tag, people in accepted.items()})

    def is_machine_off(self, now: datetime) -> bool:
        return now < self._off_until

    def is_machine_lost(self) -> bool:
        return self._begins("the machine is lost")

    def let_staff_work(self, now: datetime) -> None:
        """At ten o'clock on two days of three, staff approve what waits; on others they forget."""
        if now.hour != 10 or self._chance.random() < 0.33:
            return
        waiting = Issue.objects.filter(
            publication__slug=CAMPAIGNS, kind=Issue.Kind.ISSUE, state__in=Issue.UNAPPROVED_STATES, held=False
        )
        for issue in waiting:
            self.diary["approved" if self._organisation.approve(issue.reference) else "approval refused"] += 1

    def _begins(self, name: str) -> bool:
        begins = self._chance.random() < 1 / 30
        if begins:
            self.diary[name] += 1
        return begins

    def _days(self, most: int) -> timedelta:
        return DAY * self._chance.randint(1, most)
