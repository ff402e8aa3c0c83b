"""No person gets more mails in 7 days than the organisation allows, over all publications."""

import threading
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections

from newsletter.common.errors import NotReady
from newsletter.desk.sends.confirmations import confirm_start
from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience, count_people
from newsletter.issues.variants.mail_budget import find_over_budget, find_planned_times
from newsletter.issues.variants.recipient_groups import find_recipients
from newsletter.models import Batch, Delivery, DeliveryException, Issue, MailLimits, Publication, Send, Slot
from newsletter.sending.freezing.start import prepare_requested_sends, request_send, start_send
from subscribers.models import MailingList, Segment, Subscriber
from tests.support.fixtures import DUE, NOW, add_subscribers, make_approver, make_publication, make_story

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
NAMES = ["weekly", "rights", "events", "legal"]


@pytest.fixture
def publications() -> list[Publication]:
    """Return four publications of one list."""
    first = make_publication(stories=1)
    rest = [make_publication(slug=slug, stories=1, mailing_list_id=first.mailing_list_id) for slug in NAMES[1:]]
    Publication.objects.update(mailing_list=first.mailing_list)
    return list(Publication.objects.filter(pk__in=[first.pk, *(one.pk for one in rest)]).order_by("pk"))


def limit_mails(number: int) -> None:
    MailLimits.objects.update_or_create(pk=1, defaults={"mails_in_7_days": number})


def make_draft(publication: Publication) -> Issue:
    """Return an issue with a story of its own, due in 23½ hours."""
    make_story(f"The story of {publication.slug}", days_old=1)
    assembly = assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW)
    assert assembly.issue is not None
    return assembly.issue


def make_approved(publication: Publication) -> Issue:
    issue = make_draft(publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    return issue


def send(publication: Publication) -> Send:
    return start_send(issue=make_approved(publication), now=NOW)


def settle(sent: Send, *, at: datetime) -> None:
    sent.batches.update(state=Batch.State.ACCEPTED, settled_at=at)
    Send.objects.filter(pk=sent.pk).update(state=Send.State.SUBMITTED, ended_at=at)


@pytest.mark.requirement("N8")
def test_a_mail_above_the_limit_is_counted_and_not_sent(publications: list[Publication]) -> None:
    limit_mails(2)
    full = add_subscribers(publications[0], 2)
    for publication in publications[:2]:
        send(publication)
    (new,) = add_subscribers(publications[0], 1, start=7)
    third = make_approved(publications[2])
    counted = count_final_audience(third, content=resolve_content(third), now=NOW)
    sent = start_send(issue=third, now=NOW)
    assert sent.excluded == counted.excluded == {"over_budget": 2}
    assert (sent.candidates, sent.recipients, counted.eligible) == (3, 1, 1)
    assert not Delivery.objects.filter(issue=third, subscriber_id__in=[one.pk for one in full]).exists()
    assert Delivery.objects.filter(issue=third, subscriber_id=new.pk).exists()
    assert count_people(third, now=NOW).candidates == 3


def test_an_audience_emptied_by_the_limit_is_reported_before_the_send(publications: list[Publication]) -> None:
    limit_mails(1)
    add_subscribers(publications[0], 2)
    send(publications[0])
    with pytest.raises(NotReady, match="2 would get more mails in 7 days than the limit for one person allows"):
        send(publications[1])


def test_a_higher_publication_whose_segment_ended_keeps_no_room(publications: list[Publication]) -> None:
    """It sends nothing until somebody corrects the segment. It stopped every other publication."""
    limit_mails(1)
    add_subscribers(publications[0], 2)
    segment = Segment.objects.create(slug="had-it", name="Had it", rule={"received": "weekly/1"})
    Publication.objects.filter(pk=publications[1].pk).update(priority="high", segment=segment)
    assert send(publications[0]).recipients == 2


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer, so freezes cannot overlap")
@pytest.mark.requirement("N8")
def test_two_issues_frozen_at_once_keep_the_limit(publications: list[Publication]) -> None:
    limit_mails(1)
    people = add_subscribers(publications[0], 20)
    issues = [make_approved(publication) for publication in publications[:2]]
    errors: list[Exception] = []

    def freeze(issue: Issue) -> None:
        try:
            start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=freeze, args=[issue]) for issue in issues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(errors) == 1
    assert "20 would get more mails in 7 days" in str(errors[0])
    assert Delivery.objects.count() == len(people) == 20
    assert Delivery.objects.values("subscriber_id").distinct().count() == 20
    assert connection.vendor == "postgresql"


