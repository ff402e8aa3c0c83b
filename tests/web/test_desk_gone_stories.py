"""The desk shows which stories their source removed, and which could not be checked."""

import pytest
from django.urls import reverse

from newsletter.issues.assembly.stories_at_source import remove_gone_stories
from newsletter.models import Issue, Publication, Send, Story
from newsletter.sending.freezing.start import start_send
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story
from tests.support.web_site import serve_site

pytestmark = pytest.mark.django_db(transaction=True)


def test_home_lists_a_story_that_its_source_removed(publication: Publication) -> None:
    make_story("The first verdict")
    make_story("A second verdict", days_old=2)
    make_issue(publication)
    Story.objects.filter(title="The first verdict").update(gone_at=NOW, gone_code="protected")
    remove_gone_stories(now=NOW)
    page = sign_in("editor").get(reverse("wagtailadmin_home")).content.decode()
    assert "The story “The first verdict” is gone: protected by a password at its source." in page
    assert Issue.objects.get().subject == "A second verdict"


def test_the_overview_lists_stories_not_checked_before_sending(publication: Publication) -> None:
    add_subscribers(publication, 2)
    with serve_site() as site:
        make_story("The first verdict", url=site.put("/a/", "", status=503))
        issue = make_issue(publication, approved=True)
        start_send(issue=issue, now=NOW)
    assert Send.objects.get().unchecked_stories
    page = sign_in("editor").get(reverse("newsletter_issue_overview", args=[issue.pk])).content.decode()
    assert "Not checked before sending" in page
    assert "status 503" in page


def test_a_story_page_says_why_its_source_no_longer_shows_it(publication: Publication) -> None:
    story = make_story("The first verdict", gone_at=NOW, gone_code="removed")
    page = sign_in("editor").get(reverse("wagtailsnippets_newsletter_story:edit", args=[story.pk])).content.decode()
    assert "Removed at its source" in page
