"""Saved blocks and templates in the desk, and what “New issue” offers."""

import pytest
from django.test import Client

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.reuse.saved_blocks import save_block
from newsletter.issues.reuse.templates import save_template
from newsletter.models import Issue, IssueTemplate, Publication, SavedBlock, Story
from subscribers.models import Segment
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    return make_issue(publication)


@pytest.fixture
def writer() -> Client:
    return sign_in("writer")


def test_a_block_is_saved_listed_inserted_renamed_and_deleted(issue: Issue, writer: Client) -> None:
    path = f"/admin/issues/{issue.pk}"
    assert "No block is saved yet" in writer.get(f"{path}/blocks/insert/").content.decode()
    assert "A saved block is written once" in writer.get("/admin/issues/saved/").content.decode()
    answer = writer.post(f"{path}/blocks/save/", {"block": issue.body[0].id, "name": "Lead of March"}, follow=True)
    assert "The block is saved as “Lead of March”." in list_messages(answer)
    saved = SavedBlock.objects.get()
    page = writer.get("/admin/issues/saved/").content.decode()
    assert "Lead story: The clinic opens its doors" in page
    assert "saved by writer@example.org" in page
    mail = writer.get(f"/admin/issues/saved/block/{saved.pk}/mail/")
    assert "The clinic opens its doors" in mail.content.decode()
    assert "sandbox" in mail.headers["Content-Security-Policy"]
    first = issue.body[0].id
    writer.post(f"{path}/blocks/insert/", {"saved": saved.pk, "position": "start"})
    inserted, old = Issue.objects.get().body
    assert (inserted.block_type, old.block_type, old.id) == ("lead_story", "lead_story", first)
    writer.post(f"/admin/issues/saved/block/{saved.pk}/rename/", {"name": "The old lead"})
    assert "The old lead" in writer.get("/admin/issues/saved/").content.decode()
    writer.post(f"/admin/issues/saved/block/{saved.pk}/delete/")
    assert not SavedBlock.objects.exists()


def test_saving_a_block_from_the_editor_leads_back_to_the_block(issue: Issue, writer: Client) -> None:
    block = issue.body[0].id
    address = f"/admin/issues/{issue.pk}/blocks/save/?block={block}&back=editor"
    back = f"/admin/issues/edit/{issue.pk}/#block-{block}-section"
    assert f'href="{back}"' in writer.get(address).content.decode()
    answer = writer.post(address, {"block": block, "name": "Lead of March"})
    assert answer.headers["Location"] == back


def test_a_block_that_is_not_saved_yet_is_reported(issue: Issue, writer: Client) -> None:
    saved = issue.body[0].id
    address = f"/admin/issues/{issue.pk}/blocks/save/"
    for missing in ("6b0f9d64-3f3c-4a57-9d53-1d1b7f3f2a10", "gone"):
        answer = writer.get(address, {"block": missing, "back": "editor"})
        page = answer.content.decode()
        assert "it is not saved yet, or it was deleted" in page
        assert "Look again" in page
        assert '<option value="">Choose a block</option>' in page
        assert answer.context["form"]["block"].value() == missing
    for query in ({"block": saved, "back": "editor"}, {}):
        assert "not saved yet" not in writer.get(address, query).content.decode()
    assert f'<option value="{saved}" selected>' in writer.get(address, {"block": saved}).content.decode()


def test_no_block_is_saved_in_place_of_one_that_is_missing(issue: Issue, writer: Client) -> None:
    address = f"/admin/issues/{issue.pk}/blocks/save/?block=gone&back=editor"
    for sent, refusal in (("", "Choose a block."), ("gone", "The block was deleted or not saved yet.")):
        page = writer.post(address, {"block": sent, "name": "The minutes"}).content.decode()
        assert refusal in page
        assert "Look again" in page
        assert 'value="The minutes"' in page
    assert not SavedBlock.objects.exists()


