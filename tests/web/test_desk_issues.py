"""Issues in the desk: editing, approving the version on the page, holding, and sealed issues."""

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.issues.approval.approve import approve_issue, find_current_approval
from newsletter.issues.snapshot.resolve import hash_content, resolve_content
from newsletter.jobs.scheduler_jobs import assemble_due
from newsletter.models import Issue, Picture, Publication
from tests.support.desk import audience_fields, issue_form, said, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    return make_issue(publication)


def url(issue: Issue, step: str) -> str:
    return f"/admin/issues/{issue.pk}/{step}/"


def edit(client: Client, issue: Issue, **fields: str) -> object:
    story = issue.placements.get().story
    return client.post(f"/admin/issues/edit/{issue.pk}/", issue_form(issue, story=story, **fields), follow=True)


def autosave(client: Client, issue: Issue, **fields: str) -> object:
    story = issue.placements.get().story
    return client.post(
        f"/admin/issues/edit/{issue.pk}/",
        issue_form(issue, story=story, **fields),
        headers={"accept": "application/json"},
    )


def approve(client: Client, issue: Issue, *, sha256: str = "") -> object:
    seen = sha256 or hash_content(resolve_content(Issue.objects.get(pk=issue.pk)))
    return client.post(url(issue, "approve"), {"sha256": seen, **audience_fields(issue)}, follow=True)


def fresh(issue: Issue) -> Issue:
    return Issue.objects.get(pk=issue.pk)


def test_the_overview_shows_recipients_content_and_reasons(issue: Issue) -> None:
    page = sign_in("writer").get(url(issue, "overview")).content.decode()
    assert "recipients now" in page
    assert "1 version of this issue" in page
    assert "The clinic opens its doors" in page
    assert "Waiting for approval" in page


def test_an_approver_approves_the_version_on_the_page(issue: Issue) -> None:
    response = approve(sign_in("approver"), issue)
    assert fresh(issue).state == "approved"
    assert "is approved. If you edit it, it will need approving again." in said(response)[0]
    assert issue.approvals.get().person.username == "approver@example.org"


def test_a_writer_cannot_approve_and_is_told_why(issue: Issue) -> None:
    client = sign_in("writer")
    assert "Approve this version" not in client.get(url(issue, "overview")).content.decode()
    response = approve(client, issue)
    assert fresh(issue).state == "draft"
    assert "may not approve" in said(response)[0]
    assert not issue.approvals.exists()


def test_approving_another_version_than_seen_is_refused(issue: Issue) -> None:
    client = sign_in("approver")
    seen = hash_content(resolve_content(issue))
    edit(sign_in("writer"), issue, subject="Other words")
    response = approve(client, issue, sha256=seen)
    assert "edited after you opened it" in said(response)[0]
    assert fresh(issue).state == "draft"


def test_approving_without_the_seen_hash_is_refused(issue: Issue) -> None:
    response = sign_in("approver").post(url(issue, "approve"), follow=True)
    assert "Approve the issue on its own page" in said(response)[0]
    assert fresh(issue).state == "draft"


def test_an_edit_after_approval_withdraws_it_and_says_so(issue: Issue) -> None:
    client = sign_in("approver")
    edit(client, issue)
    approve(client, issue)
    response = edit(client, fresh(issue), headline="A better headline")
    assert fresh(issue).state == "draft"
    assert not issue.approvals.filter(withdrawn_at__isnull=True).exists()
    assert any("approve it again" in message for message in said(response))


def test_an_autosave_after_approval_withdraws_it_too(issue: Issue) -> None:
    client = sign_in("approver")
    edit(client, issue)
    approve(client, issue)
    response = autosave(client, fresh(issue), headline="A better headline")
    assert response.status_code == 200
    assert fresh(issue).state == "draft"


def test_saving_without_a_change_keeps_the_approval(issue: Issue) -> None:
    client = sign_in("approver")
    edit(client, issue)
    approve(client, issue)
    edit(client, fresh(issue))
    assert fresh(issue).state == "approved"


