"""Followers of a case get its later stories first, whatever topics they chose; nobody gets a hidden story or one twice."""

from datetime import timedelta

import pytest

from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.models import Batch, Delivery, Issue, Publication, Send, Story, Variant
from newsletter.sending.freezing.start import start_send
from subscribers.models import Case, CaseFollow, ConsentEvent, Subscriber, Topic
from subscribers.people.cases import follow_case, list_followed_cases, unfollow_case
from subscribers.people.merge import merge_people
from tests.support.fixtures import HOUSTON, NOW, add_subscribers, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case() -> Case:
    return Case.objects.create(slug="river-case", name="The river case")


def tell(title: str, *, case: Case | None = None, topic: str = "", days_old: float = 1, **changes: object) -> Story:
    story = make_story(title, days_old=days_old, case=case, **changes)
    if topic:
        story.topics.add(Topic.objects.get_or_create(slug=topic, defaults={"name": topic.title()})[0])
    return story


def add_reader(
    publication: Publication, number: int, *, follows: Case | None = None, topic: str = "", **fields: object
) -> Subscriber:
    (person,) = add_subscribers(publication, 1, start=number, **fields)
    if topic:
        person.topics.add(Topic.objects.get_or_create(slug=topic, defaults={"name": topic.title()})[0])
    if follows:
        follow_case(subscriber=person, case=follows, now=NOW)
    return person


def send_issue(publication: Publication) -> Send:
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def find_mail(person: Subscriber) -> Variant:
    return Batch.objects.get(deliveries=Delivery.objects.get(subscriber_id=person.pk)).variant


def order_in(mail: Variant) -> list[str]:
    titles = [title for title in ("A hearing", "Another matter", "A third one") if title in mail.text]
    return sorted(titles, key=mail.text.rindex)


@pytest.mark.parametrize("interests", ["off", "first", "only"])
def test_stories_of_a_followed_case_come_first_and_are_marked(case: Case, interests: str) -> None:
    publication = make_publication(interests=interests)
    tell("Another matter", topic="schools", days_old=1)
    tell("A hearing", case=case, topic="water", days_old=2)
    follower = add_reader(publication, 1, follows=case, topic="schools")
    other = add_reader(publication, 2)
    send_issue(publication)
    assert order_in(find_mail(follower)) == ["A hearing", "Another matter"]
    assert "You follow this case" in find_mail(follower).text
    assert "You follow this case" in find_mail(follower).html
    assert order_in(find_mail(other)) == ["Another matter", "A hearing"]
    assert "Follow this case" in find_mail(other).html
    assert "You follow this case" not in find_mail(other).html


def test_a_follower_gets_the_story_that_their_topics_would_leave_out(case: Case) -> None:
    publication = make_publication(interests="only")
    tell("Another matter", topic="schools", days_old=1)
    tell("A hearing", case=case, topic="water", days_old=2)
    follower = add_reader(publication, 1, follows=case, topic="schools")
    same_topics = add_reader(publication, 2, topic="schools")
    send_issue(publication)
    assert "A hearing" in find_mail(follower).text
    assert "A hearing" not in find_mail(same_topics).text


def test_the_link_leads_to_the_case_with_the_token_of_the_reader(case: Case) -> None:
    publication = make_publication()
    tell("A hearing", case=case)
    reader = add_reader(publication, 1)
    send_issue(publication)
    mail = find_mail(reader)
    assert 'href="__pv_u_preferences__?case=river-case"' in mail.html
    assert "__pv_t_preferences__?case=river-case" in mail.text


def test_a_pinned_lead_story_stays_above_the_case(case: Case) -> None:
    publication = make_publication(interests="first", pinned_lead=True)
    tell("Another matter", days_old=1)
    tell("A third one", days_old=2)
    tell("A hearing", case=case, days_old=3)
    follower = add_reader(publication, 1, follows=case)
    send_issue(publication)
    assert order_in(find_mail(follower)) == ["Another matter", "A hearing", "A third one"]


def test_following_shows_no_story_that_a_region_must_not_see(case: Case) -> None:
    publication = make_publication(interests="only")
    tell("Another matter", days_old=1)
    tell("A hearing", case=case, topic="water", days_old=2, not_in_regions=["US-TX"])
    follower = add_reader(publication, 1, follows=case, where=HOUSTON)
    send_issue(publication)
    assert "A hearing" not in find_mail(follower).text
    assert "You follow this case" not in find_mail(follower).text


