"""An issue that tests two subjects on half of 2,400 people, and what happens to it."""

from collections import Counter
from datetime import datetime
from unittest import mock

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.planning import subject_test
from newsletter.issues.planning.subject_test import set_subject_test
from newsletter.issues.snapshot.records.content import SubjectChoice, SubjectTestRecord
from newsletter.issues.variants import subject_assignment
from newsletter.models import Batch, Issue, LinkClicks, Publication, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.sweep import sweep
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.repeated_rows import repeat_rows

PEOPLE, SEED, HOURS = 2_400, 20_261_127, 4
SECOND = "What one signature changed"


def choose_arm(test: SubjectTestRecord, *, subscriber_id: int) -> int:
    """Compute in Python the arm that the database computes for a subscriber."""
    prime = subject_assignment._PRIME
    a, b, c = subject_assignment._make_coefficients(test.seed)
    x = subscriber_id % prime
    number = ((a * x + b) % prime * x + c) % prime
    return next((arm for arm, end in subject_assignment._list_ends(test) if number < end), subject_assignment.WAITS)


@repeat_rows
def make_tested_issue(publication: Publication, *, approved: bool = True, share: int = 50) -> Issue:
    make_story("The first verdict")
    add_subscribers(publication, PEOPLE)
    issue = make_issue(publication)
    with mock.patch.object(subject_test.secrets, "randbits", return_value=SEED):  # others divide people less evenly
        set_test(issue, share=share)
    if approved:
        approve_issue(issue=reload(issue), by=make_approver(), now=NOW)
    return reload(issue)


@repeat_rows
def start_tested_send(publication: Publication) -> Send:
    """Start the send of such an issue."""
    return start_send(issue=make_tested_issue(publication), now=NOW)


def set_test(issue: Issue, *subjects: str, share: int = 50) -> bool:
    return set_subject_test(
        issue=reload(issue),
        subjects=[SubjectChoice(subject) for subject in subjects or [SECOND]],
        share_percent=share,
        wait_hours=HOURS,
        by=make_approver(),
        now=NOW,
    )


def reload(issue: Issue) -> Issue:
    return Issue.objects.get(pk=issue.pk)


def work_at(send: Send, now: datetime) -> None:
    """Run one sweep and send what is due."""
    sweep(adapter=current_adapter(), clock=lambda: now)
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: now))
    sweep(adapter=current_adapter(), clock=lambda: now)
    send.refresh_from_db()


def count_clicks(issue: Issue, *clicks: int) -> None:
    """Store how many people followed one link, by subject."""
    for arm, people in enumerate(clicks, 1):
        LinkClicks.objects.create(issue=issue, link="0" * 16, url="https://x.example", day=NOW, arm=arm, people=people)


def read_subjects(send: Send) -> Counter[str]:
    """Return the number of people for each subject that was sent, and "" for those who wait."""
    people: Counter[str] = Counter()
    for batch in send.batches.select_related("variant"):
        sent = batch.state == Batch.State.ACCEPTED
        people[batch.variant.subject if sent else ""] += batch.size
    return people