def test_reverting_to_an_older_version_withdraws_the_approval(issue: Issue) -> None:
    client = sign_in("approver")
    edit(client, issue, subject="First words")
    first = fresh(issue).latest_revision
    edit(client, fresh(issue), subject="Second words")
    approve(client, issue)
    story = issue.placements.get().story
    page = f"/admin/issues/history/{issue.pk}/revisions/{first.pk}/revert/"
    client.post(page, issue_form(fresh(issue), story=story, subject="First words"))
    assert fresh(issue).subject == "First words"
    assert fresh(issue).state == "draft"


def test_an_autosave_never_overwrites_an_approved_version(issue: Issue) -> None:
    client = sign_in("approver")
    first = autosave(client, issue, subject="Approved words").json()["revision_id"]
    approve_issue(issue=fresh(issue), by=make_approver("another@example.org"), now=timezone.now())
    second = autosave(client, fresh(issue), subject="Later words", overwrite_revision_id=str(first)).json()[
        "revision_id"
    ]
    assert second != first
    assert issue.revisions.get(pk=first).content["subject"] == "Approved words"


def test_an_autosave_overwrites_its_own_version(issue: Issue) -> None:
    client = sign_in("writer")
    first = autosave(client, issue, subject="One").json()["revision_id"]
    assert (
        autosave(client, fresh(issue), subject="Two", overwrite_revision_id=str(first)).json()["revision_id"] == first
    )


def test_editing_a_story_withdraws_its_issues_approval(issue: Issue) -> None:
    client = sign_in("approver")
    approve(client, issue)
    story = issue.placements.get().story
    fields = {"title": "A new headline", "teaser": story.teaser, "url": story.url, "language": "en", "picture_alt": ""}
    response = client.post(f"/admin/stories/edit/{story.pk}/", {**fields, "pseudonyms": "", "author": ""}, follow=True)
    assert fresh(issue).state == "draft"
    assert any("approve it again" in message for message in said(response))


def test_the_second_of_two_editors_is_stopped_without_loss(issue: Issue) -> None:
    loaded = fresh(issue).latest_revision
    known = {"loaded_revision_id": str(loaded.pk), "loaded_revision_created_at": loaded.created_at.isoformat()}
    edit(sign_in("writer"), issue, subject="The first one's words", **known)
    response = edit(sign_in("editor"), issue, subject="The second one's words", **known)
    assert fresh(issue).subject == "The first one's words"
    assert "The second one&#x27;s words" in response.content.decode()
    assert any("Somebody else saved" in message for message in said(response))


def test_saving_after_ones_own_autosave_is_no_conflict(issue: Issue) -> None:
    """The form is sent before the answer to its autosave arrived."""
    client = sign_in("writer")
    loaded = fresh(issue).latest_revision
    known = {"loaded_revision_id": str(loaded.pk), "loaded_revision_created_at": loaded.created_at.isoformat()}
    autosave(client, issue, subject="Half of the wor", **known)
    response = edit(client, issue, subject="All of the words", **known)
    assert fresh(issue).subject == "All of the words"
    assert not any("Somebody else saved" in message for message in said(response))


@pytest.mark.parametrize("state", ["sending", "sent", "cancelled"])
def test_a_sending_or_sent_issue_cannot_be_edited(issue: Issue, state: str) -> None:
    Issue.objects.filter(pk=issue.pk).update(state=state)
    client = sign_in("approver")
    before = fresh(issue).subject
    edit(client, fresh(issue), subject="Too late")
    assert autosave(client, fresh(issue), subject="Too late").status_code == 400
    client.post(
        f"/admin/issues/history/{issue.pk}/revisions/{fresh(issue).latest_revision_id}/revert/",
        issue_form(fresh(issue), story=issue.placements.get().story, subject="Too late"),
    )
    assert fresh(issue).subject == before
    assert client.get(f"/admin/issues/edit/{issue.pk}/").status_code == 200
    assert client.get(f"/admin/issues/preview/{issue.pk}/").status_code == 200


def test_the_editor_cannot_write_the_state(issue: Issue) -> None:
    edit(sign_in("admin"), issue, state="sent", held="on", number="99")
    assert (fresh(issue).state, fresh(issue).held, fresh(issue).number) == ("draft", False, 1)


