"""Issues in the desk: editing, approving the version on the page, holding, and sealed issues."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from newsletter.desk.editor import check_panel
from newsletter.issues.approval.approve import approve_issue, find_current_approval
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.jobs.scheduler_jobs import assemble_due
from newsletter.models import Issue, Picture, Publication, Send, Story
from newsletter.sending.freezing.start import start_send
from tests.support.desk import audience_fields, issue_form, list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.page_html import compact_html

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
    assert "is approved. If you edit it, it will need approving again." in list_messages(response)[0]
    assert issue.approvals.get().person.username == "approver@example.org"


def test_a_writer_cannot_approve_and_reads_why(issue: Issue) -> None:
    client = sign_in("writer")
    assert "Approve this version" not in client.get(url(issue, "overview")).content.decode()
    response = approve(client, issue)
    assert fresh(issue).state == "draft"
    assert "may not approve" in list_messages(response)[0]
    assert not issue.approvals.exists()


def test_approving_another_version_than_seen_is_refused(issue: Issue) -> None:
    client = sign_in("approver")
    seen = hash_content(resolve_content(issue))
    edit(sign_in("writer"), issue, subject="Other words")
    response = approve(client, issue, sha256=seen)
    assert "edited after you opened it" in list_messages(response)[0]
    assert fresh(issue).state == "draft"


def test_approving_without_the_seen_hash_is_refused(issue: Issue) -> None:
    response = sign_in("approver").post(url(issue, "approve"), follow=True)
    assert "Approve the issue on its own page" in list_messages(response)[0]
    assert fresh(issue).state == "draft"


def test_reverting_an_approved_issue_in_its_history_changes_nothing(issue: Issue) -> None:
    client = sign_in("approver")
    edit(client, issue, subject="First words")
    first = fresh(issue).latest_revision
    edit(client, fresh(issue), subject="Second words")
    approve(client, issue)
    story = issue.placements.get().story
    page = f"/admin/issues/history/{issue.pk}/revisions/{first.pk}/revert/"
    client.post(page, issue_form(fresh(issue), story=story, subject="First words"))
    assert fresh(issue).subject == "Second words"
    assert fresh(issue).state == "approved"


def test_an_autosave_never_overwrites_an_approved_version(issue: Issue) -> None:
    client = sign_in("approver")
    first = autosave(client, issue, subject="Approved words").json()["revision_id"]
    approve_issue(issue=fresh(issue), by=make_approver("another@example.org"), now=timezone.now())
    client.post(url(issue, "withdraw-to-edit"))
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


def test_the_second_of_two_editors_is_stopped_without_loss(issue: Issue) -> None:
    loaded = fresh(issue).latest_revision
    known = {"loaded_revision_id": str(loaded.pk), "loaded_revision_created_at": loaded.created_at.isoformat()}
    edit(sign_in("writer"), issue, subject="The first one's words", **known)
    response = edit(sign_in("editor"), issue, subject="The second one's words", **known)
    assert fresh(issue).subject == "The first one's words"
    assert "The second one&#x27;s words" in response.content.decode()
    assert any("writer@example.org saved this issue" in message for message in list_messages(response))


def test_saving_after_ones_own_autosave_causes_no_conflict(issue: Issue) -> None:
    """The form is sent before the answer to its autosave arrived."""
    client = sign_in("writer")
    loaded = fresh(issue).latest_revision
    known = {"loaded_revision_id": str(loaded.pk), "loaded_revision_created_at": loaded.created_at.isoformat()}
    autosave(client, issue, subject="Half of the wor", **known)
    response = edit(client, issue, subject="All of the words", **known)
    assert fresh(issue).subject == "All of the words"
    assert not any("writer@example.org saved this issue" in message for message in list_messages(response))


def test_a_text_that_is_too_long_is_saved_whole_and_named(issue: Issue) -> None:
    client = sign_in("writer")
    assert autosave(client, issue, subject="a" * 400, headline="b" * 300).status_code == 200
    assert (fresh(issue).subject, fresh(issue).body[0].value["headline"]) == ("a" * 400, "b" * 300)
    Issue.objects.filter(pk=issue.pk).update(headline="c" * 201)
    page = client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "“Subject” has 400 characters; at most 300 are allowed. Shorten it." in page
    assert "“Headline” has 300 characters; at most 200 are allowed. Complete it" in page
    assert f'href="/admin/issues/edit/{issue.pk}/#panel-child-layout-child-headline-wrapper"' in page


def test_an_emoji_counts_as_one_character_of_a_subject(issue: Issue) -> None:
    client = sign_in("writer")
    families = "👨‍👩‍👧‍👦" * 300
    assert autosave(client, issue, subject=families, headline="b").status_code == 200
    assert "at most 300 are allowed" not in client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert autosave(client, issue, subject=families + "!", headline="b").status_code == 200
    page = client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "“Subject” has 301 characters; at most 300 are allowed. Shorten it." in page
    editor = client.get(f"/admin/issues/edit/{issue.pk}/").content.decode()
    assert "maxlength" not in editor.split('id="w-editor-form"')[1].split('data-side-panel="preview"')[0]


def test_no_save_waits_for_the_checks(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks render several versions: a save that made them would delay the preview of the next key."""
    monkeypatch.setattr(check_panel, "checks_context", None)
    assert autosave(sign_in("writer"), issue, subject="A new subject").status_code == 200
    assert fresh(issue).subject == "A new subject"


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
    assert "is on hold" in list_messages(response)[0]
    assert fresh(issue).held_reason.endswith(": The date is wrong.")
    assert "The date is wrong." in writer.get("/admin/").content.decode()
    assert "may not release" in list_messages(writer.post(url(issue, "release"), follow=True))[0]
    assert fresh(issue).held
    sign_in("approver").post(url(issue, "release"))
    assert not fresh(issue).held


