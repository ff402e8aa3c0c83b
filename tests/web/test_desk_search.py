"""The desk's one search: every kind that the person may see, and nothing else."""

import pytest

from newsletter.models import Publication
from tests.support.desk import sign_in
from tests.support.fixtures import make_event, make_issue, make_story
from tests.support.people import make_person

pytestmark = pytest.mark.django_db


def search(role: str, typed: str) -> str:
    return sign_in(role).get("/admin/search/", {"q": typed}).content.decode()


def test_issues_stories_and_events_are_found_by_their_words(publication: Publication) -> None:
    story = make_story("The clinic opens its doors")
    event = make_event("An evening at the clinic")
    issue = make_issue(publication)
    page = search("writer", "clinic")
    assert f"/admin/issues/{issue.pk}/overview/" in page
    assert f"/admin/stories/edit/{story.pk}/" in page
    assert f"/admin/events/edit/{event.pk}/" in page
    assert "Nothing matches" in search("writer", "clinic nowhere")


def test_a_subscriber_is_found_by_the_whole_address_and_with_the_right(db: None) -> None:
    link = f"/admin/people/{make_person('dee@example.org').pk}/"
    assert link in search("data", "Dee@Example.org")
    assert link not in search("data", "dee@")
    assert link not in search("editor", "dee@example.org")


def test_pages_of_the_desk_are_found_by_name_and_right(db: None) -> None:
    assert 'href="/admin/users/"' in search("admin", "staff")
    assert "Nothing matches" in search("writer", "api keys")


@pytest.mark.parametrize("typed", ["%", "'", "“", "x" * 500, "\\", "a" * 10 + "@"])
def test_odd_searches_break_nothing(db: None, typed: str) -> None:
    assert "Search the desk" in search("admin", typed)


def test_an_empty_search_says_what_can_be_found(db: None) -> None:
    assert "the whole address of a subscriber" in search("admin", "")