def test_a_bookmark_of_the_earlier_address_opens_saved_content(issue: Issue, writer: Client) -> None:
    saved = save_block(issue=issue, block=issue.body[0].id, name="Lead of March", by=make_approver(), now=NOW)
    for earlier in ("/admin/saved/", f"/admin/saved/block/{saved.pk}/rename/"):
        answer = writer.get(earlier, follow=True)
        assert answer.redirect_chain == [(earlier.replace("/admin/", "/admin/issues/"), 302)]
        assert "Lead of March" in answer.content.decode()


def test_a_refused_name_stays_in_the_form(issue: Issue, writer: Client) -> None:
    save_template(issue=issue, name="Plain", by=make_approver(), now=NOW)
    page = writer.post(f"/admin/issues/{issue.pk}/template/", {"name": "Plain"}).content.decode()
    assert "“Plain” is there already" in page
    assert 'value="Plain"' in page


def test_an_issue_begins_with_a_template(issue: Issue, writer: Client) -> None:
    writer.post(f"/admin/issues/{issue.pk}/template/", {"name": "Plain"})
    template = IssueTemplate.objects.get()
    assert "Image of Plain" in writer.get("/admin/issues/saved/").content.decode()
    assert writer.get(f"/admin/issues/saved/template/{template.pk}/mail/").status_code == 200
    form = writer.get(f"/admin/issues/new/?template={template.pk}").context["form"]
    assert (form["beginning"].value(), form["template"].value()) == ("template", template.pk)
    fields = {"publication": issue.publication_id, "beginning": "template", "public_id": "b" * 24}
    assert "Choose the template." in writer.post("/admin/issues/new/", fields).content.decode()
    writer.post("/admin/issues/new/", {**fields, "template": template.pk})
    assert Issue.objects.filter(public_id="b" * 24, slot=None).exists()


def test_duplicate_opens_new_issue_with_the_copy_chosen(issue: Issue, writer: Client) -> None:
    url = f"/admin/issues/new/?copy={issue.pk}"
    for page in (f"/admin/issues/{issue.pk}/overview/", "/admin/issues/"):
        text = writer.get(page).content.decode()
        assert f'href="{url}"' in text
        assert "Duplicate" in text
    form = writer.get(url).context["form"]
    assert (form["beginning"].value(), form["original"].value()) == ("copy", issue.pk)


def test_new_issue_leaves_out_what_is_archived(issue: Issue, writer: Client) -> None:
    old = make_publication(slug="old", name="The old letter", archived=True, enabled=False)
    Segment.objects.create(slug="old", name="Old segment", rule={}, archived=True)
    Segment.objects.create(slug="new", name="New segment", rule={})
    page = writer.get("/admin/issues/new/")
    form = page.context["form"]
    assert form["publication"].value() == issue.publication_id
    text = page.content.decode()
    assert "New segment" in text
    assert "Old segment" not in text
    assert "The old letter" not in text
    fields = {"publication": old.pk, "beginning": "empty", "public_id": "b" * 24}
    assert "Select a valid choice" in writer.post("/admin/issues/new/", fields).content.decode()


def test_a_saved_block_of_a_story_that_is_gone_says_so_in_its_picture(issue: Issue, writer: Client) -> None:
    saved = save_block(issue=issue, block=issue.body[0].id, name="Lead", by=make_approver(), now=NOW)
    Story.objects.update(withdrawn_at=NOW)
    page = writer.get(f"/admin/issues/saved/block/{saved.pk}/mail/").content.decode()
    assert "may be withdrawn, deleted or over" in page
    Story.objects.update(withdrawn_at=None)
    page = writer.get(f"/admin/issues/saved/block/{saved.pk}/mail/").content.decode()
    assert "The clinic opens its doors" in page
    assert "may be withdrawn" not in page


def test_the_form_to_insert_does_not_open_for_an_approved_issue(issue: Issue) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    page = sign_in("editor").get(f"/admin/issues/{issue.pk}/blocks/insert/", follow=True)
    assert "is approved. Withdraw the approval in its editor first, then insert." in list_messages(page)[0]
    assert not page.request["PATH_INFO"].endswith("/blocks/insert/")
