"""Commands and digests leave out a story that is gone at its source, and name it."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.jobs.scheduler_jobs import assemble_due
from newsletter.models import Issue, Publication, Source, StoryPlacement
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscription
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)
GONE = "the story “The first verdict” is gone: removed at its source"
DIGEST_DAY = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        served.put("/", "<h1>Home</h1>")
        yield served


@pytest.fixture
def weekly(site: Site) -> Publication:
    for days, (path, title) in enumerate((("/a/", "The first verdict"), ("/b/", "A second verdict")), start=1):
        make_story(title, url=site.put(path, "<p>It happened.</p>"), days_old=days)
    publication = make_publication()
    add_subscribers(publication, 2)
    return publication


def run(*arguments: str, now: datetime = NOW + timedelta(minutes=5)) -> str:
    out = io.StringIO()
    with time_machine.travel(now, tick=False):
        call_command(*arguments, stdout=out)
    return out.getvalue()


def placed(kind: str = "issue") -> set[str]:
    return set(StoryPlacement.objects.filter(kind=kind).values_list("story__title", flat=True))


@pytest.mark.parametrize("arguments", [["--due", "2026-03-05T09:00"], ["--now"]])
def test_assemble_leaves_out_a_story_that_vanished(weekly: Publication, site: Site, arguments: list[str]) -> None:
    site.put("/a/", "", status=404)
    said = run("assemble", "weekly", *arguments)
    assert "The first verdict" in said
    assert "is gone: removed at its source" in said
    assert placed() == {"A second verdict"}
    assert Issue.objects.get().subject == "A second verdict"


def test_assemble_says_why_nothing_is_left(weekly: Publication, site: Site) -> None:
    for path in ("/a/", "/b/"):
        site.put(path, "", status=404)
    said = run("assemble", "weekly", "--due", "2026-03-05T09:00")
    assert "Left out: " in said
    assert GONE in said
    assert not Issue.objects.exists()


def test_the_approve_command_refuses_a_story_that_vanished(weekly: Publication, site: Site) -> None:
    issue = make_issue(weekly)
    make_approver()
    site.put("/a/", "", status=404)
    with pytest.raises(CommandError, match=GONE):
        run("approve", "weekly/1", "--by", "approver@example.org")
    issue.refresh_from_db()
    assert (issue.state, issue.subject, issue.approvals.count()) == ("draft", "A second verdict", 0)


@pytest.mark.parametrize("by_command", [True, False])
def test_a_digest_leaves_out_a_story_that_vanished(weekly: Publication, site: Site, by_command: bool) -> None:
    issue = make_issue(weekly)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start_send(issue=issue, now=NOW)
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENT)
    Subscription.objects.update(frequency="monthly")
    Source.objects.update(last_success_at=DIGEST_DAY, looked_at=DIGEST_DAY)
    site.put("/a/", "", status=404)
    if by_command:
        assert "is gone: removed at its source" in run("assemble", "weekly", "--digest", now=DIGEST_DAY)
    else:
        assemble_due(now=DIGEST_DAY)
    digest = Issue.objects.get(kind=Issue.Kind.DIGEST)
    assert [story.title for story in resolve_content(digest).stories] == ["A second verdict"]
    assert placed("digest") == {"A second verdict"}
    assert any("is gone: removed at its source" in reason["why"] for reason in digest.reasons)
