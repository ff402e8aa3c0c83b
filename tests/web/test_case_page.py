"""Following a case: the page behind the link in a mail, the list of choices, the pages without a person, and the desk."""

import re

import pytest
from django.test import Client

from newsletter.models import Publication, Story
from newsletter.sending.freezing.start import start_send
from subscribers.links.signed_links import Purpose
from subscribers.models import Case, CaseFollow, MailingList, Subscriber
from subscribers.people.cases import follow_case
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all
from tests.support.desk import sign_in, story_fields
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.people import path_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    return Case.objects.create(slug="river-case", name="The river case")


@pytest.fixture
def person() -> Subscriber:
    return add_subscribers(make_publication(archive=Publication.Archive.PUBLIC), 1)[0]


def case_path(person: Subscriber, case: str = "river-case") -> str:
    return f"{path_to(person, MailingList.objects.get(), Purpose.PREFERENCES)}?case={case}"


def read(path: str, *, status: int = 200, **posted: str) -> str:
    response = Client().post(path, posted) if posted else Client().get(path)
    assert response.status_code == status
    return response.content.decode()


def test_opening_the_link_follows_nothing_and_the_button_does(person: Subscriber, case: Case) -> None:
    path = case_path(person)
    page = read(path)
    Client().head(path)
    assert not CaseFollow.objects.exists()
    assert "The river case" in page
    assert "For " in page
    assert "•••@" in page
    assert page.count("<button") == 1
    assert re.findall(r"<script [^>]*/(\w+)\.", page) == ["send_once"]
    assert "You follow this case" in read(path, do="follow")
    assert CaseFollow.objects.get().subscriber == person
    assert "You follow this case" in read(path)


def test_one_press_stops_following(person: Subscriber, case: Case) -> None:
    follow_case(subscriber=person, case=case, now=NOW)
    assert "Follow this case" in read(case_path(person), do="stop")
    assert not CaseFollow.objects.exists()


def test_a_button_that_nobody_has_changes_nothing(person: Subscriber, case: Case) -> None:
    read(case_path(person), do="everything")
    assert not CaseFollow.objects.exists()


def test_the_list_of_choices_names_followed_cases_with_a_button_each(person: Subscriber, case: Case) -> None:
    preferences = path_to(person, MailingList.objects.get(), Purpose.PREFERENCES)
    assert "Cases that you follow" not in read(preferences)
    follow_case(subscriber=person, case=case, now=NOW)
    page = read(preferences)
    assert "Cases that you follow" in page
    (action,) = re.findall(r'action="([^"]*case=river-case)"', page)
    read(action, do="stop")
    assert not CaseFollow.objects.exists()


def test_a_case_that_was_deleted_is_shown_as_closed(person: Subscriber) -> None:
    assert "This case is closed" in read(case_path(person, "gone"))


@pytest.mark.parametrize("added", [".", ")", "%E2%80%8B", "%0AYou get this", "&amp;utm_source=x"])
def test_additions_of_mail_programs_to_a_case_link_are_ignored(person: Subscriber, case: Case, added: str) -> None:
    assert "The river case" in read(case_path(person, f"river-case{added}"))


def test_somebody_who_unsubscribed_is_asked_to_sign_up_again(person: Subscriber, case: Case) -> None:
    unsubscribe_from_all(subscriber=person, now=NOW)
    assert "You are not subscribed" in read(case_path(person), do="follow")
    assert not CaseFollow.objects.exists()


def test_a_link_that_is_not_ours_follows_nothing(person: Subscriber, case: Case) -> None:
    read(case_path(person).replace("/p/A", "/p/B"), status=404, do="follow")
    assert not CaseFollow.objects.exists()


def test_public_pages_of_an_issue_have_no_personal_link(person: Subscriber, case: Case) -> None:
    MailingList.objects.update(public=True)
    make_story("A hearing", case=case)
    send = start_send(issue=make_issue(Publication.objects.get(), approved=True), now=NOW)
    (variant,) = send.issue.variants.all()
    online = read(f"/view/{variant.public_id}")
    assert 'href="http://127.0.0.1:8000/join/weekly?case=river-case"' in online
    assert re.search(r'href="http://127.0.0.1:8000/my-mail"[^>]*>Unsubscribe<', online)
    assert re.search(r'href="http://127.0.0.1:8000/my-mail"[^>]*>Choose what you get<', online)
    assert "/p/" not in online
    assert "/u/" not in online
    assert "The weekly letter" in read("/join/weekly?case=river-case")
    archived = read("/news/weekly/1/")
    assert "A hearing" in archived
    assert "Follow this case" not in archived


def test_staff_type_the_name_of_a_case(case: Case) -> None:
    make_publication()
    story, client = make_story("A hearing"), sign_in("editor")
    client.post(f"/admin/stories/edit/{story.pk}/", story_fields(story, case="the river CASE"))
    story.refresh_from_db()
    assert story.case == case
    assert "case" in story.edited_fields
    client.post(f"/admin/stories/edit/{story.pk}/", story_fields(story, case="The bridge case"))
    story.refresh_from_db()
    assert story.case is not None
    assert (story.case.name, story.case.slug) == ("The bridge case", "the-bridge-case")
    page = client.get(f"/admin/stories/edit/{story.pk}/").content.decode()
    assert 'value="The bridge case"' in page
    assert '<option value="The river case"></option>' in page
    client.post(f"/admin/stories/edit/{story.pk}/", story_fields(story, case=""))
    assert Story.objects.get().case is None