def test_following_shows_no_withdrawn_story(case: Case) -> None:
    publication = make_publication()
    tell("Another matter", days_old=1)
    tell("A hearing", case=case, days_old=2)
    add_reader(publication, 1, follows=case)
    issue = make_issue(publication)
    Story.objects.filter(title="A hearing").update(withdrawn_at=NOW)
    assert [story.title for story in resolve_content(Issue.objects.get(pk=issue.pk)).stories] == ["Another matter"]


def test_a_follower_gets_no_story_twice(case: Case) -> None:
    first, second = make_publication(), make_publication(slug="monthly", name="The other letter")
    second.mailing_list = first.mailing_list
    second.save()
    tell("Another matter", days_old=1)
    tell("A hearing", case=case, days_old=2)
    follower = add_reader(first, 1, follows=case)
    send_issue(first)
    issue = make_issue(second)
    reasons = explain_issue(issue, person=follower, now=NOW + timedelta(hours=1)).reasons
    assert {str(reason.why) for reason in reasons} == {"They got it in another issue."}


def test_explain_says_that_a_story_is_first_because_of_the_case(case: Case) -> None:
    publication = make_publication()
    tell("Another matter", days_old=1)
    tell("A hearing", case=case, days_old=2)
    follower = add_reader(publication, 1, follows=case)
    reasons = {
        reason.title: str(reason.why)
        for reason in explain_issue(make_issue(publication), person=follower, now=NOW).reasons
    }
    assert reasons["A hearing"] == "First, because they follow the case “The river case”."


def test_the_rarest_followers_share_the_version_of_the_others(case: Case) -> None:
    publication = make_publication(max_variants=1)
    tell("Another matter", days_old=1)
    tell("A hearing", case=case, days_old=2)
    add_reader(publication, 1, follows=case)
    add_reader(publication, 2)
    add_reader(publication, 3)
    issue = make_issue(publication)
    groups = find_groups(issue, content=resolve_content(issue), now=NOW)
    assert [(group.people, bool(group.fallback)) for group in groups] == [(2, False), (1, True)]


def test_without_a_case_the_content_is_as_before(case: Case) -> None:
    publication = make_publication()
    tell("Another matter")
    add_reader(publication, 1, follows=case)
    issue = make_issue(publication)
    content = resolve_content(issue)
    assert "case" not in content.to_json()["blocks"][0]["story"]  # type: ignore[index, call-overload]
    assert {group.rules for group in find_groups(issue, content=content, now=NOW)} == {0}
    Story.objects.update(case=case)
    assert hash_content(resolve_content(Issue.objects.get(pk=issue.pk))) != hash_content(content)


def test_following_and_stopping_is_recorded_once(case: Case) -> None:
    person = add_reader(make_publication(), 1)
    assert [follow_case(subscriber=person, case=case, now=NOW) for _ in range(2)] == [True, False]
    assert list_followed_cases(person) == [case]
    assert [unfollow_case(subscriber=person, case=case, now=NOW) for _ in range(2)] == [True, False]
    data = list(
        ConsentEvent.objects.filter(subscriber=person, kind="preferences").order_by("pk").values_list("data", flat=True)
    )
    assert data == [{"follows": "river-case"}, {"stops_following": "river-case"}]


def test_merged_people_follow_each_case_once(case: Case) -> None:
    publication = make_publication()
    other = Case.objects.create(slug="other", name="The other case")
    keep, absorb = (add_reader(publication, number, follows=case) for number in (1, 2))
    follow_case(subscriber=absorb, case=other, now=NOW)
    merge_people(keep=keep, absorb=absorb, now=NOW)
    assert sorted(CaseFollow.objects.values_list("subscriber", "case__slug")) == [
        (keep.pk, "other"),
        (keep.pk, "river-case"),
    ]


def test_nobody_who_is_erased_follows_a_case(case: Case) -> None:
    person = add_reader(make_publication(), 1, follows=case)
    person.delete()
    assert not CaseFollow.objects.exists()