def test_without_a_limit_everybody_gets_every_mail(publications: list[Publication]) -> None:
    add_subscribers(publications[0], 2)
    assert [send(publication).recipients for publication in publications] == [2, 2, 2, 2]
    MailLimits.objects.create(pk=1)
    assert find_over_budget(Issue.objects.all()[0], now=NOW) is None


@pytest.mark.parametrize(("hours", "counts"), [(6 * 24 + 13, False), (6 * 24 + 11, True)])
def test_a_mail_counts_for_7_days_before_an_issue_is_due(
    publications: list[Publication], hours: int, *, counts: bool
) -> None:
    limit_mails(1)
    add_subscribers(publications[0], 1)
    second = make_approved(publications[1])
    assert second.due_at is not None
    settle(send(publications[0]), at=second.due_at - timedelta(hours=hours))
    assert count_people(second, now=NOW).excluded == ({"over_budget": 1} if counts else {})


def test_send_now_counts_the_mails_before_now_not_before_the_slot(publications: list[Publication]) -> None:
    limit_mails(1)
    add_subscribers(publications[0], 2)
    settle(send(publications[0]), at=NOW - timedelta(days=3))
    (new,) = add_subscribers(publications[0], 1, start=7)
    issue = make_draft(publications[1])
    Issue.objects.filter(pk=issue.pk).update(due_at=NOW + timedelta(days=5))
    issue.refresh_from_db()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert count_people(issue, now=NOW).excluded == {}
    with time_machine.travel(NOW, tick=False):
        assert confirm_start(issue).people == 1
    request_send(issue=issue, by=make_approver(), now=NOW, confirmed_recipients=1)
    assert count_people(issue, now=NOW).excluded == {"over_budget": 2}
    person = Subscriber.objects.exclude(pk=new.pk)[0]
    assert "the limit for one person" in explain_issue(issue, person=person, now=NOW).outcome
    prepare_requested_sends(now=NOW)
    assert issue.sends.get().excluded == {"over_budget": 2}
    assert Delivery.objects.get(issue=issue).subscriber_id == new.pk


def test_a_weekly_issue_is_within_a_limit_of_1_if_it_leaves_early(publications: list[Publication]) -> None:
    limit_mails(1)
    add_subscribers(publications[0], 1)
    late = publications[1]
    settle(send(publications[0]), at=NOW - timedelta(days=6, hours=1))
    issue = make_approved(late)
    Issue.objects.filter(pk=issue.pk).update(due_at=NOW + timedelta(hours=22))
    issue.refresh_from_db()
    assert count_people(issue, now=NOW).excluded == {}
    assert count_people(issue, now=NOW + timedelta(hours=22)).excluded == {}


def test_a_mail_that_was_certainly_not_sent_does_not_count(publications: list[Publication]) -> None:
    limit_mails(1)
    skipped, _mailed = add_subscribers(publications[0], 2)
    send(publications[0])
    delivery = Delivery.objects.get(subscriber_id=skipped.pk)
    DeliveryException.objects.create(delivery=delivery, state="skipped", reason="unsubscribed", at=NOW)
    second = make_approved(publications[1])
    recipients = find_recipients(second, content=resolve_content(second), now=NOW)
    assert [row.subscriber_id for row in recipients] == [skipped.pk]
    Batch.objects.update(state=Batch.State.REJECTED, settled_at=NOW)
    assert count_people(second, now=NOW).excluded == {}


@pytest.mark.requirement("N8")
def test_a_publication_that_is_always_sent_has_no_limit(publications: list[Publication]) -> None:
    limit_mails(1)
    add_subscribers(publications[0], 2)
    send(publications[0])
    publications[3].priority = Publication.Priority.ALWAYS
    publications[3].save()
    assert send(publications[3]).recipients == 2


