"""A choice that changes nothing is not offered. Rows and files that have it keep it, and `apply` says so."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from newsletter.models import Publication, Story
from subscribers.desk.imports.forms import _list_targets
from subscribers.links.signed_links import Purpose
from subscribers.models import Segment, Topic
from tests.support.desk import sign_in, sign_in_superuser, story_fields
from tests.support.fixtures import make_publication, make_story
from tests.support.people import make_list, make_member, make_topic, path_to, subscribe

pytestmark = pytest.mark.django_db


def test_a_topic_is_asked_for_only_if_a_segment_selects_by_it(client: Client) -> None:
    weekly = make_list(ask_language=True)
    Topic.objects.create(slug="law", name="Law")
    ada = make_member(weekly)
    pages = ("/join/weekly", path_to(ada, weekly, Purpose.PREFERENCES))
    for page in pages:
        assert 'name="topics"' not in client.get(page).content.decode()
    make_topic("land", "Land")
    for page in pages:
        shown = client.get(page).content.decode()
        assert "Land" in shown
        assert "Law" not in shown


@pytest.mark.parametrize("was_on", [True, False])
def test_a_person_on_no_list_finds_all_topics_of_the_offered_lists(client: Client, *, was_on: bool) -> None:
    """Whoever left everything can return with one press of “Save”, to the lists and the topics that they had."""
    land = Topic.objects.create(slug="land", name="Land")
    weekly = make_publication(interests=Publication.Interests.FIRST, languages=["es"]).mailing_list
    ada = make_member(weekly)
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    before = list_choices(client, page)
    assert str(land.pk) in before["topics"]
    if was_on:
        client.post(path_to(ada, weekly, Purpose.UNSUBSCRIBE) + "/all")
    else:
        ada.subscriptions.all().delete()
    assert list_choices(client, page) == before
    assert "Language of these pages" not in client.get(page).content.decode()


def test_a_list_that_a_person_left_keeps_its_topics_on_their_page(client: Client) -> None:
    land = Topic.objects.create(slug="land", name="Land")
    weekly = make_publication(interests=Publication.Interests.FIRST).mailing_list
    ada = make_member(weekly)
    subscribe(ada, make_list("other"))
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    before = list_choices(client, page)
    assert before["topics"] == {str(land.pk)}
    client.post(path_to(ada, weekly, Purpose.UNSUBSCRIBE))
    assert list_choices(client, page) == before


def list_choices(client: Client, page: str) -> dict[str, set[str]]:
    """Return the values of the boxes for lists and topics on a preference page."""
    shown = client.get(page).content.decode()
    boxes = re.findall(r'type="checkbox"\s+name="(lists|topics)"\s+value="(\d+)"', shown)
    return {name: {value for kind, value in boxes if kind == name} for name in ("lists", "topics")}


def test_a_sign_up_asks_for_a_language_only_if_a_segment_selects_by_it(client: Client) -> None:
    make_list(ask_language=True)
    assert 'name="language"' not in client.get("/join/weekly").content.decode()
    Segment.objects.create(slug="spanish", name="Spanish", rule={"any": [{"language": "es"}, {"topic": "law"}]})
    assert 'name="language"' in client.get("/join/weekly").content.decode()


def test_a_sign_up_asks_for_a_language_if_a_publication_has_several(client: Client) -> None:
    publication = make_publication(languages=["es"])
    publication.mailing_list.ask_language = True
    publication.mailing_list.save()
    page = f"/join/{publication.mailing_list.slug}"
    assert 'name="language"' in client.get(page).content.decode()
    Publication.objects.update(languages=[])
    assert 'name="language"' not in client.get(page).content.decode()


def test_the_preference_page_says_what_its_language_is_for(client: Client) -> None:
    weekly = make_list()
    page = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    assert "Language of these pages" in client.get(page).content.decode()


def test_topics_that_are_not_asked_for_are_kept(client: Client) -> None:
    weekly = make_list()
    ada = make_member(weekly)
    law = Topic.objects.create(slug="law", name="Law")
    ada.topics.add(law)
    land = make_topic("land", "Land")
    client.post(path_to(ada, weekly, Purpose.PREFERENCES), {"lists": [weekly.pk], "topics": [land.pk], "language": ""})
    assert set(ada.topics.all()) == {law, land}


def test_an_import_offers_the_time_zone_because_local_sends_read_it() -> None:
    assert "timezone" in dict(_list_targets("town", "city")[-1][1])


def test_a_story_form_has_no_field_that_nothing_reads() -> None:
    story = make_story("The first verdict", consent_channels=["email", "print"], author="A. Writer")
    client = sign_in("editor")
    page = client.get(f"/admin/stories/edit/{story.pk}/").content.decode()
    for name in ('name="author"', 'name="consent_review_on"', 'value="print"', 'value="social"'):
        assert name not in page
    client.post(f"/admin/stories/edit/{story.pk}/", story_fields(story, title="A verdict", consent_channels="email"))
    kept = Story.objects.get()
    assert (kept.title, kept.author, kept.consent_channels) == ("A verdict", "A. Writer", ["email", "print"])
    assert kept.edited_fields == ["title"]


def test_the_account_page_has_no_notifications_of_page_workflows() -> None:
    assert "submitted_notifications" not in sign_in_superuser().get("/admin/account/").content.decode()


def test_apply_names_the_keys_that_have_no_effect_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "organisation.toml"
    file.write_text(
        '[brand]\nname = "Open Door"\n[[list]]\nslug = "weekly"\nname = "Weekly"\n'
        'ask = ["topics", "language"]\n'
        '[[segment]]\nslug = "land"\nrule = { topic = "land" }\n[[topic]]\nslug = "land"\n'
        '[[publication]]\nslug = "weekly"\nname = "Weekly"\nlist = "weekly"\n'
        'from_name = "Open Door"\nfrom_email = "news@example.org"\n'
        'schedule = "0 9 * * thu"\n'
    )
    call_command("apply", str(file))
    said = capsys.readouterr().out
    assert 'ask = ["language"] has no effect until a segment selects by language' in said
    assert 'ask = ["topics"]' not in said
