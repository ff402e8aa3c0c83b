"""New issue, change time, skip, cancel, delete, refresh content, history and “Do not use”, as staff see them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.snapshot.revisions import freeze_revision
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.variants.store_variants import make_variants
from newsletter.models import AuditEntry, Issue, Publication, Slot, Story, StoryRefusal
from newsletter.sending.freezing.start import start_send
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db


def new_issue(client: Client, publication: Publication, **fields: object) -> Issue | None:
    form = {"publication": publication.pk, "beginning": "empty", "public_id": "b" * 24, **fields}
    client.post("/admin/issues/new/", form)
    return Issue.objects.filter(public_id=form["public_id"]).first()


@pytest.fixture(autouse=True)
def _while_the_first_issue_waits() -> Iterator[None]:
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        yield


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The first verdict")
    add_subscribers(publication, 2)
    return make_issue(publication)


TOO_LATE = "is being sent, was sent or was cancelled, so this is too late."


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("time", TOO_LATE),
        ("close", TOO_LATE),
        ("delete", TOO_LATE),
        ("blocks/insert", TOO_LATE),
        ("subject-test", TOO_LATE),
        ("complete", "has no cancelled send to complete."),
        ("send/retry", "Nobody can be tried again now: the provider refused nobody"),
        ("send/account", "No other account can be used, so the rest (2 people) still waits for the account “default”."),
    ],
)
def test_a_form_that_the_issue_does_not_allow_is_not_opened(issue: Issue, page: str, told: str) -> None:
    """Somebody else may have sent it while its page was open."""
    approve_issue(issue=issue, by=make_approver("kim@example.org"), now=NOW)
    start_send(issue=issue, now=NOW)
    answer = sign_in("approver").get(f"/admin/issues/{issue.pk}/{page}/", follow=True)
    assert answer.redirect_chain == [(f"/admin/issues/{issue.pk}/overview/", 302)]
    assert told in list_messages(answer)[0]


def test_an_editor_makes_an_issue_of_each_kind(issue: Issue) -> None:
    editor = sign_in("editor")
    page = editor.get("/admin/issues/new/").content.decode()
    assert "The newest stories and events" in page
    assert "New issue" in editor.get("/admin/issues/").content.decode()
    assert "New issue" in editor.get("/admin/").content.decode()
    assert new_issue(editor, issue.publication).body.get_prep_value() == []
    assert new_issue(editor, issue.publication, beginning="copy", original=issue.pk, public_id="c" * 24) is not None
    make_story("A second verdict")
    made = new_issue(editor, issue.publication, beginning="rules", public_id="d" * 24)
    assert "A second verdict" in made.subject
    assert AuditEntry.objects.filter(action="newsletter.create").count() == 3


def test_an_empty_issue_opens_in_the_editor_and_others_in_the_overview(issue: Issue) -> None:
    editor = sign_in("editor")
    form = {"publication": issue.publication_id, "beginning": "empty", "public_id": "b" * 24}
    opened = editor.post("/admin/issues/new/", form)["Location"]
    assert opened == f"/admin/issues/edit/{Issue.objects.get(public_id='b' * 24).pk}/"
    copied = {**form, "beginning": "copy", "original": issue.pk, "public_id": "c" * 24}
    opened = editor.post("/admin/issues/new/", copied)["Location"]
    assert opened == f"/admin/issues/{Issue.objects.get(public_id='c' * 24).pk}/overview/"


def test_an_issue_made_by_staff_is_a_draft_until_approval_is_asked_for(publication: Publication) -> None:
    editor = sign_in("editor")
    made = new_issue(editor, publication)
    assert f"{made} is a draft" in editor.get("/admin/").content.decode()
    make_approver()
    editor.post(f"/admin/issues/{made.pk}/ask/")
    home = editor.get("/admin/").content.decode()
    assert f"{made} is waiting for approval" in home
    assert f"{made} is a draft" not in home


def test_a_refused_form_keeps_what_was_typed(issue: Issue) -> None:
    editor = sign_in("editor")
    fields = {
        "publication": issue.publication_id,
        "beginning": "empty",
        "public_id": "b" * 24,
        "due": "2020-01-01T09:00",
    }
    page = editor.post("/admin/issues/new/", fields).content.decode()
    assert "1 Jan 2020, 09:00 has passed. Choose a later time" in page
    assert "2020-01-01T09:00" in page
    copied = editor.post("/admin/issues/new/", {**fields, "beginning": "copy", "due": ""}).content.decode()
    assert "Choose the issue to copy" in copied
    assert Issue.objects.count() == 1


def test_change_time_is_in_the_zone_of_the_publication(publication: Publication) -> None:
    Publication.objects.update(zone="America/New_York")
    editor = sign_in("editor")
    made = new_issue(editor, publication)
    assert "Schedule" in editor.get(f"/admin/issues/{made.pk}/overview/").content.decode()
    day = timezone.now() + timedelta(days=40)
    response = editor.post(f"/admin/issues/{made.pk}/time/", {"due": f"{day:%Y}-{day:%m}-{day:%d}T10:00"}, follow=True)
    assert "will be sent on" in " ".join(list_messages(response))
    made.refresh_from_db()
    assert made.due_at.hour in (14, 15)
    page = editor.get(f"/admin/issues/{made.pk}/time/").content.decode()
    assert f"{day:%Y-%m-%d}T10:00" in page


def test_a_skipped_issue_says_who_when_and_why(issue: Issue) -> None:
    writer = sign_in("writer")
    assert "Skip this issue" in writer.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert (
        f'<p class="nl-issue__subject">{issue}</p>' in writer.get(f"/admin/issues/{issue.pk}/close/").content.decode()
    )
    assert "This field is required" in writer.post(f"/admin/issues/{issue.pk}/close/", {"reason": ""}).content.decode()
    response = writer.post(f"/admin/issues/{issue.pk}/close/", {"reason": "Holiday week"}, follow=True)
    page = response.content.decode()
    assert "that it is not sent: Holiday week" in page
    assert "Skipped" in page
    assert Slot.objects.get().state == "skipped"
    assert AuditEntry.objects.get(action="newsletter.close").data["reason"] == "Holiday week"
    assert "is waiting for approval" not in sign_in("editor").get("/admin/").content.decode()


def test_a_deleted_draft_leaves_a_line_in_the_staff_log(publication: Publication) -> None:
    editor = sign_in("editor")
    made = new_issue(editor, publication)
    editor.post(f"/admin/issues/{made.pk}/delete/", {"reason": "Made by mistake"})
    assert not Issue.objects.exists()
    entry = AuditEntry.objects.get(action="newsletter.delete")
    assert entry.data == {"issue": "The weekly letter No. 1", "reason": "Made by mistake"}


def test_refresh_content_shows_the_change_before_it_is_made(issue: Issue) -> None:
    make_story("Told just now", seen_at=NOW, published_at=NOW)
    writer = sign_in("writer")
    path = f"/admin/issues/{issue.pk}/assemble/"
    page = writer.get(path)
    assert "Told just now" in page.content.decode()
    assert [story.title for story in resolve_content(Issue.objects.get()).stories] == ["The first verdict"]
    sha256 = page.context["plan"].sha256
    assert "changed after you opened" in " ".join(list_messages(writer.post(path, {"sha256": "0" * 64}, follow=True)))
    assert "Added: “Told just now”" in " ".join(list_messages(writer.post(path, {"sha256": sha256}, follow=True)))


def test_history_compares_two_versions_and_goes_back(issue: Issue) -> None:
    first = issue.latest_revision
    issue.subject = "Our own subject"
    issue.save()
    second = issue.save_revision(log_action=False)
    writer = sign_in("writer")
    path = f"/admin/issues/{issue.pk}/revisions/"
    page = writer.get(f"{path}?left={first.pk}&right={second.pk}").content.decode()
    assert 'action="#nl-text"' in page
    assert '<td data-label="By">the system</td>' in page
    assert "<del>Subject: The first verdict</del>" in page
    assert "<ins>Subject: Our own subject</ins>" in page
    writer.post(f"{path}{first.pk}/restore/")
    assert Issue.objects.get().subject == "The first verdict"


def test_do_not_use_is_chosen_and_taken_back(issue: Issue) -> None:
    story, writer = Story.objects.get(), sign_in("writer")
    path = f"/admin/stories/{story.pk}/use/"
    assert "assembled from now on do not choose “The first verdict”" in writer.get(path).content.decode()
    writer.post(path, {"publication": issue.publication_id})
    assert StoryRefusal.objects.get().publication == issue.publication
    assert "decided: not in The weekly letter" in writer.get(path).content.decode()
    writer.post(path, {"publication": "use"})
    assert not StoryRefusal.objects.exists()


@pytest.mark.parametrize("layout", ["plain", "events_first", "digest", "announcement"])
def test_layout_and_headline_are_fields_that_decide_the_mail(issue: Issue, layout: str) -> None:
    editor = sign_in("editor").get(f"/admin/issues/edit/{issue.pk}/").content.decode()
    assert 'name="layout"' in editor
    assert 'name="headline"' in editor

    def render() -> str:
        one = Issue.objects.get()
        revision = freeze_revision(issue=one, now=NOW)
        return make_variants(revision=revision, groups=find_groups(one, content=resolve_content(one), now=NOW))[0].html

    before = render()
    issue.layout, issue.headline = layout, "Our own headline"
    issue.save()
    after = render()
    assert before != after
    assert ("Our own headline" in after) is (layout == "announcement")


def test_a_new_issue_names_the_open_draft_that_has_the_stories(issue: Issue) -> None:
    editor = sign_in("editor")
    page = compact_html(editor.get("/admin/issues/new/").content.decode())
    draft = f"/admin/issues/{issue.pk}/overview/"
    assert f"{issue} is still a draft and has 1 story." in page
    assert f'<a href="{draft}">Edit it instead</a>' in page
    assert f'data-nl-publication="{issue.publication_id}">' in page
    make_publication(slug="second", name="The second letter")
    unchosen = compact_html(editor.get("/admin/issues/new/").content.decode())
    assert f'data-nl-publication="{issue.publication_id}" hidden>' in unchosen
    make_story("A second verdict")
    made = new_issue(editor, issue.publication, beginning="rules")
    overview = compact_html(editor.get(f"/admin/issues/{made.pk}/overview/").content.decode())
    assert "already in No. 1 (a draft, not sent yet)" in overview
    assert f'<a href="{draft}" aria-label="Open the issue that has “The first verdict”">' in overview


def test_an_issue_that_is_sending_offers_no_edit_and_no_hold(publication: Publication) -> None:
    make_story("The first verdict")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=timezone.now())
    page = sign_in("admin").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "View content (read-only)" in page
    for text in ("Edit the issue", "Put on hold", "It is sent when somebody chooses"):
        assert text not in page


def test_a_new_issue_without_a_publication_links_to_publications(db: None) -> None:
    page = sign_in("editor").get("/admin/issues/new/").content.decode()
    assert "No publication is in use" in page
    assert '<a href="/admin/publications/">Go to publications</a>' in page
    assert "Create issue" not in page
