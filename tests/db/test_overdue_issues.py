"""An issue that may be sent and is overdue is reported everywhere."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.hold import hold_issue, release_issue
from newsletter.issues.assembly.overdue import find_overdue
from newsletter.jobs.heartbeat import find_trouble
from newsletter.models import Issue, Publication
from newsletter.organisation.health.content import check_overdue
from newsletter.sending.freezing.start import start_send
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def due_issue(*, approved: bool = True, **publication: str) -> Issue:
    made = make_publication(**publication)
    make_story("The first verdict")
    add_subscribers(made, 2)
    issue = make_issue(made, approved=approved)
    Issue.objects.update(due_at=NOW)
    return Issue.objects.get(pk=issue.pk)


def test_an_overdue_issue_is_reported_on_home_in_doctor_and_status(capsys) -> None:
    issue = due_issue()
    assert "is overdue" in find_trouble(now=LATER)
    assert check_overdue(now=LATER).level == "error"
    do = check_overdue(now=LATER).do
    assert "newsletter scheduler" in do
    assert "`newsletter serve` (with systemd: `sudo systemctl start newsletter`)" in do
    with time_machine.travel(LATER, tick=False):
        page = sign_in("writer").get("/admin/").content.decode()
        call_command("status", "--json")
    assert "The weekly letter No. 1 was not sent on time" in page
    row = json.loads(capsys.readouterr().out)["issues"][0]
    assert (row["issue"], row["overdue"]) == (issue.reference, True)
    assert "Check that the scheduler is running" in row["reason"]


def test_home_lists_an_overdue_automatic_issue_once() -> None:
    due_issue(approved=False, approval="auto")
    assert "is overdue" in find_trouble(now=LATER)
    with time_machine.travel(LATER, tick=False):
        page = sign_in("writer").get("/admin/").content.decode()
    assert "was not sent on time" in page
    assert "will send automatically" not in page


@pytest.mark.django_db(transaction=True)
def test_waiting_and_sending_issues_are_not_overdue() -> None:
    issue = due_issue(approved=False)
    assert not find_overdue(now=LATER).exists()
    approve_issue(issue=issue, by=make_approver(), now=LATER - timedelta(minutes=5))
    assert not find_overdue(now=LATER).exists()
    assert find_overdue(now=LATER + timedelta(minutes=6)).exists()
    hold_issue(issue=issue, reason="wait")
    assert not find_overdue(now=LATER + timedelta(minutes=6)).exists()
    with time_machine.travel(LATER + timedelta(minutes=1), tick=False):
        release_issue(issue=issue)
    Issue.objects.update(released_at=LATER)
    assert not find_overdue(now=LATER + timedelta(minutes=9)).exists()
    assert find_overdue(now=LATER + timedelta(minutes=11)).exists()
    start_send(issue=Issue.objects.get(), now=LATER)
    assert not find_overdue(now=LATER + timedelta(minutes=11)).exists()
    assert check_overdue(now=timezone.now()).level == "ok"


def test_a_correction_without_approval_is_never_overdue() -> None:
    due_issue(approved=False, approval="auto")
    Issue.objects.update(kind=Issue.Kind.CORRECTION, slot=None)
    assert Publication.objects.get().approval == "auto"
    assert not find_overdue(now=LATER).exists()
