"""Confirmations, links and notices wait if the provider says so, and are then sent once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from newsletter.issues.approval.write_notices import write_notice
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.jobs.confirmation_mails import send_due_confirmations
from newsletter.jobs.link_mails import send_due_links
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.models import Proof, ProviderAccount, Publication
from newsletter.providers.base.contract import BatchCall, Outcome
from newsletter.sending.adapters import current_adapter
from newsletter.sending.limits.rate_limit import slow_down
from newsletter.sending.notices.proofs import send_proofs
from newsletter.sending.notices.single_mails import must_wait
from subscribers.consent.signup import SignupRequest, request_subscription
from subscribers.models import Confirmation
from subscribers.people.mailed_links import Kind, request_mailed_link
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.provider_faults import Fault, answer, too_many

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 30


_JOBS = (
    (send_due_confirmations, "current_adapter"),
    (send_due_links, "current_adapter"),
    (send_due_notices, "account_adapter"),
)
"""Each job, and the name by which it finds the adapter."""


class Counting:
    """The adapter of the settings, with a count of the calls that were made."""

    def __init__(self) -> None:
        self._adapter = current_adapter()
        self.capabilities = self._adapter.capabilities
        self.calls: list[datetime] = []
        self.now = NOW

    def deliver(self, call: BatchCall) -> Outcome:
        self.calls.append(self.now)
        return self._adapter.deliver(call)

    def close(self) -> None:
        self._adapter.close()

    def run_for(self, span: timedelta, *, every: timedelta = timedelta(seconds=2)) -> int:
        """Run the three jobs as the clock goes on. Returns how many mails the provider took."""
        end, taken = self.now + span, 0
        while self.now < end:
            for send, adapter in _JOBS:
                with patch(f"{send.__module__}.{adapter}", return_value=self):
                    taken += send(now=self.now)
            self.now += every
        return taken


@pytest.fixture
def provider(fake_provider: Any, settings: Any) -> Iterator[Any]:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    yield fake_provider
    current_adapter().close()


@pytest.fixture
def queued(provider: Any) -> Publication:
    """Confirmations, links and words to staff, thirty of each."""
    publication = make_publication()
    for number in range(PEOPLE):
        request_subscription(
            SignupRequest(
                email=f"new{number}@example.com",
                mailing_list=publication.mailing_list,
                wording="Yes",
                source="/join/weekly",
            ),
            now=NOW,
        )
        make_approver(f"staff{number}@example.org")
    for reader in add_subscribers(publication, PEOPLE):
        request_mailed_link(subscriber=reader, mailing_list=publication.mailing_list, kind=Kind.PREFERENCES, now=NOW)
    write_notice(publication, "held-1", "It is held", ["Why"], "/", NOW)
    return publication


def everybody_once() -> dict[str, int]:
    names = [name for number in range(PEOPLE) for name in (f"new{number}", f"person{number}")]
    return {
        **{f"{name}@example.com": 1 for name in names},
        **{f"staff{number}@example.org": 1 for number in range(PEOPLE)},
    }


@pytest.mark.long
def test_every_waiting_mail_honours_retry_after(provider: Any, queued: Publication) -> None:
    provider.fault_next(too_many("120"))
    counting = Counting()
    assert counting.run_for(timedelta(seconds=120)) == 0
    assert len(provider.ledger) == 1
    counting.run_for(timedelta(seconds=60))
    assert provider.accepted_counts() == everybody_once()
    assert len(provider.ledger) == 1 + 3 * PEOPLE


@pytest.mark.long
def test_too_many_without_retry_after_is_tried_ever_more_seldom(provider: Any, queued: Publication) -> None:
    provider.fault_always(too_many())
    counting = Counting()
    counting.run_for(timedelta(seconds=20))
    assert 2 <= len(provider.ledger) <= 3
    counting.run_for(timedelta(minutes=10), every=timedelta(seconds=10))
    assert len(provider.ledger) <= 8
    provider.fault_always(None)
    counting.run_for(timedelta(minutes=14), every=timedelta(seconds=10))
    assert provider.accepted_counts() == everybody_once()


@pytest.mark.long
def test_a_long_outage_of_the_provider_costs_few_attempts(provider: Any, queued: Publication) -> None:
    provider.stop_listening()
    counting = Counting()
    counting.run_for(timedelta(minutes=45), every=timedelta(seconds=15))
    assert 5 <= len(counting.calls) <= 12
    gaps = [later - earlier for earlier, later in zip(counting.calls, counting.calls[1:], strict=False)]
    assert max(gaps) <= timedelta(minutes=13)
    provider.start_listening()
    counting.run_for(timedelta(minutes=13), every=timedelta(seconds=15))
    assert provider.accepted_counts() == everybody_once()


def test_two_installations_do_not_retry_at_the_same_moment(provider: Any, queued: Publication) -> None:
    moments = set()
    for _ in range(5):
        ProviderAccount.objects.all().delete()
        provider.fault_next(too_many("100"))
        Counting().run_for(timedelta(seconds=1))
        moments.add(ProviderAccount.objects.get().wait_until)
    assert len(moments) == 5
    assert all(100 <= moment - NOW.timestamp() <= 125 for moment in moments)


def test_after_a_failure_one_process_tries_and_the_others_wait(provider: Any, queued: Publication) -> None:
    provider.fault_next(too_many("10"))
    Counting().run_for(timedelta(seconds=1))
    waited: list[bool] = []

    class Probing(Counting):
        def deliver(self, call: BatchCall) -> Outcome:
            waited.append(must_wait(adapter=self, now=self.now))
            return super().deliver(call)

    probing = Probing()
    probing.now = NOW + timedelta(seconds=30)
    probing.run_for(timedelta(seconds=1))
    assert waited == [True] + [False] * (3 * PEOPLE - 1)


@pytest.mark.long
def test_lost_answers_do_not_make_one_mail_after_another_uncertain(provider: Any, queued: Publication) -> None:
    provider.fault_always(Fault("reset_after_accepting"))
    counting = Counting()
    counting.run_for(timedelta(minutes=1))
    assert len(provider.ledger) <= 5
    assert Confirmation.objects.filter(sent_at=None).count() >= PEOPLE - 5
    provider.fault_always(None)
    counting.run_for(timedelta(minutes=3))
    assert provider.accepted_counts() == everybody_once()


@pytest.mark.long
def test_a_refused_key_loses_no_mail_and_is_tried_each_minute(provider: Any, queued: Publication) -> None:
    provider.fault_always(answer(401, b"Forbidden"))
    counting = Counting()
    counting.run_for(timedelta(minutes=5))
    assert len(provider.ledger) <= 9
    provider.fault_always(None)
    counting.run_for(timedelta(minutes=2))
    assert provider.accepted_counts() == everybody_once()


def test_a_refused_key_is_logged_at_once_and_then_once_a_day(
    provider: Any, queued: Publication, caplog: pytest.LogCaptureFixture
) -> None:
    provider.fault_always(answer(401))
    counting = Counting()
    counting.run_for(timedelta(hours=20), every=timedelta(minutes=30))
    assert len(provider.ledger) > 30
    [line] = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert line.startswith("Single mails wait: Mailgun did not accept our key (answer 401).")
    counting.run_for(timedelta(hours=5), every=timedelta(minutes=30))
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 2


def test_a_key_that_is_refused_again_is_logged_at_once(
    provider: Any, queued: Publication, caplog: pytest.LogCaptureFixture
) -> None:
    counting = Counting()
    for number in range(2):
        write_notice(queued, f"late-{number}", "It is late", ["Why"], "/", counting.now)
        provider.fault_next(answer(401))
        counting.run_for(timedelta(minutes=10), every=timedelta(minutes=2))
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 2


@pytest.mark.parametrize(
    ("fault", "seconds"), [(answer(401, b"Forbidden"), 60), (answer(200, b"<html>Sign in</html>"), 600)]
)
def test_a_web_page_delays_single_mails_longer_than_a_refused_key(
    provider: Any, queued: Publication, fault: Fault, seconds: int
) -> None:
    """A refused mail is tried again. Behind a web page, each try makes another mail uncertain."""
    ProviderAccount.objects.create(name="mailgun", failures=10)
    provider.fault_always(fault)
    Counting().run_for(timedelta(seconds=1))
    assert seconds <= ProviderAccount.objects.get().wait_until - NOW.timestamp() <= seconds * 1.25


@pytest.mark.long
def test_a_throttled_bulk_send_stops_single_mails_too(provider: Any, queued: Publication) -> None:
    slow_down(name="mailgun", until=NOW + timedelta(seconds=90))
    counting = Counting()
    assert counting.run_for(timedelta(seconds=90)) == 0
    assert provider.ledger == []
    assert counting.run_for(timedelta(seconds=20)) == 3 * PEOPLE


def test_the_pace_of_a_bulk_send_does_not_delay_single_mails(provider: Any, queued: Publication) -> None:
    ProviderAccount.objects.create(name="mailgun", next_at=NOW.timestamp() + 3600)
    assert Counting().run_for(timedelta(seconds=2)) == 3 * PEOPLE


def test_a_proof_waits_too_and_shows_why(provider: Any) -> None:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 2)
    issue, person = make_issue(publication, approved=True), make_approver()
    slow_down(name="mailgun", until=NOW + timedelta(seconds=90))
    group = find_groups(issue, content=resolve_content(issue), now=NOW)[0]
    (proof,) = send_proofs(issue=issue, group=group, to=[person], by=person, now=NOW)
    assert (proof.state, provider.ledger) == (Proof.State.FAILED, [])
    assert "wait" in proof.reason


def test_a_proof_has_an_address_that_unsubscribes_nobody(provider: Any, settings: Any) -> None:
    settings.NEWSLETTER_INBOUND_ADDRESS = "replies@news.example.org"
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 2)
    issue, person = make_issue(publication, approved=True), make_approver()
    group = find_groups(issue, content=resolve_content(issue), now=NOW)[0]
    (proof,) = send_proofs(issue=issue, group=group, to=[person], by=person, now=NOW)
    assert proof.state == Proof.State.ACCEPTED
    (mail,) = provider.mailbox(person.email)
    assert mail.headers["List-Unsubscribe"].endswith(", <mailto:replies+proof@news.example.org?subject=unsubscribe>")


def test_a_proof_waits_for_the_account_that_it_goes_through(two_accounts: Any) -> None:
    publication = make_publication(account="backup")
    make_story("The first verdict")
    add_subscribers(publication, 2)
    issue, person = make_issue(publication, approved=True), make_approver()
    group = find_groups(issue, content=resolve_content(issue), now=NOW)[0]
    until = NOW + timedelta(seconds=90)
    for rate, state in (("mailgun", Proof.State.ACCEPTED), ("mailgun/backup", Proof.State.FAILED)):
        slow_down(name=rate, until=until)
        (proof,) = send_proofs(issue=issue, group=group, to=[person], by=person, now=NOW)
        assert proof.state == state
    assert [len(provider.ledger) for provider in two_accounts] == [0, 1]
