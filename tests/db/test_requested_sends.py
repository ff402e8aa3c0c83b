"""A send that staff start: the row at once, the audience by the engine, and failures of the freeze."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError

from newsletter.common.errors import NotAllowed
from newsletter.jobs.scheduler_jobs import freeze_requested_sends
from newsletter.models import Issue, Publication, Send, StaffNotice
from newsletter.sending.freezing import start
from newsletter.sending.freezing.start import prepare_requested_sends, prepare_send, request_send, start_send
from subscribers.models import Subscription
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    return make_issue(publication, approved=True)


def test_the_engine_freezes_the_audience_of_a_requested_send(issue: Issue) -> None:
    send = request_send(issue=issue, by=make_approver(), now=NOW)
    assert (send.state, send.recipients) == ("preparing", 0)
    assert prepare_requested_sends(now=NOW) == []
    send.refresh_from_db()
    assert (send.state, send.recipients, send.not_before) == ("submitting", 3, None)
    assert request_send(issue=issue, by=make_approver(), now=NOW) == send


def test_starting_a_send_needs_the_permission(issue: Issue) -> None:
    with pytest.raises(NotAllowed, match="may not start sends"):
        request_send(issue=issue, by=User.objects.create_user("writer@example.org"), now=NOW)
    assert not Send.objects.exists()


def test_an_issue_that_cannot_be_prepared_is_held_with_a_notice(issue: Issue) -> None:
    request_send(issue=issue, by=make_approver(), now=NOW)
    Subscription.objects.all().update(ended_at=NOW, end_reason="unsubscribe")
    freeze_requested_sends(now=NOW)
    issue.refresh_from_db()
    assert (issue.state, issue.held) == ("approved", True)
    assert Send.objects.get().state == "cancelled"
    assert StaffNotice.objects.filter(key__startswith="held-").count() == 1


def test_a_hold_before_the_freeze_stops_the_send(issue: Issue) -> None:
    request_send(issue=issue, by=make_approver(), now=NOW)
    Issue.objects.update(held=True, held_reason="A wrong date.")
    assert prepare_requested_sends(now=NOW) == []
    assert Send.objects.get().state == "cancelled"


def test_a_send_that_another_process_prepared_continues(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes fix one audience at once: one is refused by the database, and nothing is cancelled."""
    send = request_send(issue=issue, by=make_approver(), now=NOW)
    stale = Send.objects.get(pk=send.pk)
    prepare_send(send=send, now=NOW)

    def refuse(**given: object) -> None:
        raise IntegrityError("UNIQUE constraint failed: newsletter_batch.send_id, newsletter_batch.seq")

    monkeypatch.setattr(start, "freeze_audience", refuse)
    assert prepare_send(send=stale, now=NOW).state == "submitting"
    Send.objects.update(state="preparing")
    with pytest.raises(IntegrityError):
        prepare_send(send=Send.objects.get(), now=NOW)


def test_a_scheduled_start_is_not_prepared_twice(issue: Issue) -> None:
    start_send(issue=issue, now=NOW)
    Send.objects.update(state="preparing", not_before=None)
    assert prepare_requested_sends(now=NOW) == []
    assert Send.objects.get().state == "preparing"


def test_a_send_read_with_its_issue_reads_the_reasons_when_used(issue: Issue) -> None:
    request_send(issue=issue, by=make_approver(), now=NOW)
    send = Send.objects.select_related("issue__publication").get()
    assert send.issue.get_deferred_fields() == {"reasons"}
    assert send.issue.reasons == Issue.objects.get().reasons != []
