"""A mistake in an issue that was sent is corrected for exactly the people who have that issue."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.db.models import F

from newsletter.common.errors import NotAllowed, NotReady, SwitchedOff, WrongState
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.corrections.correct_mistake import correct_mistake, find_other_reached_parts, is_correctable
from newsletter.issues.corrections.corrected_issues import find_corrected_issues, find_corrections_of
from newsletter.issues.planning.close_issue import close_issue
from newsletter.issues.planning.complete_send import complete_send
from newsletter.issues.snapshot.own_texts import hash_text
from newsletter.issues.variants.count_recipients import count_people
from newsletter.models import (
    Batch,
    Correction,
    Delivery,
    DeliveryException,
    Issue,
    Publication,
    Send,
    Story,
    TextTranslation,
)
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.event_changes import list_recipient_addresses, publish, send_out
from tests.support.fixtures import LONDON, NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "The number of the helpline was wrong.\n\nIt is 0800 000 0000."


@pytest.fixture
def sent(publication: Publication) -> Issue:
    """An issue that three people got."""
    make_story("The first verdict")
    add_subscribers(publication, 3, where=LONDON)
    issue = make_issue(publication, approved=True)
    finish(issue)
    return issue


def finish(issue: Issue) -> Send:
    """As if the provider accepted everything and the send has ended."""
    send = send_out(Issue.objects.get(pk=issue.pk))
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTED)
    issue.refresh_from_db()
    return send


def correct(issue: Issue, *, text: str = TEXT) -> Issue:
    return correct_mistake(issue=issue, text=text, by=make_approver(), now=NOW)


def approve_and_send(issue: Issue) -> Send:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    return finish(issue)


def test_a_correction_goes_to_those_who_got_the_mistake_only(sent: Issue) -> None:
    readers = list_recipient_addresses(sent)
    add_subscribers(sent.publication, 2, where=LONDON, start=10)
    issue = correct(sent)
    assert str(issue) == "The weekly letter, correction 1"
    assert issue.subject == f"Correction: {sent.subject}"
    assert issue.preheader == "The number of the helpline was wrong. It is 0800 000 0000."
    send = approve_and_send(issue)
    assert list_recipient_addresses(issue) == readers
    assert (send.candidates, send.recipients, send.excluded) == (3, 3, {})
    assert "The number of the helpline was wrong.\n\nIt is 0800 000 0000." in issue.variants.get().text
    assert find_corrections_of(sent) == [issue.correction]
    assert find_corrected_issues(issue.correction) == [sent]


def test_what_staff_write_is_text_and_no_html(sent: Issue) -> None:
    approve_and_send(issue := correct(sent, text="Not <b>10</b>, but\n12 & 14"))
    assert "Not &lt;b&gt;10&lt;/b&gt;, but<br" in issue.variants.get().html


def test_a_personal_field_is_never_cut_in_the_preheader(sent: Issue) -> None:
    text = f'{"Ten, not nine. " * 6}See you, {{{{ first_name | default:"friend" }}}}!'
    issue = correct(sent, text=text)
    assert issue.preheader == f"{'Ten, not nine. ' * 6}See you…"
    approve_and_send(issue)


def test_people_who_may_have_the_mistake_are_corrected_too(sent: Issue) -> None:
    """An uncertain recipient may have it; a refused one has not; somebody who left is not written to."""
    uncertain, refused, left = Delivery.objects.filter(issue=sent).order_by("pk")
    State = DeliveryException.State
    DeliveryException.objects.create(delivery=uncertain, state=State.UNCERTAIN, at=NOW)
    DeliveryException.objects.create(delivery=refused, state=State.REJECTED, at=NOW)
    unsubscribe_from_list(
        subscriber=Subscriber.objects.get(pk=left.subscriber_id),
        mailing_list=sent.publication.mailing_list,
        now=NOW,
    )
    counted = count_people(correct(sent), now=NOW)
    assert (counted.candidates, counted.eligible) == (2, 1)


@pytest.fixture
def completed(sent: Issue) -> tuple[Issue, Issue]:
    """An issue that one person got before its send was cancelled, and the one that completes it, which two people got."""
    send = sent.sends.get()
    got_it, *missed = Delivery.objects.filter(issue=sent).order_by("pk")
    batch = Batch.objects.get(send=send)
    batch.pk, batch.key = None, uuid4()
    batch.part, batch.seq, batch.state, batch.handed_to = 1, batch.seq + 1, Batch.State.PENDING, ""
    batch.save()
    Delivery.objects.filter(pk__in=[one.pk for one in missed]).update(batch=batch)
    Send.objects.filter(pk=send.pk).update(state=Send.State.CANCELLED)
    Issue.objects.filter(pk=sent.pk).update(state=Issue.State.CANCELLED)
    sent.refresh_from_db()
    completing = complete_send(issue=sent, by=make_approver(), now=NOW)
    approve_and_send(completing)
    return sent, completing


def test_each_part_of_an_issue_is_corrected_on_its_own(completed: tuple[Issue, Issue]) -> None:
    """The part that completes the other often has the right text already."""
    cancelled, completing = completed
    first, second = correct(cancelled), correct(completing)
    assert (first.correction.corrects, second.correction.corrects) == completed
    assert find_corrections_of(cancelled) == [first.correction]
    assert find_corrections_of(completing) == [second.correction]
    assert find_corrected_issues(first.correction) == [cancelled]
    assert (count_people(first, now=NOW).eligible, count_people(second, now=NOW).eligible) == (1, 2)
    assert find_other_reached_parts(cancelled) == [completing]
    assert find_other_reached_parts(completing) == [cancelled]


def test_a_cancelled_send_is_corrected_once_every_call_ended(completed: tuple[Issue, Issue]) -> None:
    cancelled, _ = completed
    Batch.objects.filter(send__issue=cancelled).update(state=Batch.State.SUBMITTING, handed_to=F("account"))
    with pytest.raises(WrongState, match="has no result yet"):
        correct(cancelled)


def test_a_correction_with_a_mistake_is_corrected_too(sent: Issue) -> None:
    approve_and_send(first := correct(sent))
    approve_and_send(second := correct(first))
    assert second.subject == f"Correction: Correction: {sent.subject}"
    assert list_recipient_addresses(second) == list_recipient_addresses(sent)


def test_a_second_mistake_gets_a_second_correction(sent: Issue) -> None:
    first = correct(sent)
    with pytest.raises(WrongState, match=r"correction 1 corrects .* and is not sent yet"):
        correct(sent)
    approve_and_send(first)
    approve_and_send(second := correct(sent))
    assert [one.issue for one in find_corrections_of(sent)] == [first, second]
    assert Correction.objects.get(issue=second).sequence == 2


def test_the_subject_does_not_name_a_withdrawn_story(sent: Issue) -> None:
    Story.objects.update(withdrawn_at=NOW, withdrawn_reason="consent")
    assert correct(sent).subject == "Correction: The weekly letter"


def test_a_second_correction_waits_until_the_first_is_sent(sent: Issue) -> None:
    Issue.objects.filter(pk=correct(sent).pk).update(state=Issue.State.SENDING)
    with pytest.raises(WrongState, match="is not sent yet"):
        correct(sent)


def test_a_cancelled_correction_can_be_drafted_again(sent: Issue) -> None:
    close_issue(issue=correct(sent), reason="Not needed", by=make_approver(), now=NOW)
    assert correct(sent).state == Issue.State.DRAFT


def test_two_people_at_once_make_one_correction(sent: Issue) -> None:
    correct(sent)
    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.create(
            issue=sent, publication=sent.publication, corrects=sent, change_type="mistake", made_at=NOW
        )


def test_an_issue_that_is_being_sent_is_not_corrected_yet(publication: Publication) -> None:
    make_story("The first verdict")
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    with pytest.raises(WrongState, match="Wait until its send ends, or stop it permanently"):
        correct(issue)
    assert not is_correctable(issue)


def test_an_issue_whose_recipients_were_deleted_is_not_corrected(sent: Issue) -> None:
    Delivery.objects.filter(issue=sent).delete()
    with pytest.raises(NotReady, match=r"No recipient of The weekly letter No\. 1 is known"):
        correct(sent)
    assert not is_correctable(sent)


def test_a_welcome_mail_is_corrected_in_its_text(sent: Issue) -> None:
    sent.kind = Issue.Kind.WELCOME
    with pytest.raises(NotReady, match="New people get"):
        correct(sent)


def test_only_staff_who_may_write_draft_a_correction(sent: Issue) -> None:
    with pytest.raises(NotAllowed):
        correct_mistake(issue=sent, text=TEXT, by=AnonymousUser(), now=NOW)


def test_a_publication_that_is_off_corrects_nothing(sent: Issue) -> None:
    Publication.objects.update(enabled=False)
    with pytest.raises(SwitchedOff):
        correct(sent)


def test_the_subject_follows_the_translation_of_the_issue(sent: Issue) -> None:
    publication = sent.publication
    publication.languages = ["es", "de"]
    publication.save()
    TextTranslation.objects.create(
        publication=publication,
        language="es",
        source_sha256=hash_text(sent.subject),
        source=sent.subject,
        text="El primer veredicto",
        at=NOW,
    )
    issue = correct(sent)
    translated = TextTranslation.objects.filter(source=issue.subject)
    assert list(translated.values_list("language", "text")) == [("es", "Corrección: El primer veredicto")]
    headings = TextTranslation.objects.filter(source="Correction").order_by("language")
    assert list(headings.values_list("text", flat=True)) == ["Berichtigung", "Corrección"]


def test_an_events_correction_and_a_mistakes_are_told_apart() -> None:
    _, event = publish()
    issue = Issue.objects.get()
    Send.objects.update(state=Send.State.SUBMITTED)
    mistake = correct(issue).correction
    assert str(mistake) == f"{issue}: an issue had a mistake"
    mistake.event = event
    with pytest.raises(IntegrityError), transaction.atomic():
        mistake.save()
