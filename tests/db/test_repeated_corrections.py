"""Repeated corrections: each reaches exactly the people whose last mail has other details."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from newsletter.common.errors import NotAllowed, NotApproved, NotReady, WrongState
from newsletter.issues.approval.approve import approve_issue, freeze_checked_revision
from newsletter.issues.approval.content_checks import check_events
from newsletter.issues.approval.void_changed import void_changed_approvals
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.corrections import correct as corrections
from newsletter.issues.corrections.correct import (
    announce_change,
    cancel_correction,
    find_misinformed,
    find_obsolete_corrections,
)
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants import event_mentions as told
from newsletter.issues.variants.count_recipients import count_people
from newsletter.models import (
    Batch,
    CorrectedDelivery,
    Correction,
    Delivery,
    DeliveryException,
    EventNotice,
    Issue,
    IssueRevision,
    Publication,
    Send,
)
from newsletter.sending.freezing import freeze
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.retention import delete_old_deliveries
from newsletter.sending.settling.send_controls import cancel_send
from subscribers.models import Subscriber, Subscription
from tests.support.event_changes import (
    LONDONERS,
    announce,
    list_recipient_addresses,
    move_event,
    publish,
    send_out,
    tell,
)
from tests.support.fixtures import LONDON, NOW, add_subscribers, make_approver, make_publication, make_story

pytestmark = pytest.mark.django_db(transaction=True)
TWO_DAYS = timedelta(days=2)


def pause(email: str, *, until: Any = NOW + timedelta(days=1)) -> None:
    Subscription.objects.filter(subscriber__email=email).update(paused_until=until)


def text_of(issue: Issue) -> str:
    return " ".join(issue.variants.get().text.split())


def show_in_another_letter(event: EventNotice) -> Publication:
    """Put the Londoners on another publication's list, and send them the event there too."""
    other = make_publication(slug="other", name="The other letter")
    Subscription.objects.bulk_create(
        Subscription(
            subscriber=person, mailing_list=other.mailing_list, basis="consent", evidence="x", requested_at=NOW
        )
        for person in Subscriber.objects.filter(email__in=LONDONERS)
    )
    issue = assemble_slot(slot=get_or_create_slot(publication=other, due="2026-03-05T09:00", now=NOW), now=NOW).issue
    assert issue is not None
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send_out(issue)
    return other


# --------------------------------------------------------------------------------- it takes place after all


def test_people_notified_of_a_cancellation_hear_of_its_end() -> None:
    publication, event = publish()
    pause("person2@example.com")
    move_event(event, cancelled=True)
    tell(event, publication)
    pause("person2@example.com", until=None)
    move_event(event, cancelled=False)
    (misinformed,) = find_misinformed(event, now=NOW)
    assert (misinformed.people, misinformed.change_type, misinformed.mixed, misinformed.was.cancelled) == (
        2,
        "restored",
        False,
        True,
    )
    issue = tell(event, publication)
    assert list_recipient_addresses(issue) == {"person0@example.com", "person1@example.com"}
    assert str(issue) == "The weekly letter, correction 2"
    assert issue.subject == "It takes place after all: Vigil by the river"
    assert issue.preheader == "Wednesday, 11 March, 09:30 · London"
    text = text_of(issue)
    assert "We told you that “Vigil by the river” (Wednesday, 11 March, 09:30 · London) was cancelled" in text
    assert text.count("Wednesday, 11 March") == 2
    html = issue.variants.get().html
    assert "An event takes place after all" in html
    assert html.count("11 March") >= 2


def test_a_restored_event_is_announced_in_spanish() -> None:
    publication, event = publish(language="es")
    move_event(event, cancelled=True)
    tell(event, publication)
    move_event(event, cancelled=False)
    issue = tell(event, publication)
    assert issue.subject == "Se celebra finalmente: Vigil by the river"
    assert "Ya no es así: mira abajo cuándo y dónde se celebra" in text_of(issue)
    assert "miércoles, 11 de marzo" in issue.preheader


