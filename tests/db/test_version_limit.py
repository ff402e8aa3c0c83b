"""An issue never has more versions than its publication allows, and nobody is left out because of it."""

import random

import pytest

from newsletter.common.errors import NotReady
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.models import Batch, Delivery, Publication, ReaderGroup, Story
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber, Subscription, Topic
from tests.support.desk import sign_in
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_appeal,
    make_approver,
    make_event,
    make_issue,
    make_place,
    make_publication,
    make_story,
)

LANGUAGES = ["es", "fr", "de", "pt", "ar", "hi", "uk"]
pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def make_varied_audience(*, people: int, **publication: object) -> Publication:
    """Eight languages, five topics, three places, three giving statuses, and people with random ones of each."""
    made = make_publication(**{"languages": LANGUAGES, "interests": "only", "stories": 5, **publication})
    topics = [Topic.objects.create(slug=f"topic-{number}", name=f"Topic {number}") for number in range(5)]
    for number, topic in enumerate(topics):
        make_story(f"Story {number}", days_old=1 + number).topics.add(topic)
    for code in LANGUAGES:
        story = make_story(f"Story 0 in {code}", days_old=1)
        Story.objects.filter(pk=story.pk).update(language=code, translation_of=Story.objects.get(title="Story 0"))
    for number, town in enumerate((LONDON, HOUSTON)):
        make_event(f"Vigil {number}", where=town)
    make_appeal(audience="donor")
    chance = random.Random(15)
    for number, town in enumerate((LONDON, HOUSTON, None)):
        for person in add_subscribers(made, people // 3, start=number * people, where=town):
            person.topics.set(chance.sample(topics, chance.randrange(5)))
            language, giving = chance.choice(["en", *LANGUAGES]), chance.choice(["none", "donor", "monthly"])
            Subscriber.objects.filter(pk=person.pk).update(language=language, giving=giving)
    return made


@pytest.mark.long
@pytest.mark.parametrize("limit", [8, 9, 20, 60])
def test_a_send_in_eight_languages_keeps_within_its_versions(limit: int) -> None:
    publication = make_varied_audience(people=90, max_variants=limit)
    issue = make_issue(publication)
    everybody = count_final_audience(issue, content=resolve_content(issue), now=NOW).eligible
    assert everybody > 80
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert start_send(issue=issue, now=NOW).recipients == everybody
    assert 8 <= Batch.objects.values("variant").distinct().count() <= limit
    rows = Delivery.objects.values_list("subscriber_id", "batch__variant__language")
    languages = dict(Subscriber.objects.values_list("pk", "language"))
    assert all(languages[subscriber] == language for subscriber, language in rows)


def test_with_fewer_versions_than_languages_all_still_get_the_mail() -> None:
    publication = make_varied_audience(people=90, max_variants=3)
    issue = make_issue(publication, approved=True)
    everybody = count_final_audience(issue, content=resolve_content(issue), now=NOW).eligible
    assert start_send(issue=issue, now=NOW).recipients == everybody
    assert Batch.objects.values("variant").distinct().count() == 3


def test_a_limit_that_cannot_be_kept_is_an_error_before_approval() -> None:
    publication = make_publication(max_variants=1)
    make_story("A hearing")
    make_event("Vigil", where=LONDON)
    add_subscribers(publication, 2, where=LONDON)
    Subscription.objects.filter(subscriber=Subscriber.objects.all()[0]).update(frequency="events")
    issue = make_issue(publication)
    with pytest.raises(NotReady, match="needs at least 2 versions, and its publication allows 1"):
        approve_issue(issue=issue, by=make_approver(), now=NOW)
    overview = sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "This issue needs at least 2 versions" in overview


def test_groups_that_nobody_is_in_any_more_have_no_people_after_the_freeze() -> None:
    publication = make_publication()
    make_story("A hearing")
    make_event("Vigil", where=LONDON)
    add_subscribers(publication, 2, where=LONDON)
    add_subscribers(publication, 1, start=5)
    issue = make_issue(publication, approved=True)
    Subscriber.objects.update(place=None)
    start_send(issue=issue, now=NOW)
    assert sorted(ReaderGroup.objects.values_list("place_id", "people")) == [(0, 3), (make_place(LONDON).pk, 0)]
