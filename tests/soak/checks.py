"""Checks after a soak. Our rows are compared with the provider's ledger."""

import json
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.soak.addresses import address_of, new_address_of, number_of
from tests.soak.overlapping import MAX_MAILS, PUBLICATIONS
from tests.soak.reports import Reports
from tests.soak.subscribers import Readers
from tests.support.fake_provider import Entry, FakeProvider
from tests.support.processes import Installation

MAX_REPLAYS = 5
SAME_TIME_SECONDS = 0.05
MAX_CLOCK_ERROR_SECONDS = 1_500.0
UNAPPLIED = "SELECT COUNT(*) FROM newsletter_providerevent WHERE applied_at IS NULL"


class LedgerAttempt(NamedTuple):
    """One attempt of a batch as the rows have it; ``started`` is seconds since 1970 by the clock of who made it."""

    started: float
    account: str


class Facts:
    """The attempts by the key of their batch. What is ``known`` from before time was made to pass in the rows is kept."""

    def __init__(self, here: Installation, *, known: "Facts | None" = None) -> None:
        self.by_id: dict[int, tuple[str, LedgerAttempt]] = {}
        rows = here.query(
            "SELECT a.id, b.key, a.started_at, a.provider FROM newsletter_attempt a"
            " JOIN newsletter_batch b ON b.id = a.batch_id ORDER BY a.id"
        )
        for pk, key, started, account in rows:
            self.by_id[int(pk)] = str(key), LedgerAttempt(_seconds(started), str(account))
        self.by_id.update(known.by_id if known else {})
        self.attempts: dict[str, list[LedgerAttempt]] = defaultdict(list)
        for key, one in self.by_id.values():
            self.attempts[key].append(one)

    def is_for_a_person(self, key: str) -> bool:
        """Return True if a batch was tried at two accounts or by a wrong clock: neither is asked about or replayed."""
        attempts, now = self.attempts[key], time.time()
        return len({one.account for one in attempts}) > 1 or any(
            abs(now - one.started) > MAX_CLOCK_ERROR_SECONDS for one in attempts
        )


def check_people(here: Installation, provider: FakeProvider) -> None:
    """Assert that each send adds up, nobody gets an issue twice, and the provider took all that is accepted."""
    states = states_by_delivery(here)
    sends = here.query("SELECT id, issue_id, candidates, recipients, excluded FROM newsletter_send")
    assert len({issue for _, issue, *_ in sends}) == len(sends) == PUBLICATIONS, "an issue has not exactly one send"
    for send, _issue, candidates, recipients, excluded in sends:
        counts = json.loads(excluded) if isinstance(excluded, str) else excluded
        assert candidates == recipients + sum(counts.values()), f"send {send} does not add up: {counts}"
        batches = here.query(
            "SELECT SUM(size), SUM(CASE WHEN state IN ('pending', 'submitting') THEN 1 ELSE 0 END) FROM newsletter_batch"
            " WHERE send_id = ?",
            send,
        )
        assert batches == [(recipients, 0)]
        assert sum(1 for of_send, _ in states if of_send == send) == recipients, "a recipient has no state"
    taken = count_taken(here, provider)
    assert max(taken.values(), default=0) <= 1, "somebody got an issue twice"
    invented = [one for one, state in states.items() if state == "accepted" and not taken[one]]
    assert not invented, f"{len(invented)} people are said to have been handed over and were not"
    forgotten = [one for one in taken if states[one] not in ("accepted", "uncertain")]
    assert not forgotten, f"{len(forgotten)} people were handed over and it is not on record"


def check_restraint(here: Installation, provider: FakeProvider, *, in_region: int) -> str:
    """Assert that nobody has a story twice or too many mails, and that the receipts count these people. Say how many."""
    excluded: Counter[str] = Counter()
    for (counts,) in here.query("SELECT excluded FROM newsletter_send"):
        excluded.update(json.loads(counts) if isinstance(counts, str) else counts)
    assert excluded["over_budget"] == in_region, f"{in_region} people have one mail too many, and {excluded}"
    mails: Counter[int] = Counter()
    stories: Counter[tuple[int, int]] = Counter()
    shown: dict[str, list[int]] = defaultdict(list)
    rows = here.query(
        "SELECT b.key, i.row_id FROM newsletter_batch b JOIN newsletter_shownitem i ON i.variant_id = b.variant_id"
        " WHERE i.kind = 'story'"
    )
    for key, story in rows:
        shown[str(key)].append(int(story))
    for entry in provider.accepted():
        in_mail = shown[key_of(entry)]
        for number in numbers_in(entry):
            mails[number] += 1
            stories.update((number, story) for story in in_mail)
    assert max(mails.values(), default=0) <= MAX_MAILS, "somebody got more mails than the limit allows"
    assert max(stories.values(), default=0) <= 1, "somebody got a story in two mails"
    return f"{in_region:,} people over the limit of mails; {len(stories):,} stories told, none twice to anybody"


def check_unsubscribes(
    provider: FakeProvider, readers: Readers, facts: Facts, *, jumps: list[timedelta]
) -> tuple[int, float]:
    """Check that no call that began after somebody got the page that they are unsubscribed contains them.

    Return how many people were in a call that was under way, and after how many seconds at most.
    """
    late, longest = 0, 0.0
    for entry in provider.accepted():
        for address in readers.gone_at.keys() & set(entry.recipients):
            answered = readers.gone_at[address]
            opened = find_opening(entry, facts, jumps=jumps)
            assert opened <= answered, (
                f"{address} was told at {answered:.3f} that they are gone; a call that holds them was opened at {opened:.3f}"
            )
            if entry.at > answered:
                late, longest = late + 1, max(longest, entry.at - answered)
    return late, longest