def test_old_corrections_without_event_data_count_as_cancelled() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    first = tell(event, publication)
    for revision in IssueRevision.objects.filter(issue=first):
        revision.content["issue"].pop("announces")
        IssueRevision.objects.filter(pk=revision.pk).update(content=revision.content)
    assert [one.correction for one in find_misinformed(event, now=NOW)] == [first.correction]
    move_event(event, cancelled=False)
    issue = tell(event, publication)
    assert issue.correction.change_type == "restored"
    assert list_recipient_addresses(issue) == LONDONERS


def test_the_text_fits_if_only_some_heard_of_the_cancellation() -> None:
    publication, event = publish()
    pause("person2@example.com")
    move_event(event, cancelled=True)
    tell(event, publication)
    pause("person2@example.com", until=None)
    move_event(event, cancelled=False, starts_at=event.starts_at + TWO_DAYS)
    issue = tell(event, publication)
    assert list_recipient_addresses(issue) == LONDONERS
    assert issue.correction.change_type == "restored"
    assert "told some of you that it was cancelled, and others another day or place" in text_of(issue)
    assert "Friday, 13 March" in text_of(issue)


def test_a_move_after_a_restoration_is_announced_as_a_move() -> None:
    publication, event = publish()
    for cancelled in (True, False):
        move_event(event, cancelled=cancelled)
        tell(event, publication)
    move_event(event, starts_at=event.starts_at + TWO_DAYS)
    (misinformed,) = find_misinformed(event, now=NOW)
    assert (misinformed.change_type, misinformed.people) == ("moved", 3)


def test_editing_a_cancelled_event_needs_no_correction() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    first = tell(event, publication)
    move_event(event, starts_at=event.starts_at + TWO_DAYS)
    assert announce(event, publication) == first


def test_a_restored_event_that_is_over_cannot_be_corrected() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    tell(event, publication)
    move_event(event, cancelled=False)
    later = NOW + timedelta(days=8)
    assert find_misinformed(event, now=later) == []
    with pytest.raises(NotReady, match="is over"):
        announce_change(event=event, publication=publication, by=make_approver(), now=later)


# ------------------------------------------------------------------------------------ back, and forth again


def test_people_notified_of_a_move_hear_that_the_event_moved_back() -> None:
    publication, event = publish()
    pause("person2@example.com")
    there, back = event.starts_at + TWO_DAYS, event.starts_at
    move_event(event, starts_at=there)
    tell(event, publication)
    pause("person2@example.com", until=None)
    move_event(event, starts_at=back)
    (misinformed,) = find_misinformed(event, now=NOW)
    assert (misinformed.people, misinformed.change_type) == (2, "moved")
    assert ("13 March" in misinformed.when, "11 March" in misinformed.when_now) == (True, True)
    issue = tell(event, publication)
    assert list_recipient_addresses(issue) == {"person0@example.com", "person1@example.com"}
    assert "We told you about “Vigil by the river” (Friday, 13 March" in text_of(issue)


def test_repeated_moves_are_each_announced_once() -> None:
    publication, event = publish()
    first, second = event.starts_at, event.starts_at + TWO_DAYS
    for turn, starts_at in enumerate((second, first, second, first), 1):
        move_event(event, starts_at=starts_at)
        issue = tell(event, publication)
        assert (issue.number, issue.correction.sequence, list_recipient_addresses(issue)) == (turn, turn, LONDONERS)
        assert announce(event, publication) == issue
        assert count_people(issue, now=NOW).eligible == 3


def test_people_who_only_saw_the_current_details_are_not_misinformed() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    move_event(event, cancelled=False)
    assert find_misinformed(event, now=NOW) == []


