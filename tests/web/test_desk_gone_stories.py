"""The desk leaves out stories that their source removed, names them, and lists those that could not be checked."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from newsletter.issues.assembly.stories_at_source import remove_gone_stories
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Attempt, Issue, Publication, Send, Story, StoryPlacement
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.send_controls import cancel_send
from tests.support.desk import audience_fields, list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)
GONE = "the story “The first verdict” is gone: removed at its source"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served, time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        served.put("/", "<h1>Home</h1>")
        yield served


@pytest.fixture
def stories(site: Site) -> None:
    for path, title in (("/a/", "The first verdict"), ("/b/", "A second verdict")):
        make_story(title, url=site.put(path, "<p>It happened.</p>"), days_old=1 if path == "/a/" else 2)


def shown(issue: Issue) -> list[str]:
    return [story.title for story in resolve_content(Issue.objects.get(pk=issue.pk)).stories]


def placed() -> set[str]:
    return set(StoryPlacement.objects.values_list("story__title", flat=True))


def create_issue(editor: Client, publication: Publication, **fields: object) -> tuple[Issue, list[str]]:
    form = {"publication": publication.pk, "public_id": "b" * 24, **fields}
    messages = list_messages(editor.post("/admin/issues/new/", form, follow=True))
    return Issue.objects.get(public_id="b" * 24), messages


def test_approve_refuses_a_story_that_vanished(publication: Publication, site: Site, stories: None) -> None:
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    approver = sign_in("approver")
    page = approver.get(f"/admin/issues/{issue.pk}/overview/")
    fields = {
        "sha256": page.context["sha256"],
        "looked": "yes",
        "warning": [one.name for one in page.context["unacknowledged"]],
        **audience_fields(issue),
    }
    site.put("/a/", "", status=404)
    (message,) = list_messages(approver.post(f"/admin/issues/{issue.pk}/approve/", fields, follow=True))
    assert GONE in message
    assert "Nothing was sent" in message
    issue.refresh_from_db()
    assert (issue.state, issue.subject, issue.approvals.count()) == ("draft", "A second verdict", 0)
    assert shown(issue) == ["A second verdict"]


@pytest.mark.parametrize("beginning", ["rules", "copy"])
def test_new_issue_leaves_out_a_story_that_vanished(
    publication: Publication, site: Site, stories: None, beginning: str
) -> None:
    fields: dict[str, Any] = {"beginning": beginning}
    if beginning == "copy":
        fields["original"] = make_issue(publication).pk
        StoryPlacement.objects.all().delete()
    site.put("/a/", "", status=404)
    made, messages = create_issue(sign_in("editor"), publication, **fields)
    assert f"Left out: {GONE}." in messages
    assert (made.subject, shown(made), placed()) == ("A second verdict", ["A second verdict"], {"A second verdict"})


def test_new_issue_says_why_nothing_is_left(publication: Publication, site: Site) -> None:
    make_story("The first verdict", url=site.put("/a/", "", status=404))
    form = {"publication": publication.pk, "beginning": "rules", "public_id": "b" * 24}
    response = sign_in("editor").post("/admin/issues/new/", form)
    assert f"Left out: {GONE}." in list_messages(response)
    assert not Issue.objects.exists()


def test_refresh_content_removes_a_story_that_vanished(publication: Publication, site: Site, stories: None) -> None:
    issue, editor = make_issue(publication), sign_in("editor")
    url = f"/admin/issues/{issue.pk}/assemble/"
    seen = editor.get(url).context["plan"].sha256
    site.put("/a/", "", status=404)
    messages = list_messages(editor.post(url, {"sha256": seen}, follow=True))
    assert f"Left out: {GONE}." in messages
    plan = editor.get(url).context["plan"]
    assert plan.removed == ["The first verdict"]
    editor.post(url, {"sha256": plan.sha256})
    assert (shown(issue), placed()) == (["A second verdict"], {"A second verdict"})


def test_an_issue_that_completes_a_send_leaves_out_a_gone_story(
    publication: Publication, site: Site, stories: None, fake_provider: Any, settings: Any
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    add_subscribers(publication, 20)
    issue = make_issue(publication, approved=True)
    send = start_send(issue=issue, now=NOW)
    first = send.batches.order_by("seq")[0]
    Attempt.objects.create(batch=first, number=1, people=10, started_at=NOW, ended_at=NOW, outcome="accepted")
    type(first).objects.filter(pk=first.pk).update(state="accepted", attempt_number=1)
    cancel_send(send=Send.objects.get(), by=make_approver(), now=NOW)
    site.put("/a/", "", status=404)
    messages = list_messages(sign_in("editor").post(f"/admin/issues/{issue.pk}/complete/", follow=True))
    made = Issue.objects.get(completes=issue)
    assert f"Left out: {GONE}." in messages
    assert (made.subject, shown(made)) == ("A second verdict", ["A second verdict"])
    assert not made.placements.filter(story__title="The first verdict").exists()


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
        for title in ("The first verdict", "The second verdict"):
            make_story(title, url=site.put(f"/{title[4]}/", "", status=503))
        issue = make_issue(publication, approved=True)
        start_send(issue=issue, now=NOW)
    assert len(Send.objects.get().unchecked_stories) == 2
    page = sign_in("editor").get(reverse("newsletter_issue_overview", args=[issue.pk])).content.decode()
    assert "Not checked before sending" in page
    assert "We could not read these stories at their site before the issue was sent" in page
    assert page.count("status 503") == 1
    assert "<li>The second verdict</li>" in page


def test_a_story_page_says_why_its_source_no_longer_shows_it(publication: Publication) -> None:
    story = make_story("The first verdict", gone_at=NOW, gone_code="removed")
    page = sign_in("editor").get(reverse("wagtailsnippets_newsletter_story:edit", args=[story.pk])).content.decode()
    assert "Removed at its source" in page
