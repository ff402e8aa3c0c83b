"""Welcomes for tests: turned on, people who join, and the scheduler's and the worker's part of one moment."""

from collections import Counter
from datetime import datetime, timedelta

import time_machine

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.planning.welcome import set_up_welcome
from newsletter.jobs.welcome_mails import send_due_welcomes
from newsletter.models import Delivery, Issue, Publication, Send, WelcomeStep
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.welcome_results import settle_welcome_steps
from subscribers.identity import identify
from subscribers.models import Basis, MailingList, Subscriber, Subscription
from tests.support.fixtures import NOW, make_approver
from tests.support.repeated_rows import repeat_rows

LATER = timedelta(minutes=1)


@repeat_rows
def turn_on_welcome(publication: Publication, *, steps: int = 3, at: datetime = NOW) -> list[Issue]:
    """Return the three mails of the welcome, of which the first ``steps`` are approved."""
    by = make_approver()
    with time_machine.travel(at, tick=False):
        mails = set_up_welcome(publication=publication, by=by, now=at)
        for issue in mails[:steps]:
            approve_issue(issue=issue, by=by, now=at)
    return list(Issue.objects.filter(pk__in=[issue.pk for issue in mails]).order_by("number"))


def join(mailing_list: MailingList, email: str, *, at: datetime = NOW + LATER, **details: object) -> Subscriber:
    """Return a person who confirmed the list. They may have been on it before."""
    person, _made = Subscriber.objects.get_or_create(
        address_hash=identify(email), defaults={"email": email, "created_at": at, **details}
    )
    Subscription.objects.create(
        subscriber=person, mailing_list=mailing_list, basis=Basis.DOUBLE_OPT_IN, requested_at=at, confirmed_at=at
    )
    return person


def run_welcome(now: datetime) -> None:
    """Run the scheduler's job and the worker until nothing is left to do at this moment."""
    with time_machine.travel(now, tick=False):
        send_due_welcomes(now=now)
        for send in Send.objects.filter(state=Send.State.SUBMITTING, issue__kind=Issue.Kind.WELCOME):
            run_send(send=send, adapter=current_adapter(), clock=lambda: now, sleep=_refuse_to_sleep)
        settle_welcome_steps(now=now)


def _refuse_to_sleep(seconds: float) -> None:
    raise AssertionError(f"A welcome mail waits for {seconds} seconds.")


def list_steps(person: Subscriber) -> list[str]:
    """Return the state of each step of a person, or why it was not sent, in order."""
    return [row.code or row.state for row in WelcomeStep.objects.filter(subscriber_id=person.pk).order_by("step")]


def check_welcome(issue: Issue) -> dict[str, int]:
    """Assert that the receipts of all months add up and that nobody got the mail twice. Return deliveries by state."""
    states: Counter[str] = Counter()
    for send in issue.sends.all():
        receipt = make_receipt(send)
        assert receipt.candidates == receipt.recipients + sum(receipt.excluded.values())
        states.update(receipt.deliveries)
    addresses = [bytes(row) for row in Delivery.objects.filter(issue=issue).values_list("address_hash", flat=True)]
    assert len(addresses) == len(set(addresses)) == states.total()
    return {state: people for state, people in states.items() if people}
