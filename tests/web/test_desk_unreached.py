"""After a cancelled send: who was not reached, and the corrected issue for them."""

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.models import AuditEntry, Batch, Issue, Publication, Send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.send_controls import cancel_send
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def cancelled(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=timezone.now())
    cancel_send(send=Send.objects.get(), by=make_approver(), now=timezone.now())
    return Issue.objects.get()


@pytest.fixture
def writer() -> Client:
    return sign_in("writer")


def overview(issue: Issue, client: Client) -> str:
    return client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()


def test_a_cancelled_issue_offers_to_reach_the_others(cancelled: Issue, writer: Client) -> None:
    page = overview(cancelled, writer)
    assert "The send was cancelled before it reached 3 people." in page
    assert "not sent: the send was cancelled first" in page
    path = f"/admin/issues/{cancelled.pk}/complete/"
    assert "those whom the send did not reach: 3 people" in writer.get(path).content.decode()
    answer = writer.post(path, follow=True)
    made = Issue.objects.exclude(pk=cancelled.pk).get()
    assert answer.redirect_chain == [(f"/admin/issues/edit/{made.pk}/", 302)]
    assert "was created for those not reached" in " ".join(list_messages(answer))
    assert AuditEntry.objects.get(action="newsletter.complete").data == {"made": made.pk}
    assert "did not reach before its send was cancelled. Nobody gets both." in overview(made, writer)
    page = overview(cancelled, writer)
    assert (
        f'<a href="/admin/issues/{made.pk}/overview/">The weekly letter No. 2</a> goes to the people who were not reached.'
        in page
    )
    assert "Correct and send to unreached recipients" not in page


def test_an_issue_whose_send_reached_everybody_offers_nothing(cancelled: Issue, writer: Client) -> None:
    Batch.objects.update(state="accepted")
    assert "Those not reached" not in overview(cancelled, writer)
    page = writer.post(f"/admin/issues/{cancelled.pk}/complete/").content.decode()
    assert "There is nobody left whom the cancelled send" in page
    assert Issue.objects.count() == 1


def test_the_delivery_summary_says_who_gets_the_corrected_issue(cancelled: Issue, writer: Client) -> None:
    Send.objects.update(recipients=1, excluded={"sent_by_completion": 2})
    Batch.objects.update(size=1)
    assert "get the corrected issue instead" in overview(cancelled, writer)
