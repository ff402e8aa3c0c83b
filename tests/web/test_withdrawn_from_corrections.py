"""The text of a correction is hidden if a story that it may name is withdrawn after it was sent."""

from datetime import timedelta

import pytest
from django.test import Client

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.archive.public_view import make_public_subject
from newsletter.issues.corrections.correct_mistake import correct_mistake
from newsletter.issues.planning.complete_send import complete_send
from newsletter.models import Issue, Send, Story, StoryPlacement
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.send_controls import cancel_send
from tests.support.event_changes import finish
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "The woman in the first verdict is 34 years old."
HIDDEN = "This text is no longer shown, because it may be about a story that is no longer shown."
LATER = NOW + timedelta(days=1)
FAR_AHEAD = NOW.replace(year=2100)


@pytest.fixture
def issue() -> Issue:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 2, where=LONDON)
    return finish(make_issue(publication, approved=True))


def correct_and_send(issue: Issue, text: str = TEXT) -> Issue:
    correction = correct_mistake(issue=issue, text=text, by=make_approver(), now=NOW)
    approve_issue(issue=correction, by=make_approver(), now=NOW)
    return finish(correction)


def read_online(issue: Issue) -> str:
    return Client().get(f"/view/{issue.variants.get().public_id}").content.decode()


def withdraw(**fields) -> None:
    Story.objects.update(**fields or {"withdrawn_at": LATER, "withdrawn_reason": "consent"})


@pytest.mark.parametrize("fields", [{}, {"gone_at": LATER, "gone_code": "removed"}, {"embargo_until": FAR_AHEAD}])
def test_a_sent_correction_hides_its_text_with_a_story(issue: Issue, fields: dict[str, object]) -> None:
    correction = correct_and_send(issue)
    assert TEXT in read_online(correction)
    withdraw(**fields)
    page = read_online(correction)
    assert TEXT[:20] not in page
    assert "first verdict" not in page, "the subject of the issue names the story"
    assert HIDDEN in page
    assert make_public_subject(correction, at=LATER) == f"Correction: {issue.publication.name}"


def test_the_text_is_shown_again_when_the_story_is(issue: Issue) -> None:
    correction = correct_and_send(issue)
    withdraw()
    assert HIDDEN in read_online(correction)
    Story.objects.update(withdrawn_at=None, withdrawn_reason="")
    assert TEXT in read_online(correction)


def test_the_text_is_hidden_with_a_deleted_story(issue: Issue) -> None:
    correction = correct_and_send(issue)
    StoryPlacement.objects.all().delete()
    Story.objects.all().delete()
    assert HIDDEN in read_online(correction)


def test_a_correction_that_was_sent_after_a_withdrawal_stays(issue: Issue) -> None:
    withdraw(withdrawn_at=NOW - timedelta(hours=1), withdrawn_reason="consent")
    text = "We should not have told you this story. It is withdrawn."
    correction = correct_and_send(issue, text)
    assert text in read_online(correction)


def test_a_story_that_was_gone_before_and_withdrawn_after_hides_it(issue: Issue) -> None:
    withdraw(gone_at=NOW - timedelta(hours=1), gone_code="removed")
    correction = correct_and_send(issue)
    assert TEXT in read_online(correction)
    withdraw()
    assert HIDDEN in read_online(correction)


def test_a_consent_that_had_run_out_before_hides_nothing(issue: Issue) -> None:
    withdraw(consent_needed=True, consent_expires_on=NOW - timedelta(days=2))
    correction = correct_and_send(issue)
    assert TEXT in read_online(correction)
    withdraw(consent_expires_on=None)
    assert HIDDEN in read_online(correction), "its consent was changed, and nobody knows when"


def test_what_completes_a_correction_hides_its_text_too(issue: Issue) -> None:
    correction = correct_mistake(issue=issue, text=TEXT, by=make_approver(), now=NOW)
    approve_issue(issue=correction, by=make_approver(), now=NOW)
    start_send(issue=Issue.objects.get(pk=correction.pk), now=NOW)
    cancel_send(send=Send.objects.get(issue=correction), by=make_approver(), now=NOW)
    completing = complete_send(issue=Issue.objects.get(pk=correction.pk), by=make_approver(), now=NOW)
    approve_issue(issue=completing, by=make_approver(), now=NOW)
    completing = finish(completing)
    assert TEXT in read_online(completing)
    withdraw()
    assert HIDDEN in read_online(completing)
    assert "first verdict" not in make_public_subject(completing, at=LATER)


def test_a_correction_of_a_correction_hides_its_text_too(issue: Issue) -> None:
    first = correct_and_send(issue)
    second = correct_and_send(first, "She is 43 years old.")
    assert "She is 43 years old." in read_online(first)
    withdraw()
    for page in (read_online(first), read_online(second)):
        assert "She is 43 years old." not in page
        assert "first verdict" not in page


def test_the_subject_of_the_next_correction_names_no_story(issue: Issue) -> None:
    first = correct_and_send(issue)
    withdraw()
    second = correct_mistake(issue=first, text="It is withdrawn.", by=make_approver(), now=LATER)
    assert "first verdict" not in second.subject
