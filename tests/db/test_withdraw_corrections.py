"""If a story is withdrawn, staff read the corrections that may name it before more mails go out."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User

from newsletter.common.errors import NotApproved
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.hold import release_issue
from newsletter.issues.assembly.restored_slots import HELD_FOR
from newsletter.issues.corrections.correct_mistake import correct_mistake
from newsletter.issues.corrections.hold_corrections import hold_corrections_of_gone_stories
from newsletter.issues.planning.complete_send import complete_send
from newsletter.models import Issue, Send, Story
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.send_controls import (
    cancel_send,
    resume_send,
)
from newsletter.sending.withdraw_corrections import hold_waiting_corrections, pause_corrections
from newsletter.sending.withdraw_story import (
    Withdrawal,
    withdraw_story,
)
from tests.support.event_changes import finish
from tests.support.fixtures import LONDON, NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "The woman in the first verdict is 34 years old."


@pytest.fixture
def editor() -> User:
    person = make_approver()
    person.user_permissions.add(Permission.objects.get(codename="change_story"))
    return User.objects.get(pk=person.pk)


@pytest.fixture
def sent(publication) -> Issue:
    make_story("The first verdict")
    add_subscribers(publication, 3, where=LONDON)
    return finish(make_issue(publication, approved=True))


def correct(issue: Issue) -> Issue:
    return correct_mistake(issue=issue, text=TEXT, by=make_approver(), now=NOW)


def withdraw(by: User) -> Withdrawal:
    return withdraw_story(story=Story.objects.get(), by=by, reason="She asked us to.", now=NOW)


def test_a_waiting_correction_is_held_and_needs_a_new_approval(sent: Issue, editor: User) -> None:
    correction = correct(sent)
    approve_issue(issue=correction, by=editor, now=NOW)
    assert withdraw(editor).held == [correction]
    correction.refresh_from_db()
    assert correction.held
    assert "“The first verdict” was withdrawn" in correction.held_reason
    assert "first verdict" not in correction.subject
    assert correction.body[0].value["text"].source == f"<p>{TEXT}</p>", "staff read the text, and change it"
    release_issue(issue=correction)
    with pytest.raises(NotApproved):
        start_send(issue=Issue.objects.get(pk=correction.pk), now=NOW)
    approve_issue(issue=Issue.objects.get(pk=correction.pk), by=editor, now=NOW)
    start_send(issue=Issue.objects.get(pk=correction.pk), now=NOW)


def test_the_send_of_a_correction_is_paused_until_staff_resume_it(sent: Issue, editor: User) -> None:
    correction = correct(sent)
    approve_issue(issue=correction, by=editor, now=NOW)
    send = start_send(issue=Issue.objects.get(pk=correction.pk), now=NOW)
    assert [issue.pk for issue in withdraw(editor).paused] == [correction.pk]
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "“The first verdict” was withdrawn" in send.reason
    resume_send(send=send, by=editor, now=NOW)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING


def test_a_correction_whose_send_just_began_does_not_stop_the_withdrawal(sent: Issue, editor: User) -> None:
    correction = correct(sent)
    approve_issue(issue=correction, by=editor, now=NOW)
    as_read_before = Issue.objects.get(pk=correction.pk)
    start_send(issue=Issue.objects.get(pk=correction.pk), now=NOW)
    story = Story.objects.get()
    assert hold_waiting_corrections([as_read_before], story=story, by=editor, now=NOW) == []
    assert pause_corrections([as_read_before], story=story) == [correction]


def test_corrections_that_may_name_the_story_are_listed(sent: Issue, editor: User) -> None:
    first = finish_correction(sent, editor)
    second = finish_correction(first, editor)
    assert withdraw(editor).corrections == [second, first]


def finish_correction(issue: Issue, editor: User) -> Issue:
    correction = correct(issue)
    approve_issue(issue=correction, by=editor, now=NOW)
    return finish(correction)


def test_another_storys_withdrawal_changes_no_correction(sent: Issue, editor: User) -> None:
    correction = correct(sent)
    other = make_story("The second verdict", days_old=2)
    done = withdraw_story(story=other, by=editor, reason="", now=NOW)
    correction.refresh_from_db()
    assert (done.corrections, correction.held) == ([], False)


def test_a_correction_that_may_have_been_sent_before_a_restore_stays_so(sent: Issue, editor: User) -> None:
    correction = correct(sent)
    Issue.objects.filter(pk=correction.pk).update(held=True, held_reason=HELD_FOR)
    withdraw(editor)
    correction.refresh_from_db()
    assert correction.held_reason == HELD_FOR, "staff must not read that they can release it"
    assert "first verdict" not in correction.subject


def test_what_completes_a_correction_is_held_too(sent: Issue, editor: User) -> None:
    completing = complete(correct(sent), editor)
    Story.objects.update(gone_at=NOW + timedelta(minutes=1), gone_code="removed")
    assert hold_corrections_of_gone_stories(now=NOW) == [completing]
    completing.refresh_from_db()
    assert "first verdict" not in completing.subject


def complete(correction: Issue, editor: User) -> Issue:
    """Cancel the send before anybody got it, and draft the issue that completes it."""
    editor.user_permissions.add(Permission.objects.get(codename="send_issue"))
    by = User.objects.get(pk=editor.pk)
    approve_issue(issue=correction, by=by, now=NOW)
    send = start_send(issue=Issue.objects.get(pk=correction.pk), now=NOW)
    cancel_send(send=send, by=by, now=NOW)
    return complete_send(issue=Issue.objects.get(pk=correction.pk), by=by, now=NOW)


def test_a_cancelled_draft_of_a_correction_is_not_listed(sent: Issue, editor: User) -> None:
    correction = correct(sent)
    Issue.objects.filter(pk=correction.pk).update(state=Issue.State.CANCELLED)
    assert withdraw(editor).corrections == []


def test_a_correction_is_held_if_the_original_of_a_translation_is_gone(sent: Issue) -> None:
    correction = correct(sent)
    original = make_story("El primer veredicto", days_old=9)
    Story.objects.exclude(pk=original.pk).update(language="es", translation_of=original)
    Story.objects.filter(pk=original.pk).update(gone_at=NOW + timedelta(minutes=1), gone_code="removed")
    assert hold_corrections_of_gone_stories(now=NOW) == [correction]


def test_a_waiting_correction_is_held_once_for_a_gone_story(sent: Issue) -> None:
    correction = correct(sent)
    assert hold_corrections_of_gone_stories(now=NOW) == []
    Story.objects.update(gone_at=NOW + timedelta(minutes=1), gone_code="removed")
    assert hold_corrections_of_gone_stories(now=NOW) == [correction]
    correction.refresh_from_db()
    assert correction.held
    assert hold_corrections_of_gone_stories(now=NOW) == []
    release_issue(issue=correction)
    Issue.objects.filter(pk=correction.pk).update(released_at=NOW + timedelta(minutes=2))
    assert hold_corrections_of_gone_stories(now=NOW) == [], "staff have read it"
