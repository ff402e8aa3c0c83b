"""A story that leads elsewhere in one issue than to its own page, without the story being touched."""

import pytest

from newsletter.issues.snapshot.records.fields import to_json
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.related_links import check_linked_stories
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, Publication, Story
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story

pytestmark = pytest.mark.django_db
ELSEWHERE = "https://example.org/donate/"


@pytest.fixture
def issue(publication: Publication) -> Issue:
    add_subscribers(publication, 1)
    make_story("The clinic opens its doors", url="https://example.org/clinic/")
    return lead_to(make_issue(publication), ELSEWHERE)


def lead_to(issue: Issue, link: str) -> Issue:
    issue.body[0].value["link"] = link
    issue.save()
    return Issue.objects.get(pk=issue.pk)


def test_a_story_leads_where_the_issue_says(issue: Issue) -> None:
    (story,) = resolve_content(issue).stories
    assert (story.url, story.own_url) == (ELSEWHERE, "https://example.org/clinic/")
    assert Story.objects.get().url == "https://example.org/clinic/"


def test_content_without_such_a_link_is_what_it_was(issue: Issue) -> None:
    """Approvals of issues from before there were links of their own go on holding."""
    (story,) = resolve_content(lead_to(issue, "")).stories
    assert story.url == "https://example.org/clinic/"
    assert "own_url" not in to_json(story)


def test_a_link_to_a_story_that_may_not_be_shown_must_be_put_right(issue: Issue) -> None:
    make_story("How Maya came home", url="https://example.org/maya/", days_old=90, withdrawn_at=NOW)
    content = resolve_content(lead_to(issue, "https://example.org/maya/"))
    assert [finding.code for finding in check_linked_stories(content, at=NOW)] == ["linked-story"]


def test_where_the_page_it_leads_to_is_gone_a_story_leads_home(issue: Issue) -> None:
    (story,) = remove_stories(resolve_content(issue), stories=[ELSEWHERE]).stories
    assert story.url == "https://example.org/clinic/"
    assert "own_url" not in to_json(story)
