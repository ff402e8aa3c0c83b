"""Public pages, feeds and calendars stop showing a protected term."""

import pytest
from django.test import Client
from icalendar import Calendar

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.snapshot.resolve_blocks import make_calendar_name
from newsletter.models import (
    EventNotice,
    Issue,
    Publication,
    Send,
    Variant,
)
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import (
    NOW,
    make_approver,
)
from tests.support.protected_terms import (  # noqa: F401  a fixture
    MASKED,
    SECRET,
    in_calendar,
    in_story,
    in_subject,
    keeper,
    make_issue_with_event,
    protect,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gone(issue: Issue) -> Issue:
    """An issue that went out, in an archive for everybody; what it says is protected only afterwards."""
    Publication.objects.update(archive="public")
    in_story(issue)
    in_calendar(issue)
    issue = Issue.objects.get(pk=issue.pk)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start_send(issue=issue, now=NOW)
    return Issue.objects.get(pk=issue.pk)


@pytest.mark.requirement("V3")
def test_public_pages_stop_showing_the_term(gone: Issue) -> None:
    event, variant = EventNotice.objects.get(), Variant.objects.get()
    name = make_calendar_name(event.pk)
    pages = [
        f"/news/weekly/{gone.number}/",
        f"/view/{variant.public_id}",
        f"/calendar/{name}.ics",
        f"/calendar/{name}",
        f"/calendar/{name}/google",
        f"/calendar/{name}/outlook",
    ]
    before = [Client().get(page).status_code for page in pages]
    assert before == [200, 200, 200, 200, 302, 302]
    assert Calendar.from_ical(Client().get(pages[2]).content)
    feed, listed = Client().get("/news/weekly/feed.xml"), Client().get("/news/weekly/")
    assert feed.content.count(b"<item>") == 1
    protect(SECRET)
    assert [Client().get(page).status_code for page in pages] == [404] * len(pages)
    feed, listed = Client().get("/news/weekly/feed.xml"), Client().get("/news/weekly/")
    assert feed.content.count(b"<item>") == 0
    assert f"/news/weekly/{gone.number}/".encode() not in listed.content
    for page in (feed, listed):
        assert b"uintan" not in page.content.lower()


@pytest.mark.requirement("V3")
def test_no_archive_page_links_to_a_hidden_issue(gone: Issue) -> None:
    publication = gone.publication
    Issue.objects.filter(pk=gone.pk).update(number=2)
    older = Issue.objects.create(publication=publication, number=1, public_id="older", made_at=NOW, state="sent")
    revision = gone.sends.get().revision
    content = {**revision.content, "subject": "Quiet", "blocks": []}
    quiet = older.content_revisions.create(number=1, sha256="0" * 64, content=content, made_at=NOW)
    Send.objects.create(issue=older, revision=quiet, sha256="0" * 64, state="submitted", made_at=NOW, started_at=NOW)
    assert b'/news/weekly/2/"' in Client().get("/news/weekly/1/").content
    protect(SECRET)
    page = Client().get("/news/weekly/1/")
    assert page.status_code == 200
    assert b"/news/weekly/2/" not in page.content