def test_only_an_approver_can_withdraw_an_approval(issue: Issue) -> None:
    approver = sign_in("approver")
    approve(approver, issue)
    assert "may not withdraw approvals" in list_messages(sign_in("writer").post(url(issue, "withdraw"), follow=True))[0]
    assert fresh(issue).state == "approved"
    approver.post(url(issue, "withdraw"))
    assert fresh(issue).state == "draft"
    assert find_current_approval(fresh(issue)) is None


def test_a_sent_issue_cannot_be_held(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(state="sent")
    response = sign_in("approver").post(url(issue, "hold"), {"reason": "Oh."}, follow=True)
    assert "too late to hold" in list_messages(response)[0]


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
    assert "Block 1, Lead story, is unfinished: “Story” is empty" in page
    assert "Approve this version" not in page


def test_a_check_is_listed_once_with_its_stories(publication: Publication) -> None:
    picture = Picture.objects.create(file="ab/picture.jpg", sha256="ab", width=600, height=400)
    make_story("The clinic opens its doors", days_old=1, picture=picture)
    for number in range(1, 4):
        make_story(f"Story {number} of the week", days_old=number + 1, picture=picture)
    make_story("A story without a picture", days_old=1.5)
    add_subscribers(publication, 3)
    page = sign_in("writer").get(url(make_issue(publication), "overview")).content.decode()
    assert page.count("An image has no description") == 1
    places = page.split("An image has no description")[1].split("</li>")[0]
    story = Story.objects.get(title="Story 1 of the week")
    assert ">The lead story “The clinic opens its doors”</a>" in places
    assert f'<a href="/admin/stories/edit/{story.pk}/">The story “Story 1 of the week”</a>' in places
    assert places.count("<a href") == 4
    assert "without a picture" not in places


def test_the_page_names_the_state_of_an_issue_once(issue: Issue) -> None:
    client = sign_in("approver")

    def read_states() -> list[str]:
        page = compact_html(client.get(url(issue, "overview")).content.decode())
        return re.findall(r'class="nl-tag [^>]*>([^<]+)<', page) + re.findall('id="nl-decide"[^>]*>([^<]+)<', page)

    assert read_states() == ["Waiting for approval", "Approval"]
    client.post(url(issue, "hold"), {"reason": "The date is wrong."})
    assert read_states() == ["On hold", "Hold"]
    client.post(url(issue, "release"))
    approve(client, issue)
    assert read_states() == ["Approved", "Approval"]


@pytest.mark.parametrize(
    ("changes", "approval", "label", "code"),
    [
        ({}, "approve", "Waiting for approval", "waiting"),
        ({"slot": None, "due_at": None}, "approve", "Draft", "draft"),
        ({"slot": None, "due_at": None, "state": "in_review"}, "approve", "Waiting for approval", "waiting"),
        ({"slot": None}, "approve", "Waiting for approval", "waiting"),
        ({"state": "in_review"}, "approve", "Waiting for approval", "waiting"),
        ({"announced": True}, "auto", "Will send automatically", "automatic"),
        ({"held": True}, "approve", "On hold", "held"),
        ({"state": "approved"}, "approve", "Approved", "approved"),
        ({"state": "sent"}, "approve", "Sent", "sent"),
        ({"state": "cancelled"}, "approve", "Cancelled", "cancelled"),
    ],
)
def test_the_list_its_filter_and_the_page_name_one_state(
    issue: Issue, changes: dict[str, object], approval: str, label: str, code: str
) -> None:
    if changes.pop("announced", False):
        changes |= {"announced_people": 3, "announced_audience": hash_audience(describe_audience(issue))}
    Issue.objects.filter(pk=issue.pk).update(**changes)
    Publication.objects.update(approval=approval)
    client = sign_in("writer")
    shown = re.compile(r'class="nl-tag [^>]*>([^<]+)<')
    assert shown.findall(compact_html(client.get(url(issue, "overview")).content.decode()))[:1] == [label]
    assert shown.findall(compact_html(client.get("/admin/issues/").content.decode())) == [label]
    assert shown.findall(compact_html(client.get("/admin/issues/", {"state": code}).content.decode())) == [label]
    other = "approved" if code != "approved" else "waiting"
    assert not shown.findall(compact_html(client.get("/admin/issues/", {"state": other}).content.decode()))


def test_an_issue_made_by_staff_waits_again_once_its_approval_is_withdrawn(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(slot=None, due_at=None)
    client = sign_in("approver")
    approve(client, issue)
    assert fresh(issue).state == Issue.State.APPROVED
    client.post(url(issue, "withdraw"))
    assert "Waiting for approval" in client.get(url(issue, "overview")).content.decode()


def test_the_list_and_the_page_say_when_an_issue_was_sent(issue: Issue) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    with time_machine.travel(NOW, tick=False):
        send = start_send(issue=fresh(issue), now=NOW)
    Issue.objects.filter(pk=issue.pk).update(state="sent")
    Send.objects.filter(pk=send.pk).update(started_at=datetime(2026, 11, 27, 17, 31, tzinfo=UTC))
    client = sign_in("writer")
    for page in ("/admin/issues/", url(issue, "overview"), "/admin/search/?q=weekly"):
        text = " ".join(strip_tags(client.get(page).content.decode()).split())
        assert re.search(r"(Sent|Written to files),? Fri 27 Nov", text)
        assert "Sent Sent" not in text
        assert "Sent, Sent" not in text


def test_the_page_names_the_provider_as_people_write_it(issue: Issue) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = start_send(issue=fresh(issue), now=NOW)
    Send.objects.filter(pk=send.pk).update(provider="mailgun (news.example.org)")
    send.batches.update(state="accepted")
    assert "Sent through Mailgun (news.example.org)" in sign_in("writer").get(url(issue, "overview")).content.decode()


@pytest.mark.parametrize("provider", ["outbox", "mailgun (news.example.org)"])
def test_a_paused_send_that_nobody_got_is_not_called_sent(issue: Issue, provider: str) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = start_send(issue=fresh(issue), now=NOW)
    Send.objects.filter(pk=send.pk).update(provider=provider, state="paused", reason="a wrong date", started_at=NOW)
    page = " ".join(strip_tags(sign_in("writer").get(url(issue, "overview")).content.decode()).split())
    assert "Sent through" not in page
    assert "ritten to files: nobody got" not in page
    assert "1 version of this issue" in page
    says = (
        "Mails are written to files: nobody gets them"
        if provider == "outbox"
        else "Provider: Mailgun (news.example.org)"
    )
    assert f"{says}. Started " in page


@pytest.mark.parametrize(("state", "label"), [("paused", "Paused"), ("needs_attention", "Needs attention")])
@pytest.mark.parametrize("issue_state", ["approved", "sending"])
def test_the_tag_says_that_the_send_of_an_issue_has_stopped(
    issue: Issue, state: str, label: str, issue_state: str
) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = start_send(issue=fresh(issue), now=NOW)
    Send.objects.filter(pk=send.pk).update(state=state, reason="a wrong date")
    Issue.objects.filter(pk=issue.pk).update(state=issue_state)
    client = sign_in("writer")
    tag = f'<span class="nl-tag nl-tag--held">{label}</span>'
    for page in (url(issue, "overview"), "/admin/issues/", f"/admin/issues/?state={state}"):
        assert tag in compact_html(client.get(page).content.decode())
    assert f"{issue}, {label}" in strip_tags(client.get("/admin/search/?q=weekly").content.decode())
    assert tag not in compact_html(client.get(f"/admin/issues/?state={issue_state}").content.decode())


def test_the_list_shows_name_state_and_hold(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(held=True, held_reason="The date is wrong.")
    page = sign_in("writer").get("/admin/issues/").content.decode()
    assert "The weekly letter No. 1" in page
    assert "weekly/1" not in page
    assert "nl-tag--held" in page
    assert url(issue, "overview") in page


def test_no_page_is_filled_by_an_endless_subject(issue: Issue) -> None:
    client = sign_in("approver")
    edit(client, issue, subject="long" * 2_500, preheader="wide" * 2_500)
    for page in ("/admin/", "/admin/issues/", url(issue, "overview"), url(issue, "revisions"), "/admin/issues/new/"):
        shown = client.get(page).content.decode()
        assert "longlong" in shown or page == "/admin/issues/new/"
        assert "long" * 100 not in shown, page
        assert "wide" * 100 not in shown, page


def test_the_list_of_issues_has_all_times_in_the_same_zone(issue: Issue) -> None:
    Publication.objects.update(zone="America/Chicago")
    Issue.objects.update(
        made_at=datetime(2026, 3, 3, 2, 30, tzinfo=UTC), due_at=datetime(2026, 3, 5, 15, 0, tzinfo=UTC)
    )
    page = sign_in("writer").get("/admin/issues/").content.decode()
    assert "Thu 5 Mar, 09:00 (Chicago time)" in page
    assert "Mon 2 Mar, 20:30 (Chicago time)" in page
