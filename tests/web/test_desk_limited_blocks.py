"""Staff see who gets a block that is for some readers only; the public archive shows what everybody gets."""

import pytest
from django.test import Client

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.archive.public_view import render_for_archive
from newsletter.issues.reuse.saved_blocks import save_block
from newsletter.issues.reuse.templates import save_template
from newsletter.models import Issue, Publication
from newsletter.sending.freezing.start import start_send
from subscribers.models import Segment, Topic
from tests.support.desk import issue_form, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.limited_blocks import add_limited_note, limit_block
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue() -> Issue:
    """An issue with a note for volunteers (2 of 5 recipients)."""
    publication = make_publication(archive=Publication.Archive.PUBLIC)
    publication.mailing_list.public = True
    publication.mailing_list.save()
    make_story("The first verdict", days_old=1)
    make_story("The second verdict", days_old=2)
    add_subscribers(publication, 3)
    add_subscribers(publication, 2, start=3, giving="donor")
    Segment.objects.create(slug="secret", name="Major donors", rule={"giving": "donor"})
    issue = make_issue(publication)
    add_limited_note(issue, "A word to some", segment="secret")
    return issue


def read(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return compact_html(response.content.decode())


def test_the_audience_page_counts_who_gets_the_block(issue: Issue) -> None:
    shown = read(sign_in("editor"), f"/admin/issues/{issue.pk}/audience/")
    assert '<td data-label="Only for people">in the segment “Major donors”</td>' in shown
    assert '<td data-label="Recipients">2 of 5</td>' in shown
    assert "With what is for people in the segment “Major donors”" in shown
    assert "Only what everybody gets" in shown


BUTTON = {
    "body-count": "2",
    "charitable": "on",
    "body-1-type": "button",
    "body-1-order": "1",
    "body-1-deleted": "",
    "body-1-id": "22222222-2222-4222-8222-222222222222",
    "body-1-value-label": "Write to us",
    "body-1-value-url": "https://example.org/write/",
}


@pytest.mark.parametrize(("group", "with_story"), [("0.donor.0.every.-1.0.1.0", True), ("0.none", False)])
def test_the_preview_says_how_many_people_see_the_block(issue: Issue, group: str, with_story: bool) -> None:
    client, edit = sign_in("editor"), f"/admin/issues/preview/{issue.pk}/"
    story = issue.placements.get(story__title="The first verdict").story
    client.post(edit, issue_form(issue, story=story, **BUTTON, **{"body-0-value-show_to-giving": "donor"}))
    shown = read(client, f"{edit}?mode=mail.{group}")
    assert "Shown to 2 of 5 people: has given" in shown
    assert "Write to us" in shown
    assert (story.url in shown) == with_story


def test_a_block_that_nobody_gets_is_a_warning(issue: Issue) -> None:
    add_limited_note(issue, "A word to nobody", giving="monthly")
    shown = read(sign_in("approver"), f"/admin/issues/{issue.pk}/overview/")
    assert "Nobody gets this block: no recipient matches its rules (gives monthly)." in shown


def test_the_archive_shows_only_what_everybody_gets(issue: Issue) -> None:
    limit_block(issue, "lead_story", giving="donor")
    approve_issue(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    send = start_send(issue=Issue.objects.get(), now=NOW)
    render_for_archive.cache_clear()
    pages = [read(Client(), f"/news/weekly/{page}") for page in ("", "1/", "feed.xml")]
    for page in pages:
        assert "A word to some" not in page
        assert "The first verdict" not in page
        assert "Major donors" not in page
    assert "The second verdict" in pages[1]
    for variant in send.issue.variants.all():
        assert "Major donors" not in variant.html + variant.text + variant.subject
        assert "Major donors" not in read(Client(), f"/view/{variant.public_id}")


@pytest.mark.parametrize(("kind", "page"), [("segment", "segments"), ("topic", "topics")])
def test_what_limits_a_block_cannot_be_deleted(kind: str, page: str) -> None:
    """Not while an unsent issue, a saved block or a template has the block."""
    model = Segment if kind == "segment" else Topic
    row = model._default_manager.create(slug="land", name="Land")
    make_story("The first verdict", days_old=1)
    issue = make_issue(make_publication())
    add_limited_note(issue, "A word to others", **{kind: "water"})
    add_limited_note(issue, "A word to some", **{kind: "land"})
    block, editor = issue.body.get_prep_value()[0]["id"], make_approver()
    saved = save_block(issue=issue, block=block, name="Our note", by=editor, now=NOW)
    template = save_template(issue=issue, name="Our week", by=editor, now=NOW)
    client, address = sign_in("admin"), f"/admin/{page}/delete/{row.pk}/"
    shown = read(client, address)
    for name in (str(issue), "Our note", "Our week"):
        assert name in shown
    assert "archive it" in shown if kind == "segment" else "people who chose it" in shown
    client.post(address)
    assert type(row).objects.filter(pk=row.pk).exists()
    saved.delete()
    template.delete()
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.CANCELLED)
    client.post(address)
    assert not type(row).objects.filter(pk=row.pk).exists()
