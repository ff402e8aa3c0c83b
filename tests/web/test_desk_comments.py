"""Comments in the desk: on the issue's page, beside the editor, and by the link of a notice."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from newsletter.issues.comments.comment import add_comment
from newsletter.models import AuditEntry, Comment, Issue, Publication, StaffNotice
from tests.support.desk import issue_form, list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    return make_issue(publication)


@pytest.fixture
def writer() -> Client:
    return sign_in("writer")


def overview(issue: Issue, client: Client) -> str:
    return compact_html(client.get(f"/admin/issues/{issue.pk}/overview/").content.decode())


def test_a_comment_is_added_answered_resolved_and_opened_again(issue: Issue, writer: Client) -> None:
    path = f"/admin/issues/{issue.pk}/comments/"
    block = issue.body[0].id
    answer = writer.post(f"{path}add/", {"block": block, "text": "Is <b>this</b> right?"}, follow=True)
    comment = Comment.objects.get()
    assert answer.redirect_chain == [(f"/admin/issues/{issue.pk}/overview/#nl-comment-{comment.pk}", 302)]
    page = answer.content.decode()
    assert (
        f'href="/admin/issues/edit/{issue.pk}/#block-{block}-section">Lead story: The clinic opens its doors</a>'
        in page
    )
    assert "Is &lt;b&gt;this&lt;/b&gt; right?" in page
    assert "1 comment is open. Until it is resolved, the issue cannot be approved or sent." in page
    writer.post(f"{path}{comment.pk}/answer/", {"text": "It is."})
    assert "It is." in overview(issue, writer)
    assert "The comment is resolved." in list_messages(writer.post(f"{path}{comment.pk}/resolve/", follow=True))
    assert "1 resolved comment" in overview(issue, writer)
    assert "is open. Until" not in overview(issue, writer)
    writer.post(f"{path}{comment.pk}/reopen/")
    assert "is open. Until" in overview(issue, writer)
    logged = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert logged[-4:] == [f"newsletter.comment{step}" for step in ("", "", "_resolve", "_reopen")]


def test_home_names_the_open_comments_of_a_waiting_issue(issue: Issue, writer: Client) -> None:
    assert "comment is open" not in writer.get("/admin/").content.decode()
    writer.post(f"/admin/issues/{issue.pk}/comments/add/", {"block": "", "text": "Who checked this?"})
    assert "1 comment is open and must be resolved first." in writer.get("/admin/").content.decode()


def test_a_refused_comment_keeps_its_text_and_names_what_is_wrong(issue: Issue, writer: Client) -> None:
    path = f"/admin/issues/{issue.pk}/comments/add/"
    page = writer.post(path, {"text": "Ask @nobody about this", "block": issue.body[0].id}).content.decode()
    assert "Nobody who may open issues is called “nobody”" in page
    assert "Ask @nobody about this</textarea>" in page
    assert f'<option value="{issue.body[0].id}" selected>' in page
    assert not Comment.objects.exists()


def test_a_comment_names_a_block_that_is_not_there(issue: Issue, writer: Client) -> None:
    """The block may be deleted, or not saved yet. Then the form must not quietly be about the whole issue."""
    path = f"/admin/issues/{issue.pk}/comments/add/"
    problem = "The block of your comment was deleted or is not saved yet."
    for known in ("", f"?block={issue.body[0].id}"):
        assert problem not in writer.get(f"{path}{known}").content.decode()
    assert problem in writer.get(f"{path}?block=gone").content.decode()
    page = writer.post(path, {"text": "Is this right?", "block": "gone"}).content.decode()
    assert problem in page
    assert "Is this right?</textarea>" in page
    assert not Comment.objects.exists()


def test_the_person_chosen_is_notified(issue: Issue, writer: Client) -> None:
    bob = make_approver("bob@example.org")
    path = f"/admin/issues/{issue.pk}/comments/add/"
    writer.post(path, {"text": "Please look", "notify": bob.pk})
    notice = StaffNotice.objects.get()
    assert (notice.person, str(notice.subject)) == (bob, f"writer@example.org mentioned you in a comment on {issue}")
    assert "Please look" in notice.paragraphs
    stranger = User.objects.create(username="zoe@example.org")
    assert "Select a valid choice" in writer.post(path, {"text": "Look", "notify": stranger.pk}).content.decode()


def test_the_panel_beside_the_editor_lists_comments(issue: Issue, writer: Client) -> None:
    comment = add_comment(issue=issue, text="Is this right?", by=make_approver(), now=NOW)
    url = f"/admin/issues/edit/{issue.pk}/"
    page = writer.get(url).content.decode()
    assert 'data-side-panel="issue-comments"' in page
    assert "Is this right?" in page
    path = f"/admin/issues/{issue.pk}/comments/{comment.pk}/resolve/"
    assert writer.post(path, {"back": "editor"}).headers["Location"] == url


def test_an_autosave_leaves_a_comment_that_is_being_written(issue: Issue, writer: Client) -> None:
    story = issue.body[0].value["story"]
    form = {**issue_form(issue, story=story), "overwrite_revision_id": ""}
    answer = writer.post(f"/admin/issues/edit/{issue.pk}/", form, headers={"accept": "application/json"}).json()
    assert answer["success"]
    assert "issue-comments" not in answer["html"]


def test_a_comment_on_a_deleted_block_says_so(issue: Issue, writer: Client) -> None:
    add_comment(issue=issue, text="Shorter?", block=issue.body[0].id, by=make_approver(), now=NOW)
    issue.body = []
    issue.save()
    page = overview(issue, writer)
    assert "Lead story: The clinic opens its doors" in page
    assert "Block deleted" in page


def test_a_comment_of_another_issue_is_not_found(issue: Issue, writer: Client) -> None:
    comment = add_comment(issue=issue, text="Is this right?", by=make_approver(), now=NOW)
    assert writer.post(f"/admin/issues/{issue.pk + 1}/comments/{comment.pk}/resolve/").status_code == 404
    assert writer.get(f"/admin/issues/{issue.pk + 1}/comments/{comment.pk}/answer/").status_code == 404


def test_the_approve_button_waits_for_open_comments(issue: Issue) -> None:
    add_comment(issue=issue, text="Is this right?", by=make_approver(), now=NOW)
    approver = sign_in("approver", email="carol@example.org")
    assert '<button class="button" disabled>Approve this version</button>' in overview(issue, approver)


def test_a_comment_that_is_too_long_is_not_cut(issue: Issue, writer: Client) -> None:
    page = writer.post(f"/admin/issues/{issue.pk}/comments/add/", {"text": "a" * 5001}).content.decode()
    assert "a" * 5001 in page
    assert "maxlength" not in page
    assert not Comment.objects.exists()


def test_the_form_of_a_comment_knows_the_names_of_colleagues(issue: Issue, writer: Client) -> None:
    make_approver("ann@example.org")
    names = "[&quot;ann@example.org&quot;, &quot;writer@example.org&quot;]"
    assert f'data-nl-mentions-names-value="{names}"' in overview(issue, writer)