def test_a_correction_has_no_limit(publications: list[Publication]) -> None:
    limit_mails(1)
    add_subscribers(publications[0], 1)
    send(publications[0])
    issue = make_draft(publications[1])
    assert count_people(issue, now=NOW).excluded == {"over_budget": 1}
    issue.kind = Issue.Kind.CORRECTION
    assert "over_budget" not in count_people(issue, now=NOW).excluded


def test_an_issue_leaves_room_for_more_important_ones(publications: list[Publication]) -> None:
    limit_mails(1)
    important, other = publications[0], publications[1]
    Publication.objects.filter(pk=important.pk).update(priority="high")
    own_list = MailingList.objects.create(slug="own", name="Own")
    Publication.objects.filter(pk=other.pk).update(mailing_list=own_list)
    both, only_other = [
        *add_subscribers(important, 1),
        *add_subscribers(Publication.objects.get(pk=other.pk), 1, start=5),
    ]
    subscription = both.subscriptions.get()
    subscription.pk, subscription.mailing_list = None, own_list
    subscription.save()
    issue = make_approved(Publication.objects.get(pk=other.pk))
    recipients = find_recipients(issue, content=resolve_content(issue), now=NOW)
    assert [row.subscriber_id for row in recipients] == [only_other.pk]
    Publication.objects.filter(pk=important.pk).update(enabled=False)
    assert count_people(issue, now=NOW).excluded == {}
    segment = Segment.objects.create(slug="nobody", name="Nobody", rule={"language": "fr"})
    Publication.objects.filter(pk=important.pk).update(enabled=True, segment=segment)
    assert count_people(issue, now=NOW).excluded == {}


def test_a_weekly_issue_beside_a_more_important_one_is_sent_each_week(publications: list[Publication]) -> None:
    important, other = publications[:2]
    Publication.objects.filter(pk=important.pk).update(priority="high")
    add_subscribers(important, 1)
    settle(send(Publication.objects.get(pk=important.pk)), at=NOW - timedelta(days=6))
    Slot.objects.update(due_at=NOW - timedelta(days=6), due_local="2026-02-26T09:00")
    issue = make_draft(other)
    issue.due_at = NOW + timedelta(hours=1)
    limit_mails(2)
    assert count_people(issue, now=NOW).eligible == 1
    limit_mails(1)
    assert count_people(issue, now=NOW).excluded == {"over_budget": 1}


def test_planned_times_are_those_of_issues_slots_and_the_schedule() -> None:
    weekly = make_publication(stories=1)
    week, month = NOW + timedelta(days=7), NOW + timedelta(days=28)
    first, *later = find_planned_times(weekly, now=NOW, until=month)
    assert (first.isoformat(), len(later)) == ("2026-03-05T09:00:00+00:00", 3)
    issue = make_draft(weekly)
    assert find_planned_times(weekly, now=NOW, until=week) == [first]
    Issue.objects.filter(pk=issue.pk).update(due_at=first + timedelta(days=1))
    assert find_planned_times(weekly, now=NOW, until=week) == [first + timedelta(days=1)]
    Issue.objects.filter(pk=issue.pk).update(due_at=NOW - timedelta(hours=1))
    assert find_planned_times(weekly, now=NOW, until=week) == [NOW]
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.CANCELLED)
    assert find_planned_times(weekly, now=NOW, until=week) == []
    Issue.objects.update(slot=None)
    Slot.objects.update(state=Slot.State.DUE)
    assert find_planned_times(weekly, now=NOW, until=week) == [first]
    Slot.objects.update(state=Slot.State.SKIPPED)
    Publication.objects.update(schedule="broken")
    weekly.refresh_from_db()
    assert find_planned_times(weekly, now=NOW, until=month) == []


def test_explain_says_that_the_limit_is_reached(publications: list[Publication]) -> None:
    limit_mails(1)
    (person,) = add_subscribers(publications[0], 1)
    send(publications[0])
    second = make_draft(publications[1])
    explanation = explain_issue(second, person=Subscriber.objects.get(pk=person.pk), now=NOW)
    assert "With it, they would get more mails in 7 days than the limit" in explanation.outcome


def test_a_limit_of_0_is_refused() -> None:
    with pytest.raises(ValidationError, match="With 0, nobody would get any newsletter"):
        MailLimits(pk=1, mails_in_7_days=0).full_clean()
    with pytest.raises(IntegrityError):
        limit_mails(0)
