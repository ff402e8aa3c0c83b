"""Choices of readers and staff that make no sense: each has one behaviour, and nobody is left out by mistake."""

import pytest

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.planning.subject_test import set_subject_test
from newsletter.issues.snapshot.records.content import SubjectChoice
from newsletter.issues.variants.subject_test_rules import BadSubject
from newsletter.models import Delivery, Issue, Publication, Send, SubjectTest
from newsletter.sending.freezing.start import start_send
from subscribers.models import Case, Topic
from subscribers.people.cases import follow_case
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db(transaction=True)


def send(publication: Publication) -> Send:
    issue = make_issue(Publication.objects.get(pk=publication.pk))
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    return start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)


def test_a_reader_of_a_language_that_nobody_wrote_gets_the_original() -> None:
    publication = make_publication(languages=["es"])
    make_story("The water case")
    add_subscribers(publication, 2, language="es")
    add_subscribers(publication, 1, start=5, language="uk")
    sent = send(publication)
    assert (sent.recipients, sent.excluded) == (3, {})
    assert {batch.variant.language for batch in sent.batches.all()} == {"en"}


def test_a_reader_of_a_lost_time_zone_gets_the_hour_of_the_publication() -> None:
    publication = make_publication(send_at="local")
    make_story("The water case")
    add_subscribers(publication, 1, timezone="US/Atlantis")
    assert [list(hour["zones"]) for hour in send(publication).hours] == [["Europe/London"]]


def test_a_reader_whose_only_topic_is_deleted_gets_every_story() -> None:
    publication = make_publication(interests="only")
    water, prisons = (Topic.objects.create(slug=slug, name=slug.title()) for slug in ("water", "prisons"))
    make_story("The water case").topics.add(water)
    (person,) = add_subscribers(publication, 1)
    person.topics.add(prisons)
    prisons.delete()
    assert send(publication).recipients == 1


def test_a_case_with_one_story_is_followed_without_effect_on_others() -> None:
    publication = make_publication(interests="only")
    case = Case.objects.create(slug="river", name="The river case")
    water, prisons = (Topic.objects.create(slug=slug, name=slug.title()) for slug in ("water", "prisons"))
    make_story("The river case begins", case=case).topics.add(water)
    follower, other = add_subscribers(publication, 2)
    for person in (follower, other):
        person.topics.add(prisons)
    follow_case(subscriber=follower, case=case, now=NOW)
    sent = send(publication)
    assert sent.excluded == {"no_story_of_topics": 1}
    assert Delivery.objects.get(issue=sent.issue).subscriber_id == follower.pk


def test_a_test_of_two_equal_subjects_is_refused_with_the_reason() -> None:
    publication = make_publication()
    make_story("The water case")
    add_subscribers(publication, 10)
    issue = make_issue(publication)
    with pytest.raises(BadSubject, match="It says the same as"):
        set_subject_test(
            issue=issue,
            subjects=[SubjectChoice(f" {issue.subject.upper()} ")],
            share_percent=50,
            wait_hours=4,
            by=make_approver(),
            now=NOW,
        )
    assert not SubjectTest.objects.exists()


def test_a_reader_who_had_every_story_gets_no_mail_and_is_counted() -> None:
    publication = make_publication()
    make_story("The water case")
    add_subscribers(publication, 1)
    send(publication)
    other = make_publication(slug="rights", name="Rights")
    Publication.objects.filter(pk=other.pk).update(mailing_list=publication.mailing_list)
    add_subscribers(publication, 1, start=9)
    sent = send(other)
    assert (sent.recipients, sent.excluded) == (1, {"had_the_stories": 1})
