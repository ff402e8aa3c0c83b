"""A withdrawn story in the desk: the question before it, and the pages of the issues that have it."""

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.models import Batch, Issue, Publication, Send, Story
from tests.support.desk import sign_in
from tests.support.fixtures import add_subscribers, make_issue, make_story
from tests.support.sends import start_send

pytestmark = pytest.mark.django_db

CANNOT_RESUME = "To mail the others without it, choose “Stop permanently”"


@pytest.fixture
def story(publication: Publication) -> Story:
    add_subscribers(publication, 3)
    return make_story("The clinic opens its doors")


def read(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


def ask_to_withdraw(story: Story) -> str:
    return read(sign_in("approver"), f"/admin/stories/withdraw/{story.pk}/")


def test_the_question_names_the_issues_that_a_withdrawal_stops(story: Story, publication: Publication) -> None:
    nothing = "No unsent issue, welcome mail or running send shows it now."
    assert nothing in ask_to_withdraw(story)
    issue = make_issue(publication, approved=True)
    question = ask_to_withdraw(story)
    assert nothing not in question
    assert f'These show it and are on hold or paused then: <a href="/admin/issues/{issue.pk}/overview/">' in question
    send = start_send(issue=issue, now=timezone.now())
    assert f"/admin/issues/{issue.pk}/overview/" in ask_to_withdraw(story)
    send.batches.update(state=Batch.State.ACCEPTED)
    assert nothing in ask_to_withdraw(story)


def test_a_sent_issue_says_that_a_story_of_it_is_withdrawn(story: Story, publication: Publication) -> None:
    send = start_send(issue=make_issue(publication, approved=True), now=timezone.now())
    send.batches.update(state=Batch.State.ACCEPTED)
    Send.objects.update(state=Send.State.SUBMITTED)
    Issue.objects.update(state=Issue.State.SENT)
    client, address = sign_in("approver"), f"/admin/issues/{send.issue_id}/overview/"
    assert "These stories of the issue are withdrawn." not in read(client, address)
    Story.objects.update(withdrawn_at=timezone.now())
    page = read(client, address)
    assert "These stories of the issue are withdrawn." in page
    assert f"/admin/stories/withdraw/{story.pk}/" in page


def test_a_paused_send_with_a_withdrawn_story_offers_no_resume(story: Story, publication: Publication) -> None:
    send = start_send(issue=make_issue(publication, approved=True), now=timezone.now())
    Send.objects.update(state=Send.State.PAUSED, reason="the provider refused")
    client, address = sign_in("approver"), f"/admin/issues/{send.issue_id}/overview/"
    page = read(client, address)
    assert "/send/go-on/" in page
    assert CANNOT_RESUME not in page
    Story.objects.update(withdrawn_at=timezone.now())
    page = read(client, address)
    assert "/send/go-on/" not in page
    assert "The provider refused." in page
    assert page.count(CANNOT_RESUME) == 1


@pytest.mark.parametrize(("state", "is_shown"), [("accepted", True), ("partial", True), ("pending", False)])
def test_home_shows_a_stopped_issue_that_reached_people(
    story: Story, publication: Publication, state: str, *, is_shown: bool
) -> None:
    send = start_send(issue=make_issue(publication, approved=True), now=timezone.now())
    send.batches.update(state=state)
    Send.objects.update(state=Send.State.CANCELLED)
    Issue.objects.update(state=Issue.State.CANCELLED)
    home = read(sign_in("approver"), "/admin/")
    assert ("Its send was stopped permanently before everybody got it." in home) == is_shown
    assert ("No issue has been sent yet." in home) == (not is_shown)