def test_old_details_in_a_later_mail_need_another_correction() -> None:
    publication, event = publish()
    other = show_in_another_letter(event)
    late = Batch.objects.get(send__issue__publication=other)
    Batch.objects.filter(pk=late.pk).update(state=Batch.State.PENDING)
    pause("person2@example.com")
    move_event(event, cancelled=True)
    first = tell(event, publication)
    pause("person2@example.com", until=None)
    Batch.objects.filter(pk=late.pk).update(state=Batch.State.ACCEPTED)
    found = {one.publication: (one.people, one.correction) for one in find_misinformed(event, now=NOW)}
    assert found == {publication: (1, None), other: (3, None)}
    assert [one.earlier for one in find_misinformed(event, now=NOW)] == [first.correction, None]
    second = tell(event, publication)
    assert list_recipient_addresses(second) == {"person2@example.com"}
    assert (second.correction.sequence, second.correction.fingerprint) == (2, "cancelled")
    assert list_recipient_addresses(tell(event, other)) == LONDONERS - {"person2@example.com"}


# ------------------------------------------------------------------------------------- nobody twice: the rows


def test_the_database_refuses_a_second_correction_of_one_mail() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    issue = tell(event, publication)
    row = CorrectedDelivery.objects.first()
    assert row is not None
    assert CorrectedDelivery.objects.count() == 3
    with pytest.raises(IntegrityError), transaction.atomic():
        CorrectedDelivery.objects.create(
            delivery=row.delivery,
            correction_delivery=row.correction_delivery,
            correction=issue.correction,
            event=event,
            fingerprint=row.fingerprint,
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.create(
            issue=Issue.objects.get(kind="issue"),
            publication=publication,
            event=event,
            change_type="moved",
            made_at=NOW,
        )


def test_a_race_during_the_freeze_corrects_nobody_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The freeze reads one snapshot, so only the constraint sees rows that were committed later."""
    publication, event = publish()
    other = show_in_another_letter(event)
    move_event(event, cancelled=True)
    issues = [announce(event, one) for one in (publication, other)]
    for issue in issues:
        approve_issue(issue=issue, by=make_approver(), now=NOW)
    send_out(issues[0])
    snapshot_is_old, put_right, note = True, told._find_already_corrected, told.record_corrected_deliveries

    def look(correction: Correction) -> Any:
        return put_right(correction).filter(pk=-1) if snapshot_is_old else put_right(correction)

    def write(issue: Issue) -> None:
        nonlocal snapshot_is_old
        try:
            note(issue)
        finally:
            snapshot_is_old = False

    monkeypatch.setattr(told, "_find_already_corrected", look)
    monkeypatch.setattr(freeze, "record_corrected_deliveries", write)
    with pytest.raises(NotReady, match="Nobody would get"):
        start_send(issue=issues[1], now=NOW)
    assert not snapshot_is_old
    assert list_recipient_addresses(issues[1]) == set()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one transaction after the other")
def test_two_simultaneous_corrections_reach_each_person_once() -> None:
    publication, event = publish()
    other = show_in_another_letter(event)
    move_event(event, cancelled=True)
    issues = [announce(event, one) for one in (publication, other)]
    for issue in issues:
        approve_issue(issue=issue, by=make_approver(), now=NOW)
    together = Barrier(2)

    def start(issue: Issue) -> str:
        try:
            together.wait(timeout=10)
            start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)
        except NotReady as error:
            return str(error)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(start, issues))
    assert sorted(map(bool, said)) == [False, True]
    assert sorted(len(list_recipient_addresses(issue)) for issue in issues) == [0, 3]


def test_two_simultaneous_announcements_make_one_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    look, drafts = corrections._find_misinformed_group, []

    def look_before_the_other_writes(*who: Any, **rest: Any) -> Any:
        misinformed = look(*who, **rest)
        monkeypatch.setattr(corrections, "_find_misinformed_group", look)
        drafts.append(announce(event, publication))
        return misinformed

    monkeypatch.setattr(corrections, "_find_misinformed_group", look_before_the_other_writes)
    drafts.append(announce(event, publication))
    assert drafts[0] == drafts[1]
    assert Issue.objects.filter(kind="correction").count() == 1


# ------------------------------------------------------------------- what was not sent, and what broke off midway


def test_an_outdated_correction_is_neither_approved_nor_sent() -> None:
    publication, event = publish()
    by = make_approver()
    move_event(event, cancelled=True)
    draft = announce(event, publication)
    approve_issue(issue=draft, by=by, now=NOW)
    move_event(event, cancelled=False)
    with pytest.raises(NotApproved, match="the event “Vigil by the river”"):
        start_send(issue=Issue.objects.get(pk=draft.pk), now=NOW)
    ((voided, changes),) = void_changed_approvals(now=NOW)
    assert (voided, changes) == (draft, ["the event “Vigil by the river”"])
    assert [one.issue for one in find_obsolete_corrections(event, now=NOW)] == [draft]
    with pytest.raises(NotReady, match="nothing to correct"):
        announce(event, publication)
    cancel_correction(correction=draft.correction, by=by, now=NOW)
    assert Issue.objects.get(pk=draft.pk).state == "cancelled"
    assert find_obsolete_corrections(event, now=NOW) == []


def test_a_draft_is_obsolete_if_another_publication_notified_its_people() -> None:
    publication, event = publish()
    other = show_in_another_letter(event)
    move_event(event, cancelled=True)
    draft = announce(event, other)
    assert find_obsolete_corrections(event, now=NOW) == []
    tell(event, publication)
    assert find_obsolete_corrections(event, now=NOW) == [draft.correction]
    with pytest.raises(NotReady, match="Nobody would get"):
        freeze_checked_revision(issue=draft, now=NOW)


@pytest.mark.parametrize("change", [{"cancelled": True}, {"place_text": "Town hall, London"}])
def test_a_correction_of_an_event_that_is_over_warns_and_is_obsolete(change: dict[str, Any]) -> None:
    publication, event = publish()
    move_event(event, **change)
    draft = announce(event, publication)
    content = resolve_content(draft)
    before, after = event.starts_at - TWO_DAYS, event.starts_at + TWO_DAYS
    assert list(check_events(content, delivered_at=before)) == []
    (finding,) = check_events(content, delivered_at=after)
    assert (finding.level, finding.code) == ("warning", "event-past")
    assert finding.message.startswith("The event “Vigil by the river” will be over when people get this correction.")
    assert find_obsolete_corrections(event, now=before) == []
    assert find_obsolete_corrections(event, now=after) == [draft.correction]


def test_an_outdated_correction_fails_its_checks() -> None:
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + TWO_DAYS)
    draft = announce(event, publication)
    move_event(event, starts_at=event.starts_at + TWO_DAYS)
    with pytest.raises(NotReady, match="“Vigil by the river” changed again, so this correction is out of date"):
        freeze_checked_revision(issue=Issue.objects.get(pk=draft.pk), now=NOW)


def test_announcing_another_change_cancels_the_old_draft() -> None:
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + TWO_DAYS)
    older = announce(event, publication)
    approve_issue(issue=older, by=make_approver(), now=NOW)
    move_event(event, cancelled=True)
    newer = announce(event, publication)
    assert newer != older
    assert Issue.objects.get(pk=older.pk).state == "cancelled"
    approve_issue(issue=newer, by=make_approver(), now=NOW)
    send_out(newer)
    assert list_recipient_addresses(newer) == LONDONERS


def test_a_correction_in_sending_must_end_before_the_next() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    issue = announce(event, publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start_send(issue=issue, now=NOW)
    move_event(event, cancelled=False, starts_at=event.starts_at + TWO_DAYS)
    with pytest.raises(WrongState, match="correction 1 is being sent, or was sent"):
        announce(event, publication)
    assert Issue.objects.get(pk=issue.pk).state == "sending"
    Batch.objects.filter(send__issue=issue).update(state=Batch.State.ACCEPTED)
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENT)
    assert list_recipient_addresses(tell(event, publication)) == LONDONERS


def test_only_staff_who_may_edit_issues_cancel_a_correction() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    draft = announce(event, publication)
    stranger = make_approver("stranger@example.org")
    stranger.user_permissions.clear()
    with pytest.raises(NotAllowed):
        cancel_correction(correction=draft.correction, by=type(stranger).objects.get(pk=stranger.pk), now=NOW)


def test_another_correction_reaches_people_missed_by_a_cancelled_one(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=1"
    publication, event = publish()
    move_event(event, cancelled=True)
    issue = announce(event, publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = start_send(issue=issue, now=NOW)
    reached, unknown, waiting = send.batches.order_by("seq")
    Batch.objects.filter(pk=reached.pk).update(state=Batch.State.ACCEPTED)
    Batch.objects.filter(pk=unknown.pk).update(state=Batch.State.UNCERTAIN)
    with pytest.raises(WrongState, match="is being sent"):
        cancel_correction(correction=issue.correction, by=make_approver(), now=NOW)
    cancel_send(send=Send.objects.get(pk=send.pk), by=make_approver(), now=NOW)
    left = Subscriber.objects.get(pk=Delivery.objects.get(batch=waiting).subscriber_id).email
    assert [one.people for one in find_misinformed(event, now=NOW)] == [1]
    assert list_recipient_addresses(tell(event, publication)) == {left}
    assert CorrectedDelivery.objects.count() == 3
    move_event(event, cancelled=False)
    assert list_recipient_addresses(tell(event, publication)) == LONDONERS


def test_another_correction_reaches_people_whose_mail_was_refused(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=2"
    publication, event = publish()
    move_event(event, cancelled=True)
    first = announce(event, publication)
    approve_issue(issue=first, by=make_approver(), now=NOW)
    send_out(first)
    pair, single = Send.objects.get(issue=first).batches.order_by("seq")
    Batch.objects.filter(pk=single.pk).update(state=Batch.State.REJECTED)
    alone = pair.deliveries.order_by("pk").first()
    assert alone is not None
    DeliveryException.objects.create(delivery=alone, state="rejected", at=NOW)
    assert [one.people for one in find_misinformed(event, now=NOW)] == [2]
    move_event(event, cancelled=False)
    assert [one.people for one in find_misinformed(event, now=NOW)] == [1]


def test_a_correction_cancelled_before_sending_can_be_replaced() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    first = announce(event, publication)
    cancel_correction(correction=first.correction, by=make_approver(), now=NOW)
    second = announce(event, publication)
    assert second != first
    assert count_people(second, now=NOW).eligible == 3


# ------------------------------------------------------------------------------------------------ older rows


def test_corrected_deliveries_are_deleted_with_old_deliveries() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    tell(event, publication)
    Send.objects.update(state=Send.State.SUBMITTED, ended_at=NOW)
    delete_old_deliveries(now=NOW + timedelta(days=91))
    assert not Delivery.objects.exists()
    assert not CorrectedDelivery.objects.exists()
    assert find_misinformed(event, now=NOW) == []


def test_an_issue_with_current_details_does_not_count_as_a_correction() -> None:
    """People who noted the old day stay misinformed: a line in a list does not say that it changed."""
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + TWO_DAYS * 7)
    make_story("The second verdict", published_at=NOW + timedelta(days=6), seen_at=NOW + timedelta(days=6))
    add_subscribers(publication, 1, where=LONDON, start=20)
    later = NOW + timedelta(days=7)
    slot = get_or_create_slot(publication=publication, due="2026-03-12T09:00", now=later)
    second = assemble_slot(slot=slot, now=later).issue
    assert second is not None
    approve_issue(issue=second, by=make_approver(), now=later)
    send_out(second)
    assert list_recipient_addresses(second) >= LONDONERS | {"person20@example.com"}
    assert list_recipient_addresses(tell(event, publication)) == LONDONERS