def test_a_writer_holds_an_issue_and_only_an_approver_releases_it(issue: Issue) -> None:
    writer = sign_in("writer")
    response = writer.post(url(issue, "hold"), {"reason": "The date is wrong."}, follow=True)
    assert "is on hold" in said(response)[0]
    assert fresh(issue).held_reason == "The date is wrong."
    assert "The date is wrong." in writer.get("/admin/").content.decode()
    assert "may not release" in said(writer.post(url(issue, "release"), follow=True))[0]
    assert fresh(issue).held
    sign_in("approver").post(url(issue, "release"))
    assert not fresh(issue).held


def test_only_an_approver_can_withdraw_an_approval(issue: Issue) -> None:
    approver = sign_in("approver")
    approve(approver, issue)
    assert "may not withdraw approvals" in said(sign_in("writer").post(url(issue, "withdraw"), follow=True))[0]
    assert fresh(issue).state == "approved"
    approver.post(url(issue, "withdraw"))
    assert fresh(issue).state == "draft"
    assert find_current_approval(fresh(issue)) is None


def test_a_sent_issue_cannot_be_held(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(state="sent")
    response = sign_in("approver").post(url(issue, "hold"), {"reason": "Oh."}, follow=True)
    assert "too late to hold" in said(response)[0]


def test_people_without_access_to_issues_decide_nothing(issue: Issue) -> None:
    client = sign_in("data")
    assert client.get(url(issue, "overview")).status_code == 302
    assert client.get(url(issue, "mail/mail.0.none")).status_code == 302
    client.post(url(issue, "hold"), {"reason": "Mischief."})
    assert not fresh(issue).held


def test_following_a_link_never_changes_anything(issue: Issue) -> None:
    for step in ("approve", "withdraw", "hold", "release"):
        assert sign_in("approver").get(url(issue, step)).status_code == 405


def test_the_history_begins_with_the_assembly(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    with time_machine.travel(NOW, tick=False):
        (assembly,) = assemble_due(now=NOW)
        page = sign_in("writer").get(f"/admin/issues/history/{assembly.issue.pk}/").content.decode()
    assert "Assembled automatically" in page


def test_the_history_lists_decisions(issue: Issue) -> None:
    client = sign_in("approver")
    approve(client, issue)
    assert "Approved" in client.get(f"/admin/issues/history/{issue.pk}/").content.decode()


def test_nobody_adds_deletes_or_copies_an_issue_by_hand(issue: Issue) -> None:
    client = sign_in("admin")
    assert client.get("/admin/issues/add/").status_code == 302
    client.post(f"/admin/issues/delete/{issue.pk}/")
    client.post(f"/admin/bulk/newsletter/issue/delete/?id={issue.pk}")
    assert Issue.objects.filter(pk=issue.pk).exists()


def test_an_incomplete_body_cannot_be_approved_and_says_why(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(body='[{"type": "lead_story", "id": "a", "value": {"story": null}}]')
    client = sign_in("approver")
    page = client.get(url(issue, "overview")).content.decode()
    assert "the lead story, has no story yet" in page
    assert "Approve this version" not in page


def test_a_check_is_listed_once_with_its_stories(publication: Publication) -> None:
    picture = Picture.objects.create(file="ab/picture.jpg", sha256="ab", width=600, height=400)
    make_story("The clinic opens its doors", days_old=1, picture=picture)
    for number in range(1, 4):
        make_story(f"Story {number} of the week", days_old=number + 1, picture=picture)
    make_story("A story without a picture", days_old=1.5)
    add_subscribers(publication, 3)
    page = sign_in("writer").get(url(make_issue(publication), "overview")).content.decode()
    assert page.count("A picture has no description") == 1
    named = page.split("Review</strong>")[1].split(": A picture has")[0].replace("\n", " ")
    assert "In the lead story “The clinic opens its doors”, the story “Story 1 of the week”" in named
    assert named.endswith("and 1 more")
    assert "without a picture" not in named


def test_the_list_shows_reference_state_and_hold(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(held=True, held_reason="The date is wrong.")
    page = sign_in("writer").get("/admin/issues/").content.decode()
    assert "weekly/1" in page
    assert "nl-tag--held" in page
    assert url(issue, "overview") in page
