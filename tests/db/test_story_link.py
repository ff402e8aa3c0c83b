"""An issue can give a story's headline another link. The story itself does not change."""

import pytest

from newsletter.issues.snapshot.content_links import check_linked_stories
from newsletter.issues.snapshot.records.fields import to_json
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, Publication, Story
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story

pytestmark = pytest.mark.django_db
ELSEWHERE = "https://example.org/donate/"


@pytest.fixture
def issue(publication: Publication) -> Issue:
    add_subscribers(publication, 1)
    make_story("The clinic opens its doors", url="https://example.org/clinic/")
    return set_link(make_issue(publication), ELSEWHERE)


def set_link(issue: Issue, link: str) -> Issue:
    issue.body[0].value["link"] = link
    issue.save()
    return Issue.objects.get(pk=issue.pk)


def test_a_story_leads_to_the_link_that_the_issue_gives(issue: Issue) -> None:
    (story,) = resolve_content(issue).stories
    assert (story.url, story.own_url) == (ELSEWHERE, "https://example.org/clinic/")
    assert Story.objects.get().url == "https://example.org/clinic/"


def test_a_story_without_its_own_link_has_no_key_for_one(issue: Issue) -> None:
    """Approvals from before issues could give such links stay valid."""
    (story,) = resolve_content(set_link(issue, "")).stories
    assert story.url == "https://example.org/clinic/"
    assert "own_url" not in to_json(story)


def test_a_link_to_a_story_that_may_not_be_shown_is_an_error(issue: Issue) -> None:
    make_story("How Maya came home", url="https://example.org/maya/", days_old=90, withdrawn_at=NOW)
    content = resolve_content(set_link(issue, "https://example.org/maya/"))
    assert [finding.code for finding in check_linked_stories(content, at=NOW)] == ["linked-story"]


def test_a_story_leads_to_its_own_page_if_the_linked_page_is_gone(issue: Issue) -> None:
    (story,) = remove_stories(resolve_content(issue), stories=[ELSEWHERE]).stories
    assert story.url == "https://example.org/clinic/"
    assert "own_url" not in to_json(story)
