"""A moved or cancelled event is announced once, after approval, to exactly the people with old details."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from newsletter.common.errors import NotAllowed, NotReady
from newsletter.issues.approval.approve import approve_by_policy, approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.corrections.correct import announce_change, cancel_correction, find_misinformed
from newsletter.issues.corrections.corrected_issues import find_corrected_issues, find_corrections_of
from newsletter.issues.variants.count_recipients import count_people
from newsletter.models import Batch, CorrectedDelivery, Issue, Send, Slot
from subscribers.models import Subscriber, Subscription
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.event_changes import (
    LONDONERS,
    announce,
    list_recipient_addresses,
    move_event,
    publish,
    send_out,
    tell,
)
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_publication,
    make_story,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cancellation_goes_only_to_people_who_got_the_event():
    publication, event = publish()
    move_event(event, cancelled=True)
    issue = announce(event, publication)
    assert str(issue) == "The weekly letter, correction 1"
    assert issue.subject == "Cancelled: Vigil by the river"
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = send_out(issue)
    assert list_recipient_addresses(issue) == LONDONERS
    assert (send.candidates, send.recipients, send.excluded) == (3, 3, {})
    text = " ".join(issue.variants.get().text.split())
    assert "It will not take place" in text
    assert "Wednesday, 11 March" in text


def test_a_moved_event_is_announced_with_old_and_new_day():
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + timedelta(days=2))
    issue = announce(event, publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send_out(issue)
    text = " ".join(issue.variants.get().text.split())
    assert "Wednesday, 11 March" in text
    assert "Friday, 13 March" in text
    assert list_recipient_addresses(issue) == LONDONERS


def test_the_online_view_of_a_correction_stays_as_it_was_sent():
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + timedelta(days=2))
    issue = announce(event, publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send_out(issue)
    move_event(event, starts_at=event.starts_at + timedelta(days=4))
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        page = Client().get(f"/view/{issue.variants.get().public_id}").content.decode()
    assert page.count("13 March") > 1
    assert "17 March" not in page


def test_the_preheader_of_a_correction_has_the_new_location():
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + timedelta(days=2), place_text="Town hall, London")
    (misinformed,) = find_misinformed(event, now=NOW)
    assert (misinformed.where, misinformed.where_now) == ("London", "Town hall, London")
    assert "11 March" in misinformed.when
    assert "13 March" in misinformed.when_now
    issue = announce(event, publication)
    assert issue.preheader.startswith("Friday, 13 March, ")
    assert "Town hall, London" in issue.preheader
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send_out(issue)
    text = " ".join(issue.variants.get().text.split())
    assert "(Wednesday, 11 March, 09:30 · London)" in text
    assert "Town hall, London" in text


def test_each_change_is_announced_once_to_everybody_affected():
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + timedelta(days=2))
    first = announce(event, publication)
    assert announce(event, publication) == first
    approve_issue(issue=first, by=make_approver(), now=NOW)
    send_out(first)
    assert announce(event, publication) == first
    move_event(event, cancelled=True)
    second = announce(event, publication)
    assert second.number == 2
    assert count_people(second, now=NOW).eligible == 3


def test_people_with_current_details_get_no_correction():
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + timedelta(days=14))
    add_subscribers(publication, 1, where=LONDON, start=20)
    make_story("The second verdict", published_at=NOW + timedelta(days=6), seen_at=NOW + timedelta(days=6))
    later = NOW + timedelta(days=7)
    slot = get_or_create_slot(publication=publication, due="2026-03-12T09:00", now=later)
    second = assemble_slot(slot=slot, now=later).issue
    approve_issue(issue=second, by=make_approver(), now=later)
    send_out(second)
    assert "person20@example.com" in list_recipient_addresses(second)
    assert count_people(announce(event, publication), now=NOW).eligible == 3


def test_unsubscribed_and_unreached_people_get_no_correction(settings):
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=1"
    publication, event = publish()
    leaver, refused, paused = Subscriber.objects.filter(email__in=LONDONERS).order_by("pk")
    unsubscribe_from_list(subscriber=leaver, mailing_list=publication.mailing_list, now=NOW)
    Batch.objects.filter(deliveries__subscriber_id=refused.pk).update(state=Batch.State.REJECTED)
    Subscription.objects.filter(subscriber=paused).update(paused_until=NOW + timedelta(days=9))
    move_event(event, cancelled=True)
    counted = count_people(announce(event, publication), now=NOW)
    assert (counted.candidates, counted.eligible) == (2, 0)
    assert counted.excluded == {"not_on_the_list": 1, "paused": 1}


def test_a_mail_that_was_written_to_files_is_not_corrected(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    publication, event = publish()
    other = make_publication(slug="other")
    other.mailing_list = publication.mailing_list
    other.save()
    issue = assemble_slot(slot=get_or_create_slot(publication=other, due="2026-03-05T09:00", now=NOW), now=NOW).issue
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    Send.objects.filter(pk=send_out(issue).pk).update(provider="outbox")
    move_event(event, cancelled=True)
    correction = announce(event, publication)
    approve_issue(issue=correction, by=make_approver(), now=NOW)
    send_out(correction)
    assert set(CorrectedDelivery.objects.values_list("delivery__batch__send__issue__publication__slug")) == {
        ("weekly",)
    }


def test_a_changed_frequency_does_not_stop_a_correction():
    publication, event = publish()
    Subscription.objects.update(frequency="monthly")
    move_event(event, cancelled=True)
    assert count_people(announce(event, publication), now=NOW).eligible == 3


def test_subscribers_of_two_publications_get_one_correction():
    publication, event = publish()
    other = make_publication(slug="other", name="The other letter")
    Subscription.objects.bulk_create(
        Subscription(
            subscriber=person, mailing_list=other.mailing_list, basis="consent", evidence="x", requested_at=NOW
        )
        for person in Subscriber.objects.filter(email__in=LONDONERS)
    )
    issue = assemble_slot(slot=get_or_create_slot(publication=other, due="2026-03-05T09:00", now=NOW), now=NOW).issue
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send_out(issue)
    move_event(event, cancelled=True)
    assert [(one.publication, one.people) for one in find_misinformed(event, now=NOW)] == [(publication, 3), (other, 3)]
    first = announce(event, publication)
    approve_issue(issue=first, by=make_approver(), now=NOW)
    send_out(first)
    assert [(one.publication, one.people) for one in find_misinformed(event, now=NOW)] == [(publication, 3)]
    with pytest.raises(NotReady, match="nothing to correct"):
        announce(event, other)


def test_an_unchanged_event_cannot_be_corrected():
    publication, event = publish()
    assert find_misinformed(event, now=NOW) == []
    with pytest.raises(NotReady, match="gave nobody other details of “Vigil by the river”"):
        announce(event, publication)


@pytest.mark.parametrize(
    ("shown", "changes", "hours_after", "announced"),
    [
        ({}, {"cancelled": True}, -1, True),
        ({}, {"cancelled": True}, 1, False),
        ({"ends_at": NOW + timedelta(days=7, hours=3)}, {"cancelled": True}, 1, True),
        ({"ends_at": NOW + timedelta(days=7, hours=3)}, {"cancelled": True}, 4, False),
        ({"all_day": True}, {"cancelled": True}, 12, True),
        ({"all_day": True}, {"cancelled": True}, 36, False),
        ({}, {"starts_at": NOW + timedelta(days=9)}, 24, True),
        ({}, {"starts_at": NOW + timedelta(days=2)}, -24, True),
        ({}, {"starts_at": NOW + timedelta(days=2)}, 24, False),
    ],
)
def test_an_event_that_is_over_cannot_be_corrected(shown, changes, hours_after, announced):
    publication, event = publish(shown=shown)
    move_event(event, **changes)
    now = NOW + timedelta(days=7, hours=hours_after)
    assert bool(find_misinformed(event, now=now)) is announced
    if announced:
        assert announce_change(event=event, publication=publication, by=make_approver(), now=now).kind == "correction"
    else:
        with pytest.raises(NotReady, match="is over: there is nothing to announce"):
            announce_change(event=event, publication=publication, by=make_approver(), now=now)


def test_a_correction_of_an_automatic_publication_needs_approval():
    publication, event = publish(approval="auto")
    move_event(event, cancelled=True)
    issue = announce(event, publication)
    with pytest.raises(NotAllowed, match="is not from the schedule, so it needs a person’s approval"):
        approve_by_policy(issue=issue, now=NOW)


def test_only_staff_who_may_edit_issues_write_corrections():
    publication, event = publish()
    move_event(event, cancelled=True)
    stranger = make_approver("stranger@example.org")
    stranger.user_permissions.clear()
    with pytest.raises(NotAllowed, match="may not write corrections"):
        announce_change(event=event, publication=publication, by=type(stranger).objects.get(pk=stranger.pk), now=NOW)


def test_a_correction_has_no_slot_and_its_own_numbers():
    publication, event = publish()
    move_event(event, cancelled=True)
    issue = announce(event, publication)
    assert issue.slot is None
    assert Slot.objects.count() == 1
    assert issue.reference == "weekly/correction-1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"starts_at": NOW + timedelta(days=9)}, "New time: Friday, 13 March"),
        ({"place_text": "Town Hall, London"}, "New place: Town Hall, London"),
    ],
)
def test_a_correction_names_only_what_changed(changes, words):
    publication, event = publish(shown={"place_text": "The old library, London"})
    move_event(event, **changes)
    text = str(announce(event, publication).body[0].value["text"])
    assert words in text
    assert ("The place is the same." in text) == ("starts_at" in changes)
    assert ("The day and time are the same." in text) == ("place_text" in changes)


def test_each_correction_is_listed_with_the_issues_that_it_corrects():
    publication, event = publish()
    issue = Issue.objects.get()
    assert find_corrections_of(issue) == []
    first_day = event.starts_at
    first = tell(move_event(event, starts_at=first_day + timedelta(days=2)), publication)
    assert find_corrected_issues(first.correction) == [issue]
    back = tell(move_event(event, starts_at=first_day), publication)
    assert find_corrected_issues(back.correction) == [first]
    assert find_corrections_of(issue) == [first.correction]
    assert find_corrections_of(first) == [back.correction]
    assert find_corrections_of(back) == []


def test_a_correction_that_was_cancelled_before_its_send_is_not_listed():
    publication, event = publish()
    move_event(event, cancelled=True)
    correction = announce(event, publication).correction
    assert find_corrections_of(Issue.objects.get(kind="issue")) == [correction]
    cancel_correction(correction=correction, by=make_approver(), now=NOW)
    assert find_corrections_of(Issue.objects.get(kind="issue")) == []