def find_opening(entry: Entry, facts: Facts, *, jumps: list[timedelta]) -> float:
    """Return when the attempt behind a request was recorded, corrected for a clock that was set."""
    assert entry.form is not None
    key = entry.form.mail_for(entry.recipients[0]).variables["batch"]
    shifts = [0.0, *(jump.total_seconds() for jump in jumps)]
    openings = [
        min((one.started - shift for shift in shifts), key=lambda at: abs(at - entry.at)) for one in facts.attempts[key]
    ]
    before = [at for at in openings if at <= entry.at + SAME_TIME_SECONDS]
    assert before, f"a request came of which no attempt was on record before: {entry.number}"
    return max(before)


def check_reports(here: Installation, reports: Reports) -> None:
    """Assert that reports answered with 200 were applied once and forged ones were not."""
    assert here.query(UNAPPLIED) == [(0,)], "reports were taken and not applied"
    assert not reports.forgeries_taken, f"forged reports were believed: {reports.forgeries_taken[:3]}"
    assert not reports.refused, f"{reports.refused} honest reports were refused"
    [(delivered,)] = here.query("SELECT COALESCE(SUM(people), 0) FROM newsletter_delivered")
    assert delivered == len(reports.told["delivered"]), f"{delivered} are on record as delivered"
    for what in ("hard", "soft"):
        rows = here.query("SELECT delivery_id FROM newsletter_bounce WHERE bounce_class = ?", what)
        assert {int(row[0]) for row in rows} == reports.told[what], f"the {what} bounces on record are others than told"
    rows = here.query("SELECT delivery_id FROM newsletter_deliveryexception WHERE complained_at IS NOT NULL")
    assert {int(row[0]) for row in rows} == reports.told["complained"], "the complaints on record are others than told"


def check_uncertain(here: Installation, provider: FakeProvider, reports: Reports, facts: Facts, *, scheme: str) -> str:
    """Assert that nothing stays uncertain that a report proved, that Mailgun has, or that may be replayed.

    Gives what is left to a person in words.
    """
    left = {str(key) for (key,) in here.query("SELECT key FROM newsletter_batch WHERE state = 'uncertain'")}
    unheard = left & reports.proven
    assert not unheard, f"{len(unheard)} batches are uncertain although the provider reported of them"
    unsettled = find_unsettled(here, provider=provider, facts=facts, scheme=scheme)
    assert not unsettled, f"{len(unsettled)} batches are uncertain although {scheme} can still tell of them"
    return f"{len(left)} batches, {len(left & taken_keys(provider))} of them accepted by the provider"


def find_unsettled(here: Installation, *, provider: FakeProvider, facts: Facts, scheme: str) -> set[str]:
    """Return the keys of uncertain batches that the program can still settle without a person."""
    rows = here.query("SELECT key, attempt_number FROM newsletter_batch WHERE state = 'uncertain'")
    mine = {str(key): int(attempts) for key, attempts in rows if not facts.is_for_a_person(str(key))}
    if scheme == "mailgun":
        return mine.keys() & taken_keys(provider)
    return {key for key, attempts in mine.items() if attempts < MAX_REPLAYS}


def taken_keys(provider: FakeProvider) -> set[str]:
    """Return our keys of the batches that the provider took."""
    return {key_of(entry) for entry in provider.accepted()}


def states_by_delivery(here: Installation) -> dict[tuple[int, int], str]:
    """Return the state of each delivery, its own or else its batch's, by its send and the number of the person."""
    rows = here.query(
        "SELECT b.send_id, d.subscriber_id, COALESCE(NULLIF(e.state, ''), b.state) FROM newsletter_delivery d"
        " JOIN newsletter_batch b ON b.id = d.batch_id"
        " LEFT JOIN newsletter_deliveryexception e ON e.delivery_id = d.id"
    )
    return {(int(send), int(number)): str(state) for send, number, state in rows}


def count_taken(here: Installation, provider: FakeProvider) -> Counter[tuple[int, int]]:
    """Count the mails that the provider took for each send and number of a person, at an old or a new address."""
    send_of = {str(key): int(send) for key, send in here.query("SELECT key, send_id FROM newsletter_batch")}
    taken: Counter[tuple[int, int]] = Counter()
    for entry in provider.accepted():
        people = [number for address in entry.recipients if (number := number_of(address)) is not None]
        if people:
            send = send_of[key_of(entry)]
            taken.update((send, number) for number in people)
    return taken


def numbers_in(entry: Entry) -> set[int]:
    return {number for address in entry.recipients if (number := number_of(address)) is not None}


def key_of(entry: Entry) -> str:
    """Return our key of the batch of a request, or "" if its recipients are not of the audience."""
    if entry.form is None or not numbers_in(entry):
        return ""
    return entry.form.mail_for(entry.recipients[0]).variables["batch"]


def count_moved(provider: FakeProvider, readers: Readers) -> int:
    """Return how many people with a changed address were mailed at the new one."""
    counts = provider.accepted_counts()
    return sum(new_address_of(number) in counts and address_of(number) not in counts for number in readers.moved)


def _seconds(moment: datetime | str) -> float:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
