"""The topics that readers chose decide which stories they get and in what order; rare choices share a version."""

import pytest
from django.db import IntegrityError, transaction

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.visible.interests import number_interests
from newsletter.models import Batch, Delivery, Issue, Publication, ReaderGroup, Send, Story, Variant
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber, Topic
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def make_topic(slug: str) -> Topic:
    return Topic.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0]


def tell(title: str, *slugs: str, days_old: float = 1) -> Story:
    story = make_story(title, days_old=days_old)
    story.topics.set([make_topic(slug) for slug in slugs])
    return story


def add_reader(publication: Publication, *slugs: str, start: int, **changes: object) -> Subscriber:
    (person,) = add_subscribers(publication, 1, start=start, **changes)
    person.topics.set([make_topic(slug) for slug in slugs])
    return person


def make_three_stories() -> None:
    tell("The prison letter", "prisons", days_old=1)
    tell("The water case", "water", days_old=2)
    tell("A word to all", days_old=3)


def start(issue: Issue) -> Send:
    return start_send(issue=issue, now=NOW)


def find_mail(person: Subscriber) -> Variant:
    return Batch.objects.get(deliveries=Delivery.objects.get(subscriber_id=person.pk)).variant


def order_in(mail: Variant) -> list[str]:
    titles = [title for title in ("The prison letter", "The water case", "A word to all") if title in mail.text]
    return sorted(titles, key=mail.text.rindex)


@pytest.mark.requirement("N1")
def test_a_reader_gets_only_stories_of_their_topics_and_those_without_one() -> None:
    publication = make_publication(interests="only")
    make_three_stories()
    reader = add_reader(publication, "water", start=1)
    start(make_issue(publication, approved=True))
    mail = find_mail(reader)
    assert order_in(mail) == ["The water case", "A word to all"]
    assert mail.subject == "The water case"
    assert "The prison letter" not in mail.html


def test_the_masthead_names_no_story_that_the_reader_does_not_get() -> None:
    publication = make_publication(interests="only")
    make_three_stories()
    reader = add_reader(publication, "prisons", start=1)
    everything = add_reader(publication, start=2)
    start(make_issue(publication, approved=True))
    assert order_in(find_mail(reader)) == ["The prison letter", "A word to all"]
    assert "The water case · A word to all" in find_mail(everything).text


@pytest.mark.requirement("N1")
def test_stories_of_a_readers_topics_come_first() -> None:
    publication = make_publication(interests="first")
    make_three_stories()
    reader = add_reader(publication, "water", start=1)
    start(make_issue(publication, approved=True))
    assert order_in(find_mail(reader)) == ["The water case", "The prison letter", "A word to all"]


@pytest.mark.parametrize("interests", ["only", "first"])
@pytest.mark.requirement("N1")
def test_a_reader_who_chose_no_topic_gets_everything_in_order(interests: str) -> None:
    publication = make_publication(interests=interests)
    make_three_stories()
    reader = add_reader(publication, start=1)
    start(make_issue(publication, approved=True))
    assert order_in(find_mail(reader)) == ["The prison letter", "The water case", "A word to all"]


def test_a_pinned_lead_story_is_for_everybody() -> None:
    publication = make_publication(interests="only", pinned_lead=True)
    make_three_stories()
    reader = add_reader(publication, "schools", start=1)
    start(make_issue(publication, approved=True))
    assert order_in(find_mail(reader)) == ["The prison letter", "A word to all"]


def test_topics_do_not_count_while_interests_are_off() -> None:
    publication = make_publication()
    make_three_stories()
    readers = [add_reader(publication, "water", start=1), add_reader(publication, start=2)]
    start(make_issue(publication, approved=True))
    assert find_mail(readers[0]) == find_mail(readers[1])


def test_readers_who_see_the_same_share_one_version() -> None:
    publication = make_publication(interests="only")
    make_three_stories()
    one = add_reader(publication, "water", start=1)
    other = add_reader(publication, "water", "schools", start=2)
    start(make_issue(publication, approved=True))
    assert find_mail(one) == find_mail(other)
    assert Variant.objects.count() == 1


def test_a_reader_for_whom_nothing_is_left_is_excluded_with_the_reason() -> None:
    publication = make_publication(interests="only")
    tell("The prison letter", "prisons")
    make_event("Vigil by the river", where=LONDON)
    add_reader(publication, start=1)
    add_reader(publication, "water", start=2, where=HOUSTON)
    near = add_reader(publication, "water", start=3, where=LONDON)
    issue = make_issue(publication, approved=True)
    before = count_final_audience(issue, content=resolve_content(issue), now=NOW)
    send = start(issue)
    assert send.excluded == before.excluded == {"no_story_of_topics": 1}
    assert (send.candidates, send.recipients) == (before.candidates, before.eligible) == (3, 2)
    assert "Vigil by the river" in find_mail(near).text
    assert "The prison letter" not in find_mail(near).text


