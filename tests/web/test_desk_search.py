"""The desk's one search: every kind that the person may see, and nothing else."""

import pytest

from newsletter.models import Publication
from tests.support.desk import sign_in
from tests.support.fixtures import make_appeal, make_event, make_issue, make_story
from tests.support.people import make_person

pytestmark = pytest.mark.django_db


def search(role: str, typed: str) -> str:
    return sign_in(role).get("/admin/search/", {"q": typed}).content.decode()


def test_issues_and_content_are_found_by_their_words(publication: Publication) -> None:
    story = make_story("The clinic opens its doors")
    event = make_event("An evening at the clinic")
    appeal = make_appeal("hours", headline="Give an hour at the clinic")
    issue = make_issue(publication)
    page = search("writer", "clinic")
    assert f"/admin/issues/{issue.pk}/overview/" in page
    assert f"/admin/stories/edit/{story.pk}/" in page
    assert f"/admin/events/edit/{event.pk}/" in page
    assert f"/admin/appeals/edit/{appeal.pk}/" in page
    assert "Nothing matches" in search("writer", "clinic nowhere")


def test_people_are_found_as_in_the_list_of_subscribers(db: None) -> None:
    person = make_person("dee@example.org")
    link = f"/admin/people/{person.pk}/"
    for role in ("data", "admin", "editor", "writer"):
        client = sign_in(role)
        for typed in ("Dee@Example.org", "dee@"):
            page = client.get("/admin/search/", {"q": typed}).content.decode()
            listed = client.get("/admin/people/", {"q": typed})
            assert (link in page) == (listed.status_code == 200 and link in listed.content.decode()), (role, typed)
            assert "dee@example.org" not in page.replace(f'value="{typed}"', "")
    assert link in search("data", "Dee@Example.org")


def test_staff_are_found_by_administrators_only(db: None) -> None:
    sign_in("approver", email="tess@example.org")
    assert "/admin/users/edit/" in search("admin", "tess@")
    assert "/admin/users/edit/" not in search("writer", "tess@")


def test_set_up_and_the_account_are_found_by_their_words(db: None) -> None:
    assert 'href="/admin/setup/provider/"' in search("admin", "provider")
    assert "/admin/account/" in search("writer", "account")
    assert "/admin/setup/" not in search("writer", "provider")


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("invite", "/admin/users/new/"),
        ("password of a colleague", "/admin/users/"),
        ("add people", "/admin/people/imports/new/"),
    ],
)
def test_a_page_is_found_by_what_it_is_for(db: None, typed: str, address: str) -> None:
    assert f'href="{address}"' in search("admin", typed)
    assert f'href="{address}"' not in search("writer", typed)


def test_pages_of_the_desk_are_found_by_name_and_right(db: None) -> None:
    assert 'href="/admin/users/"' in search("admin", "staff")
    assert "Nothing matches" in search("writer", "api keys")


def test_a_field_is_found_by_its_label_with_the_page_that_has_it(publication: Publication) -> None:
    assert f'href="/admin/publications/edit/{publication.pk}/">Sender address' in search("admin", "sender address")
    assert 'href="/admin/issues/">Subject' in search("editor", "subject")
    assert "Sender address" not in search("writer", "sender address")


@pytest.mark.parametrize("typed", ["%", "'", "“", "x" * 500, "\\", "a" * 10 + "@"])
def test_odd_searches_break_nothing(db: None, typed: str) -> None:
    assert "Search the desk" in search("admin", typed)


def test_an_empty_search_says_what_can_be_found(db: None) -> None:
    assert "an appeal, a subscriber, a publication, a source, or a page of the desk" in search("admin", "")
