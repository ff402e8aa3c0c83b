"""Descriptions of forms for scripts: blocks once for each language until a choice changes, and nothing else."""

import html
import json
from http import HTTPStatus

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from wagtail.users.models import UserProfile

from newsletter.models import Issue, Publication
from subscribers.models import MailingList, Segment
from tests.support.desk import sign_in
from tests.support.fixtures import make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The first verdict")
    return make_issue(publication)


def open_editor(issue: Issue, client: Client) -> str:
    answer = client.get(reverse("wagtailsnippets_newsletter_issue:edit", args=[issue.pk]))
    return answer.content.decode()


@pytest.mark.parametrize(
    ("page", "field", "kind"),
    [
        ("/admin/issues/edit/{}/", "body", "newsletter.ShowTo"),
        ("/admin/segments/add/", "rule", "subscribers.Conditions"),
    ],
)
def test_the_blocks_are_described_once(issue: Issue, page: str, field: str, kind: str) -> None:
    client = sign_in("admin")
    first, second = (client.get(page.format(issue.pk)) for _ in range(2))
    described, again = (answer.context["form"].fields[field].widget.js_context for answer in (first, second))
    assert described is again
    assert kind in find_definition(first.content.decode())
    assert find_definition(first.content.decode()) == find_definition(second.content.decode())


def test_new_items_of_a_list_get_their_ids_in_the_browser(issue: Issue) -> None:
    """An id in the description would be that of each new block."""
    definition = json.loads(html.unescape(find_definition(open_editor(issue, sign_in("editor")))))
    _name, _groups, states, _meta = definition["_args"]
    assert [item.keys() for item in states["stories"]["stories"]] == [{"value"}]


def find_definition(page: str) -> str:
    return page.partition('data-w-block-data-value="')[2].partition('"')[0]


def test_a_new_segment_can_be_chosen_at_once(issue: Issue) -> None:
    client = sign_in("editor")
    assert "Volunteers in the north" not in open_editor(issue, client)
    segment = Segment.objects.create(slug="north", name="Volunteers in the north", rule={})
    assert "Volunteers in the north" in find_definition(open_editor(issue, client))
    segment.archived = True
    segment.save()
    assert "Volunteers in the north" not in open_editor(issue, client)


def test_a_new_list_can_be_chosen_at_once_in_a_segment() -> None:
    client = sign_in("admin")
    assert "Friends of the harbour" not in find_definition(client.get("/admin/segments/add/").content.decode())
    mailing_list = MailingList.objects.create(slug="harbour", name="Friends of the harbour")
    assert "Friends of the harbour" in find_definition(client.get("/admin/segments/add/").content.decode())
    Segment.objects.create(slug="harbour", name="Harbour", rule={"list": "harbour"})
    mailing_list.delete()
    assert "harbour (deleted)" in find_definition(client.get("/admin/segments/add/").content.decode())


def test_each_person_reads_the_conditions_in_their_language() -> None:
    client = sign_in("admin")
    english = find_definition(client.get("/admin/segments/add/").content.decode())
    UserProfile.objects.update_or_create(
        user=User.objects.get(username="admin@example.org"), defaults={"preferred_language": "es"}
    )
    spanish = find_definition(client.get("/admin/segments/add/").content.decode())
    for text, translated in (("Preferences", "Preferencias"), ("As the import or the form", "Tal como lo")):
        assert text in english
        assert text not in spanish
        assert translated in spanish


def test_each_person_reads_the_blocks_in_their_language(issue: Issue) -> None:
    client = sign_in("editor")
    assert "Lead story" in find_definition(open_editor(issue, client))
    UserProfile.objects.update_or_create(
        user=User.objects.get(username="editor@example.org"), defaults={"preferred_language": "es"}
    )
    spanish = find_definition(open_editor(issue, client))
    assert "Lead story" not in spanish
    assert "Historia principal" in spanish


@pytest.mark.parametrize("page", ["/admin/publications/add/", "/admin/events/add/", "/admin/segments/add/"])
def test_no_page_makes_its_fields_twice_for_scripts(page: str) -> None:
    answer = sign_in("admin").get(page)
    assert answer.status_code == HTTPStatus.OK
    assert "w-edit-handler-data" not in answer.content.decode()