def test_the_rarest_choices_share_a_version_with_all_stories() -> None:
    publication = make_publication(interests="only", max_variants=2)
    make_three_stories()
    tell("The school case", "schools", days_old=4)
    common = [add_reader(publication, "water", start=number) for number in (1, 2)]
    add_reader(publication, start=3)
    rare = add_reader(publication, "schools", "prisons", start=4)
    rarest = add_reader(publication, "prisons", start=5)
    start(make_issue(publication, approved=True))
    assert order_in(find_mail(common[0])) == ["The water case", "A word to all"]
    assert order_in(find_mail(rare)) == ["The prison letter", "The water case", "A word to all"]
    assert "The school case" in find_mail(rarest).text
    assert Variant.objects.count() == 2
    assert ReaderGroup.objects.filter(fallback__gt=0).exists()


def test_a_story_in_the_lead_has_the_picture_of_a_lead() -> None:
    """See `tests/unit/issues/test_interests.py` for the formats; here: the other format is in the approved content."""
    publication = make_publication(interests="first")
    make_three_stories()
    issue = make_issue(publication)
    with_interests = resolve_content(issue)
    Publication.objects.update(interests="off")
    issue = Issue.objects.get()
    assert hash_content(resolve_content(issue)) != hash_content(with_interests)
    assert all(story.topic_ids == () and story.other_picture is None for story in resolve_content(issue).stories)


def test_the_number_of_a_reader_is_the_same_in_the_database_and_in_python() -> None:
    publication = make_publication(interests="first")
    tell("One", "prisons", "water", days_old=1)
    tell("Two", "water", days_old=2)
    tell("Three", days_old=3)
    tell("Four", "schools", days_old=4)
    choices = [(), ("water",), ("prisons",), ("schools", "prisons"), ("else",), ("water", "schools", "else")]
    people = [add_reader(publication, *slugs, start=number) for number, slugs in enumerate(choices, start=1)]
    issue = make_issue(publication)
    content = resolve_content(issue)
    numbers = [number_interests(content, topics={topic.pk for topic in one.topics.all()}) for one in people]
    assert sorted(group.interests for group in find_groups(issue, content=content, now=NOW)) == sorted(set(numbers))
    assert len(set(numbers)) == 6


def test_a_topic_that_a_story_gets_after_approval_withdraws_it() -> None:
    publication = make_publication(interests="only")
    make_three_stories()
    add_reader(publication, start=1)
    issue = make_issue(publication, approved=True)
    before = hash_content(resolve_content(issue))
    Story.objects.get(title="A word to all").topics.add(make_topic("water"))
    assert hash_content(resolve_content(Issue.objects.get())) != before


def test_a_deleted_topic_leaves_readers_who_chose_only_it_with_everything() -> None:
    publication = make_publication(interests="only")
    make_three_stories()
    reader = add_reader(publication, "schools", start=1)
    make_topic("schools").delete()
    start(make_issue(publication, approved=True))
    assert order_in(find_mail(reader)) == ["The prison letter", "The water case", "A word to all"]


def make_choosing_publication(*slugs: str) -> Publication:
    """Return a publication with topics of its own."""
    publication = make_publication(interests="only")
    publication.topics.set([make_topic(slug) for slug in slugs])
    return publication


def test_a_topic_of_another_publication_cannot_be_chosen() -> None:
    publication = make_choosing_publication("water", "prisons")
    make_three_stories()
    of_another_list = add_reader(publication, "arts", start=1)
    of_both = add_reader(publication, "arts", "water", start=2)
    send = start(make_issue(publication, approved=True))
    assert send.excluded == {}
    assert order_in(find_mail(of_another_list)) == ["The prison letter", "The water case"]
    assert order_in(find_mail(of_both)) == ["The water case"]


def test_a_story_without_a_topic_of_the_publication_is_for_everybody() -> None:
    publication = make_choosing_publication("water", "prisons")
    make_three_stories()
    added = tell("A word about art", "arts", days_old=4)
    reader = add_reader(publication, "water", start=1)
    issue = make_issue(publication)
    issue.body.append(("lead_story", {"story": added, "headline": "", "teaser": "", "picture": None, "link": ""}))
    issue.save()
    approve_issue(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    start(Issue.objects.get())
    assert order_in(find_mail(reader)) == ["The water case"]
    assert "A word about art" in find_mail(reader).text


def test_the_database_refuses_an_unknown_choice_of_interests() -> None:
    make_publication()
    with pytest.raises(IntegrityError, match="publication_interests"), transaction.atomic():
        Publication.objects.update(interests="all")


def test_other_topics_of_a_publication_withdraw_the_approval() -> None:
    publication = make_choosing_publication("water", "prisons")
    make_three_stories()
    issue = make_issue(publication)
    before = hash_content(resolve_content(issue))
    publication.topics.add(make_topic("schools"))
    assert hash_content(resolve_content(Issue.objects.get())) != before
