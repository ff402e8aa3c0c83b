"""Staff see which topics decide who gets which story; people are asked for topics only if they count."""

import re

import pytest
from django.test import Client

from newsletter.models import Issue, Publication
from newsletter.sending.freezing.start import start_send
from subscribers.links.signed_links import Purpose
from subscribers.models import MailingList, Subscriber, Topic
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.page_html import compact_html
from tests.support.people import path_to

pytestmark = pytest.mark.django_db


def make_interested_issue(**changes: object) -> tuple[Issue, list[Subscriber]]:
    """Return an issue of two stories, one on water, and three people: the first two chose water and schools."""
    publication = make_publication(interests="only", **changes)
    topics = {slug: Topic.objects.create(slug=slug, name=slug.title()) for slug in ("water", "schools")}
    make_story("The water case", days_old=1).topics.add(topics["water"])
    make_story("A word to all", days_old=2)
    people = add_subscribers(publication, 3)
    people[0].topics.add(topics["water"])
    people[1].topics.add(topics["schools"])
    return make_issue(publication), people


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return compact_html(response.content.decode())


def test_the_audience_page_says_who_gets_which_story() -> None:
    issue, _people = make_interested_issue()
    shown = page(sign_in("editor"), f"/admin/issues/{issue.pk}/audience/")
    assert "Who gets which story" in shown
    assert (
        '<td>The water case</td><td data-label="Topics">Water</td><td class="nl-number" data-label="Recipients">2'
        in shown
    )
    assert '<td>A word to all</td><td data-label="Topics">For everybody</td>' in shown


def test_without_interests_the_audience_page_has_no_table_of_stories() -> None:
    issue, _people = make_interested_issue()
    Publication.objects.update(interests="off")
    assert "Who gets which story" not in page(sign_in("editor"), f"/admin/issues/{issue.pk}/audience/")


def test_the_preview_as_a_person_shows_the_stories_of_their_topics() -> None:
    issue, people = make_interested_issue()
    client = sign_in("admin")
    with_water = page(client, f"/admin/issues/{issue.pk}/mail/text.person.{people[0].pk}/")
    without = page(client, f"/admin/issues/{issue.pk}/mail/text.person.{people[1].pk}/")
    assert "The water case" in with_water
    assert "The water case" not in without


def test_too_many_versions_are_a_warning_that_names_the_number_of_people() -> None:
    issue, _people = make_interested_issue(max_variants=1)
    shown = page(sign_in("approver"), f"/admin/issues/{issue.pk}/overview/")
    assert "This issue would have more than 1 versions, so the rarest are merged." in shown
    assert "the first of their topics and cases at the top: 1." in shown


@pytest.mark.parametrize(("interests", "asked"), [("off", False), ("first", True), ("only", True)])
def test_people_are_asked_for_topics_only_if_a_publication_uses_them(
    client: Client, interests: str, asked: bool
) -> None:
    publication = make_publication(interests=interests)
    weekly = publication.mailing_list
    type(weekly).objects.update(public=True)
    weekly.refresh_from_db()
    Topic.objects.create(slug="water", name="Water rights")
    (person,) = add_subscribers(publication, 1)
    for address in (f"/join/{weekly.slug}", path_to(person, weekly, Purpose.PREFERENCES)):
        assert ("Water rights" in client.get(address).content.decode()) == asked


def test_only_the_topics_of_the_publication_are_asked_for(client: Client) -> None:
    publication = make_publication(interests="first")
    publication.topics.add(Topic.objects.create(slug="water", name="Water rights"))
    Topic.objects.create(slug="schools", name="School meals")
    type(publication.mailing_list).objects.update(public=True)
    shown = client.get(f"/join/{publication.mailing_list.slug}").content.decode()
    assert "Water rights" in shown
    assert "School meals" not in shown


def test_the_audience_page_counts_who_had_a_story_in_another_issue() -> None:
    publication = make_publication()
    make_story("The water case")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    rights = Publication.objects.get()
    rights.pk, rights.slug = None, "rights"
    rights.save()
    add_subscribers(rights, 1, start=5)
    make_story("A word to all", days_old=2)
    second = make_issue(rights)
    shown = page(sign_in("editor"), f"/admin/issues/{second.pk}/audience/")
    assert '<td>The water case</td><td data-label="Topics">For everybody</td>' in shown
    assert 'data-label="Recipients">1</td>' in shown
    assert 'data-label="Recipients">3</td>' in shown


def test_preferences_ask_only_for_topics_that_count_on_the_persons_lists(client: Client) -> None:
    publication = make_publication()
    (person,) = add_subscribers(publication, 1)
    other = MailingList.objects.create(slug="rights", name="Rights", public=True)
    rights = Publication.objects.get()
    rights.pk, rights.slug, rights.mailing_list, rights.interests = None, "rights", other, "first"
    rights.save()
    water = Topic.objects.create(slug="water", name="Water rights")
    person.topics.add(water)
    address = path_to(person, publication.mailing_list, Purpose.PREFERENCES)
    assert "Water rights" not in client.get(address).content.decode()
    client.post(address, {"lists": [publication.mailing_list_id], "language": ""})
    assert list(person.topics.all()) == [water]


def test_the_audience_page_counts_recipients_by_topic_and_time_zone() -> None:
    issue, people = make_interested_issue(send_at="local")
    people[0].topics.add(*Topic.objects.all())
    Subscriber.objects.filter(pk=people[2].pk).update(timezone="Asia/Kolkata")
    shown = page(sign_in("editor"), f"/admin/issues/{issue.pk}/audience/")
    by_topic = re.sub("<[^>]+>", " ", shown.partition('id="nl-topics"')[2].partition("</section>")[0])
    assert re.findall(r"(Schools|Water|Chose no topic) +([0-9]+)", by_topic)[:3] == [
        ("Schools", "2"),
        ("Water", "1"),
        ("Chose no topic", "1"),
    ]
    assert "Kolkata" in shown.partition('id="nl-zones"')[2].partition("</section>")[0]
    Publication.objects.update(interests="off", send_at="slot")
    shown = page(sign_in("editor"), f"/admin/issues/{issue.pk}/audience/")
    assert "Recipients by topic" not in shown
    assert "Recipients by time zone" not in shown
