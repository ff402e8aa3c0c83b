"""An approver reads the right links after the installation got another address."""

from typing import Any

import orjson
import pytest

from newsletter.issues.approval.changes_since_approval import find_changes
from newsletter.models import Issue, IssueRevision, Publication, Story
from tests.support.fixtures import add_subscribers, make_event, make_issue, make_publication
from tests.support.story_images import make_pictured_story

pytestmark = pytest.mark.django_db(transaction=True)
MOVED = "the address of this installation, from https://example.org to https://mail.example.org"


@pytest.fixture
def issue(settings: Any) -> Issue:
    """An approved issue whose own addresses and whose links to the organisation's website have the same host."""
    settings.NEWSLETTER_SITE_URL = "https://example.org"
    publication = make_publication()
    publication.brand.website = "https://example.org/about/"
    publication.brand.save()
    make_pictured_story("The first verdict", days_old=1, url="https://example.org/news/1")
    make_event("Vigil", online=True, url="https://example.org/calendar/vigil")
    add_subscribers(publication, 1)
    return make_issue(Publication.objects.get(), approved=True)


def test_only_our_own_addresses_move_with_the_site(issue: Issue, settings: Any) -> None:
    content = orjson.dumps(IssueRevision.objects.get().content).decode()
    for path in ("m/icons", "m/", "news/1", "about/", "calendar/vigil"):
        assert f'"https://example.org/{path}' in content
    settings.NEWSLETTER_SITE_URL = "https://mail.example.org"
    assert find_changes(Issue.objects.get(pk=issue.pk)) == [MOVED]


def test_a_changed_link_is_reported_beside_another_site(issue: Issue, settings: Any) -> None:
    settings.NEWSLETTER_SITE_URL = "https://mail.example.org"
    Story.objects.update(url="https://example.org/news/2")
    assert find_changes(Issue.objects.get(pk=issue.pk)) == [MOVED, "the story “The first verdict”"]
