"""No person gets the same story twice, across publications and lists. Only a digest and a correction repeat one."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from newsletter.feedback.sent_mails import list_sent_mails
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.planning.complete_send import complete_send
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.models import Batch, Delivery, DeliveryException, Issue, Publication, Send, Story, Variant
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.send_controls import cancel_send
from subscribers.models import CountedUnsubscribe, MailingList, Subscriber
from subscribers.people.merge import merge_people
from subscribers.unsubscribing.bulk_unsubscribe import count_unsubscribes
from tests.support.fixtures import (
    DUE,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.limited_blocks import limit_block

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def weekly() -> Publication:
    return make_publication(stories=2)


def make_second(weekly: Publication, **changes: object) -> Publication:
    """Return a publication of its own on the same list."""
    fields = {name: getattr(weekly, name) for name in ("brand", "from_name", "from_email", "schedule", "mailing_list")}
    return Publication.objects.create(slug="rights", name="Rights", stories=3, **fields | changes)


def make_approved(publication: Publication) -> Issue:
    assembly = assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW)
    assert assembly.issue is not None
    approve_issue(issue=assembly.issue, by=make_approver(), now=NOW)
    return assembly.issue


def start(issue: Issue) -> Send:
    return start_send(issue=issue, now=NOW)


def find_mail(person: Subscriber, issue: Issue) -> Variant:
    return Batch.objects.get(deliveries=Delivery.objects.get(subscriber_id=person.pk, issue=issue)).variant


@pytest.mark.requirement("N7")
def test_the_second_issue_leaves_out_the_story_for_those_who_had_it(weekly: Publication) -> None:
    other_list = MailingList.objects.create(slug="rights", name="Rights")
    rights = make_second(weekly, mailing_list=other_list)
    make_story("The water case", days_old=1)
    (both,) = add_subscribers(weekly, 1)
    (only_rights,) = add_subscribers(rights, 1, start=5)
    add_to_list(both, other_list)
    start(make_approved(weekly))
    make_story("The prison letter", days_old=2)
    second = make_approved(rights)
    start(second)
    assert "The water case" not in find_mail(both, second).html
    assert find_mail(both, second).subject == "The prison letter"
    assert "The water case" in find_mail(only_rights, second).text


def test_a_merged_person_keeps_what_both_records_had(weekly: Publication) -> None:
    other_list = MailingList.objects.create(slug="rights", name="Rights")
    rights = make_second(weekly, mailing_list=other_list)
    make_story("The water case", days_old=1)
    (old_record,) = add_subscribers(weekly, 1)
    (person,) = add_subscribers(rights, 1, start=5)
    first = make_approved(weekly)
    Batch.objects.filter(send=start(first)).update(state=Batch.State.ACCEPTED)
    merge_people(keep=person, absorb=old_record, now=NOW)
    make_story("The prison letter", days_old=2)
    second = make_approved(rights)
    start(second)
    assert "The water case" not in find_mail(person, second).text
    assert Delivery.objects.filter(subscriber_id=person.pk).count() == 2


def test_a_merged_person_keeps_the_unsubscribe_by_a_mail(weekly: Publication) -> None:
    rights = make_second(weekly, mailing_list=MailingList.objects.create(slug="rights", name="Rights"))
    make_story("The water case", days_old=1)
    (old_record,) = add_subscribers(weekly, 1)
    (person,) = add_subscribers(rights, 1, start=5)
    sent = start(make_approved(weekly))
    Batch.objects.filter(send=sent).update(state=Batch.State.ACCEPTED)
    count_unsubscribes([(sent.pk, old_record.pk), (sent.pk + 1, old_record.pk)], now=NOW)
    merge_people(keep=person, absorb=old_record, now=NOW)
    assert [mail.outcome for mail in list_sent_mails(person)] == ["Unsubscribed by a link of this email"]
    assert CountedUnsubscribe.objects.get(mailing=sent.pk + 1).subscriber_id != person.pk


def test_a_mail_still_to_be_sent_stays_with_the_record_that_is_gone(weekly: Publication) -> None:
    make_story("The water case", days_old=1)
    old_record, person = add_subscribers(weekly, 2)
    numbers = {old_record.pk, person.pk}
    start(make_approved(weekly))
    merge_people(keep=person, absorb=old_record, now=NOW)
    assert set(Delivery.objects.values_list("subscriber_id", flat=True)) == numbers


def add_to_list(person: Subscriber, mailing_list: MailingList) -> None:
    subscription = person.subscriptions.get()
    subscription.pk, subscription.mailing_list = None, mailing_list
    subscription.save()


def test_an_issue_with_nothing_new_for_somebody_is_not_sent_to_them(weekly: Publication) -> None:
    rights = make_second(weekly)
    make_story("The water case", days_old=1)
    make_event("Vigil by the river", where=LONDON)
    add_subscribers(weekly, 2)
    start(make_approved(weekly))
    (near,) = add_subscribers(weekly, 1, start=7, where=LONDON)
    second = make_approved(rights)
    counted = count_final_audience(second, content=resolve_content(second), now=NOW)
    send = start(second)
    assert send.excluded == counted.excluded == {"had_the_stories": 2}
    assert (send.recipients, counted.eligible) == (1, 1)
    assert "The water case" in find_mail(near, second).text


@pytest.mark.parametrize(
    ("change", "has_it"),
    [
        ({"state": "rejected"}, False),
        ({"state": "accepted"}, True),
        ({"state": "uncertain"}, True),
    ],
)
def test_a_mail_counts_unless_it_certainly_was_not_sent(
    weekly: Publication, change: dict[str, str], has_it: bool
) -> None:
    rights = make_second(weekly)
    make_story("The water case", days_old=1)
    (person,) = add_subscribers(weekly, 1)
    start(make_approved(weekly))
    Batch.objects.update(**change)
    make_story("The prison letter", days_old=2)
    second = make_approved(rights)
    start(second)
    assert ("The water case" not in find_mail(person, second).html) == has_it


def test_a_skipped_person_and_a_cancelled_send_do_not_count(weekly: Publication) -> None:
    rights = make_second(weekly)
    make_story("The water case", days_old=1)
    skipped, cancelled = add_subscribers(weekly, 2)
    start(make_approved(weekly))
    DeliveryException.objects.create(
        delivery=Delivery.objects.get(subscriber_id=skipped.pk), state="skipped", reason="unsubscribed", at=NOW
    )
    Send.objects.update(state="cancelled")
    second = make_approved(rights)
    start(second)
    assert all("The water case" in find_mail(person, second).text for person in (skipped, cancelled))


def test_a_link_in_further_reading_is_not_the_story(weekly: Publication) -> None:
    Publication.objects.update(stories=1)
    rights = make_second(weekly)
    make_story("The prison letter", days_old=1)
    linked = make_story("The water case", days_old=2)
    (person,) = add_subscribers(weekly, 1)
    issue = make_issue(Publication.objects.get(slug="weekly"))
    issue.body.append(("related", {"heading": "", "links": [{"title": "The water case", "url": linked.url}]}))
    issue.save()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start(issue)
    assert "The water case" in find_mail(person, issue).text
    second = make_approved(rights)
    start(second)
    assert "The water case" in find_mail(person, second).text
    assert "The prison letter" not in find_mail(person, second).html


def test_a_link_to_a_story_of_a_block_for_others_is_not_the_story(weekly: Publication) -> None:
    rights = make_second(weekly)
    linked = make_story("The water case", days_old=1)
    make_story("The prison letter", days_old=2)
    (person,) = add_subscribers(weekly, 1)
    issue = make_issue(weekly)
    issue.body.append(("related", {"heading": "", "links": [{"title": "More about it", "url": linked.url}]}))
    issue.save()
    limit_block(Issue.objects.get(pk=issue.pk), "lead_story", giving="monthly")
    issue.refresh_from_db()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start(issue)
    second = make_approved(rights)
    start(second)
    assert find_mail(person, second).subject == "The water case"
    assert "The prison letter" not in find_mail(person, second).html


def test_recipients_of_a_completed_send_do_not_get_the_story_again(weekly: Publication) -> None:
    rights = make_second(weekly)
    make_story("The water case", days_old=1)
    (person,) = add_subscribers(weekly, 1)
    first = start(make_approved(weekly))
    batch = first.batches.get()
    batch.attempts.create(number=1, people=0, started_at=NOW, ended_at=NOW, outcome="not_sent")
    cancel_send(send=first, by=make_approver(), now=NOW)
    made = complete_send(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    approve_issue(issue=made, by=make_approver(), now=NOW)
    completed = start(made).batches.get()
    Batch.objects.filter(pk=completed.pk).update(state="accepted", settled_at=NOW)
    make_story("The prison letter", days_old=2)
    second = make_approved(rights)
    start(second)
    assert "The water case" in completed.variant.html
    assert "The water case" not in find_mail(person, second).html


def test_a_duplicate_of_a_story_is_the_same_story(weekly: Publication) -> None:
    rights = make_second(weekly)
    first = make_story("The water case", days_old=1)
    (person,) = add_subscribers(weekly, 1)
    start(make_approved(weekly))
    kept = make_story("The water case, told again", days_old=1)
    Story.objects.filter(pk=first.pk).update(same_as=kept)
    make_story("The prison letter", days_old=2)
    second = make_approved(rights)
    start(second)
    assert "told again" not in find_mail(person, second).html


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer, so freezes cannot overlap")
@pytest.mark.requirement("N7")
def test_two_issues_frozen_together_give_a_story_once(weekly: Publication) -> None:
    rights = make_second(weekly)
    make_story("The water case", days_old=1)
    make_story("The prison letter", days_old=2)
    people = add_subscribers(weekly, 20)
    issues = [make_approved(weekly), make_approved(rights)]
    errors: list[Exception] = []

    def freeze(issue: Issue) -> None:
        try:
            start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW + timedelta(seconds=1))
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=freeze, args=[issue]) for issue in issues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(errors) < 2
    assert all(str(error).startswith("Nobody would get ") and "20 had these" in str(error) for error in errors)
    for person in people:
        mails = Variant.objects.filter(pk__in=Delivery.objects.filter(subscriber_id=person.pk).values("batch__variant"))
        assert sum("The water case" in mail.html for mail in mails) == 1
    assert connection.vendor == "postgresql"


def test_an_event_of_its_own_block_is_sent_to_who_had_the_stories(weekly: Publication) -> None:
    rights = make_second(weekly)
    make_story("The water case", days_old=1)
    event = make_event("Vigil by the river", where=LONDON)
    (person,) = add_subscribers(weekly, 1)
    start(make_issue(weekly, approved=True))
    second = make_issue(rights)
    card = {"event": event, "summary": "All are welcome", "picture": None, "button": "Come"}
    second.body = [("event_card", card), *((block.block_type, block.value) for block in second.body)]
    second.save()
    approve_issue(issue=Issue.objects.get(pk=second.pk), by=make_approver(), now=NOW)
    send = start(Issue.objects.get(pk=second.pk))
    assert send.excluded == {}
    assert "All are welcome" in find_mail(person, second).text
    assert "The water case" not in find_mail(person, second).text
