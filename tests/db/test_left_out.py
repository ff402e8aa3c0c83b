"""Everybody whom an issue left out has a row with the reason, which `newsletter explain` and their page tell."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from newsletter.feedback.explaining.explain_exclusion import describe_exclusion
from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.feedback.sent_mails import list_missed_mails
from newsletter.issues.approval.approve import approve_issue
from newsletter.models import Delivery, Exclusion, Issue, MailLimits, Publication, Send, Story
from newsletter.models.sending.exclusions import EXCLUSION_REASONS
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.retention import delete_old_deliveries
from subscribers.erasing.erasure import erase_person
from subscribers.models import StayQuestion, Subscriber, Subscription, Suppression, Topic
from subscribers.people.describe_person import describe_person
from subscribers.people.merge import merge_people
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.event_changes import announce, move_event, publish
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_place,
    make_publication,
    make_story,
)
from tests.support.limited_blocks import limit_block

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
Arrange = Callable[[Publication, Subscriber], Issue | None]


def change_subscription(**changes: object) -> Arrange:
    def arrange(publication: Publication, person: Subscriber) -> None:
        Subscription.objects.filter(subscriber=person).update(**changes)

    return arrange


def rest(publication: Publication, person: Subscriber) -> None:
    StayQuestion.objects.create(
        subscriber=person,
        mailing_list=publication.mailing_list,
        asked_at=NOW - timedelta(days=40),
        sent_at=NOW - timedelta(days=40),
        resting_since=NOW - timedelta(days=10),
    )


def suppress(publication: Publication, person: Subscriber) -> None:
    Suppression.objects.create(address_hash=person.address_hash, scope="all", reason="complaint", at=NOW)


def choose_another_topic(publication: Publication, person: Subscriber) -> None:
    Publication.objects.update(interests="only")
    Story.objects.get().topics.add(Topic.objects.create(slug="water", name="Water"))
    person.topics.add(Topic.objects.create(slug="prisons", name="Prisons"))


def live_where_it_must_not_be_shown(publication: Publication, person: Subscriber) -> None:
    Story.objects.update(not_in_regions=["GB"])
    Subscriber.objects.exclude(pk=person.pk).update(place=make_place(HOUSTON))


def limit_every_block(publication: Publication, person: Subscriber) -> Issue:
    issue = make_issue(publication)
    limit_block(issue, "lead_story", giving="monthly")
    Subscriber.objects.exclude(pk=person.pk).update(giving="monthly")
    return issue


def send_to_person(publication: Publication, person: Subscriber) -> Publication:
    """Send the person alone an issue of the publication, and return another publication of the list."""
    others = Subscription.objects.exclude(subscriber=person)
    others.update(paused_until=NOW + timedelta(days=1))
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    others.update(paused_until=None)
    other = Publication.objects.get(pk=publication.pk)
    other.pk, other.slug = None, "other"
    other.save()
    return other


def have_the_story(publication: Publication, person: Subscriber) -> Issue:
    return make_issue(send_to_person(publication, person))


def reach_the_limit(publication: Publication, person: Subscriber) -> Issue:
    other = send_to_person(publication, person)
    MailLimits.objects.update_or_create(pk=1, defaults={"mails_in_7_days": 1})
    make_story("Another story", days_old=0.5)
    return make_issue(other)


def sell_something(publication: Publication, person: Subscriber) -> None:
    Subscription.objects.filter(subscriber=person).update(basis="soft_opt_in")
    Publication.objects.update(charitable=False)


REASONS: list[tuple[str, Arrange]] = [
    ("unconfirmed", change_subscription(basis="consent_double_opt_in", confirmed_at=None)),
    ("implied_consent_ran_out", change_subscription(basis="casl_implied", expires_at=NOW)),
    ("suppressed:complaint", suppress),
    ("resting", rest),
    ("paused", change_subscription(paused_until=NOW + timedelta(days=1))),
    ("monthly", change_subscription(frequency="monthly")),
    ("over_budget", reach_the_limit),
    ("not_charitable", sell_something),
    ("no_event_near", change_subscription(frequency="events")),
    ("no_story_of_topics", choose_another_topic),
    ("had_the_stories", have_the_story),
    ("no_block_for_them", limit_every_block),
    ("no_story_in_their_region", live_where_it_must_not_be_shown),
]


@pytest.mark.parametrize(("reason", "arrange"), REASONS, ids=[reason for reason, _arrange in REASONS])
def test_somebody_left_out_has_one_row_with_the_reason(reason: str, arrange: Arrange) -> None:
    publication = make_publication()
    make_story("The water case")
    (person,) = add_subscribers(publication, 1, where=LONDON)
    add_subscribers(publication, 3, start=10)
    issue = arrange(publication, person) or make_issue(Publication.objects.get(pk=publication.pk))
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    sent = start_send(issue=issue, now=NOW)
    rows = Counter(Exclusion.objects.filter(send=sent).values_list("reason", flat=True))
    assert rows == sent.excluded
    assert Exclusion.objects.get(send=sent, subscriber=person).reason == reason
    Subscription.objects.update(paused_until=None, frequency="every")
    assert explain_issue(issue, person=person, now=NOW).outcome == describe_exclusion(reason)


def test_each_reason_has_a_sentence() -> None:
    for code in EXCLUSION_REASONS:
        assert describe_exclusion(code).startswith("They did not get it: ")


def leave_out() -> tuple[Send, Subscriber]:
    """Send an issue to two people while a third has paused."""
    publication = make_publication()
    make_story("The water case")
    person, *_others = add_subscribers(publication, 3)
    Subscription.objects.filter(subscriber=person).update(paused_until=NOW + timedelta(days=1))
    return start_send(issue=make_issue(publication, approved=True), now=NOW), person


def test_the_database_keeps_one_known_reason_for_a_person_and_send() -> None:
    sent, person = leave_out()
    for changes in ({"reason": "too lazy"}, {"reason": "paused"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Exclusion.objects.create(send=sent, subscriber=person, **changes)
    assert Exclusion.objects.count() == 1


def test_the_page_of_a_person_says_why_they_did_not_get_an_issue() -> None:
    sent, person = leave_out()
    (missed,) = list_missed_mails(person)
    assert (missed.issue_id, missed.why) == (sent.issue_id, "They did not get it: they had paused their mail.")


def test_the_export_of_a_person_names_the_issue_and_the_reason() -> None:
    sent, person = leave_out()
    told = describe_person(person, now=NOW, for_subscriber=True)["issues_not_sent"]
    assert told == [
        {
            "issue": str(sent.issue),
            "at": NOW.isoformat(),
            "code": "paused",
            "reason": "They did not get it: they had paused their mail.",
        }
    ]


def test_the_reason_of_somebody_who_was_not_on_the_list_says_so() -> None:
    sent, _person = leave_out()
    (late,) = add_subscribers(sent.issue.publication, 1, start=30)
    outcome = explain_issue(sent.issue, person=late, now=NOW).outcome
    assert outcome == "They did not get it: they were not on its list, or not in its segment, when it was sent."


def test_somebody_who_unsubscribed_before_a_correction_has_a_row() -> None:
    publication, event = publish()
    move_event(event, starts_at=event.starts_at + timedelta(days=2))
    person = Subscriber.objects.get(email="person0@example.com")
    unsubscribe_from_list(subscriber=person, mailing_list=publication.mailing_list, now=NOW)
    issue = announce(event, publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    sent = start_send(issue=issue, now=NOW)
    assert sent.excluded == {"not_on_the_list": 1}
    assert Exclusion.objects.get(send=sent).subscriber == person


def test_the_rows_go_with_an_erased_person() -> None:
    _sent, person = leave_out()
    erase_person(subscriber=person, by="", now=NOW)
    assert not Exclusion.objects.exists()


def test_the_rows_go_with_a_merged_person() -> None:
    _sent, person = leave_out()
    keep = Subscriber.objects.exclude(pk=person.pk)[0]
    merge_people(keep=keep, absorb=person, now=NOW)
    assert not Exclusion.objects.exists()


def test_the_rows_are_deleted_90_days_after_the_send() -> None:
    sent, person = leave_out()
    Send.objects.update(state=Send.State.SUBMITTED, ended_at=NOW)
    assert delete_old_deliveries(now=NOW + timedelta(days=89)) == 0
    assert delete_old_deliveries(now=NOW + timedelta(days=91)) == 3
    assert not Exclusion.objects.exists()
    assert not Delivery.objects.exists()
    outcome = explain_issue(sent.issue, person=person, now=NOW + timedelta(days=91)).outcome
    assert (
        outcome == "They did not get it. The reason was kept for 90 days, and then only the number of people for each."
    )
