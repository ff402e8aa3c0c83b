"""Descriptions of forms for scripts: the blocks of a body, once for each language until a choice changes, and nothing else."""

from http import HTTPStatus

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from wagtail.users.models import UserProfile

from newsletter.desk.editor import block_form
from newsletter.models import Issue, Publication
from subscribers.models import Segment
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


def test_the_blocks_are_described_once(issue: Issue) -> None:
    client = sign_in("editor")
    first = open_editor(issue, client)
    known = block_form._describe_body.cache_info()
    second = open_editor(issue, client)
    assert block_form._describe_body.cache_info().misses == known.misses
    assert "newsletter.ShowTo" in first
    assert find_definition(first)
    assert find_definition(first) == find_definition(second)


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
