"""“Ask for approval” on an issue's page: those who may approve get a mail with the link that decides."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.issues.approval import request_approval as request_module
from newsletter.issues.approval.approve import approve_issue, withdraw_approvals
from newsletter.issues.approval.decision_links import LIFETIME, make_decision_url
from newsletter.issues.approval.request_approval import request_approval
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, Publication, StaffNotice
from tests.support.desk import list_messages, sign_in, sign_in_as
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db
BUTTON = "Ask for approval"


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    return make_issue(publication)


def ask(client: Client, issue: Issue) -> str:
    return " ".join(list_messages(client.post(f"/admin/issues/{issue.pk}/ask/", follow=True)))


def test_each_approver_gets_the_link_that_decides(issue: Issue) -> None:
    approver = make_approver("approver@example.org")
    message = ask(sign_in("editor"), issue)
    assert message == "1 person who may approve it gets a mail with a link within minutes."
    notice = StaffNotice.objects.get(key__startswith=f"asked-{issue.pk}-")
    assert (notice.person, notice.sent_at) == (approver, None)
    assert f"/admin/decide/{issue.public_id}." in notice.link
    issue.refresh_from_db()
    assert issue.state == Issue.State.IN_REVIEW


def test_the_same_version_is_asked_about_once(issue: Issue) -> None:
    make_approver("approver@example.org")
    editor = sign_in("editor")
    ask(editor, issue)
    assert "were asked about this version before" in ask(editor, issue)
    assert StaffNotice.objects.filter(key__startswith=f"asked-{issue.pk}-").count() == 1


def test_nobody_is_asked_if_nobody_else_may_approve(issue: Issue) -> None:
    message = ask(sign_in("admin"), issue)
    assert "Nobody else may approve this issue, so nobody was asked." in message
    issue.refresh_from_db()
    assert issue.state == Issue.State.DRAFT


def test_an_author_is_asked_only_if_their_approval_counts(issue: Issue, publication: Publication) -> None:
    author, other = make_approver("author@example.org"), make_approver("other@example.org")
    issue.save_revision(user=author)
    message = ask(sign_in("editor"), issue)
    assert message == "1 person who may approve it gets a mail with a link within minutes."
    assert StaffNotice.objects.get(key__startswith=f"asked-{issue.pk}-").person == other
    StaffNotice.objects.all().delete()
    Publication.objects.update(another_approves=False)
    ask(sign_in("editor"), Issue.objects.get(pk=issue.pk))
    assert {notice.person for notice in StaffNotice.objects.filter(key__startswith="asked-")} == {author, other}


def test_the_button_is_there_for_those_who_cannot_approve_alone(issue: Issue) -> None:
    address = f"/admin/issues/{issue.pk}/overview/"
    assert BUTTON in sign_in("editor").get(address).content.decode()
    assert BUTTON not in sign_in("approver").get(address).content.decode()
    approve_issue(issue=issue, by=make_approver("second@example.org"), now=NOW)
    assert BUTTON not in sign_in("editor", email="other@example.org").get(address).content.decode()


def test_the_page_says_that_approval_of_this_version_was_asked_for(issue: Issue) -> None:
    make_approver("approver@example.org")
    editor, address = sign_in("editor"), f"/admin/issues/{issue.pk}/overview/"
    ask(editor, issue)
    page = editor.get(address).content.decode()
    assert "Approval of this version was asked for on" in page
    assert BUTTON not in page
    Issue.objects.filter(pk=issue.pk).update(subject="Another subject")
    page = editor.get(address).content.decode()
    assert "was asked for on" not in page
    assert BUTTON in page


def test_an_approver_who_came_later_can_be_asked(issue: Issue) -> None:
    make_approver("approver@example.org")
    editor, address = sign_in("editor"), f"/admin/issues/{issue.pk}/overview/"
    ask(editor, issue)
    make_approver("later@example.org")
    page = editor.get(address).content.decode()
    assert "Approval of this version was asked for on" in page
    assert "1 person who may approve it has not been asked yet." in page
    assert BUTTON in page
    assert ask(editor, issue) == "1 person who may approve it gets a mail with a link within minutes."
    assert StaffNotice.objects.filter(key__startswith=f"asked-{issue.pk}-").count() == 2
    page = editor.get(address).content.decode()
    assert "not been asked yet" not in page
    assert BUTTON not in page


def test_an_approver_whose_link_has_expired_can_be_asked_again(issue: Issue) -> None:
    approver = make_approver("approver@example.org")
    editor, address = sign_in("editor"), f"/admin/issues/{issue.pk}/overview/"
    ask(editor, issue)
    asked_at = timezone.now()
    old = StaffNotice.objects.get()
    StaffNotice.objects.update(sent_at=asked_at, read_at=asked_at)
    person = User.objects.get(username="editor@example.org")
    with time_machine.travel(asked_at + LIFETIME - timedelta(minutes=1), tick=False):
        editor = sign_in_as(person)
        assert BUTTON not in editor.get(address).content.decode()
        assert "their links still work" in ask(editor, issue)
    with time_machine.travel(asked_at + LIFETIME + timedelta(minutes=1), tick=False):
        editor = sign_in_as(person)
        page = editor.get(address).content.decode()
        assert "The link that 1 person got has expired. Ask again to send a new one." in page
        assert "not been asked yet" not in page
        assert BUTTON in page
        assert ask(editor, issue) == "1 person who may approve it gets a mail with a link within minutes."
        new = StaffNotice.objects.get()
        assert (new.person, new.sent_at, new.read_at) == (approver, None, None)
        assert new.link != old.link
        page = editor.get(address).content.decode()
        assert "has expired" not in page
        assert BUTTON not in page


def test_a_link_that_has_expired_leads_to_the_page_that_decides(issue: Issue) -> None:
    approver = sign_in("approver")
    person = User.objects.get(username="approver@example.org")
    sha256 = hash_content(resolve_content(issue))
    then = timezone.now() - LIFETIME - timedelta(minutes=1)
    link = make_decision_url(issue=issue.public_id, sha256=sha256, person=person.pk, now=then)
    answer = approver.get(urlsplit(link).path, follow=True)
    assert answer.redirect_chain == [(f"/admin/issues/{issue.pk}/overview/", 302)]
    (message,) = list_messages(answer)
    assert "This link has expired after 14 days." in message
    assert "You can read and decide on this page." in message
    assert f"/admin/issues/{issue.pk}/approve/" in answer.content.decode()


def test_somebody_who_approved_already_is_not_asked_for_it(issue: Issue) -> None:
    """Two people must approve. One of them did so without a mail."""
    Publication.objects.update(second_approval_above=2)
    make_approver("approver@example.org")
    editor, address = sign_in("editor"), f"/admin/issues/{issue.pk}/overview/"
    ask(editor, issue)
    later = make_approver("later@example.org")
    issue.refresh_from_db()
    approve_issue(issue=issue, by=later, now=timezone.now())
    page = editor.get(address).content.decode()
    assert "not been asked yet" not in page
    assert BUTTON not in page
    assert "were asked about this version before" in ask(editor, issue)
    assert not StaffNotice.objects.filter(person=later).exists()


def test_an_approver_whose_approval_was_outgrown_is_asked_again(issue: Issue, publication: Publication) -> None:
    Publication.objects.update(second_approval_above=2)
    first, second = make_approver("first@example.org"), make_approver("second@example.org")
    editor, address = sign_in("editor"), f"/admin/issues/{issue.pk}/overview/"
    ask(editor, issue)
    approve_issue(issue=issue, by=first, now=timezone.now())
    assert "no longer count" not in editor.get(address).content.decode()
    add_subscribers(publication, 40, start=100)
    issue.refresh_from_db()
    approve_issue(issue=issue, by=second, now=timezone.now())
    issue.refresh_from_db()
    assert issue.state == Issue.State.IN_REVIEW
    page = editor.get(address).content.decode()
    assert "Approved by second@example.org" in page
    assert "Approved by first@example.org" not in page
    assert (
        "The approval by first@example.org no longer counts, because the number of recipients grew from 3 to 43."
        in page
    )
    assert "The approval of 1 person no longer counts. Ask again to send a new link." in page
    assert "not been asked yet" not in page
    assert BUTTON in page
    old = StaffNotice.objects.get(person=first, key__startswith="asked-")
    assert ask(editor, issue) == "1 person who may approve it gets a mail with a link within minutes."
    assert StaffNotice.objects.get(person=first, key__startswith="asked-").pk != old.pk
    page = editor.get(address).content.decode()
    assert "Ask again to send" not in page
    assert BUTTON not in page
    assert "were asked about this version before" in ask(editor, issue)


def test_an_approver_whose_approval_was_withdrawn_is_asked_again(issue: Issue) -> None:
    first = make_approver("first@example.org")
    make_approver("second@example.org")
    editor = sign_in("editor")
    ask(editor, issue)
    approve_issue(issue=issue, by=first, now=timezone.now())
    withdraw_approvals(issue=issue, now=timezone.now())
    assert ask(editor, issue) == "1 person who may approve it gets a mail with a link within minutes."
    assert "were asked about this version before" in ask(editor, issue)


def test_asking_counts_the_audience_only_if_an_approval_depends_on_it(
    issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    Publication.objects.update(second_approval_above=2)
    counted: list[Issue] = []

    def count(issue: Issue) -> int:
        counted.append(issue)
        return 3

    monkeypatch.setattr(request_module, "count_recipients", count)
    approver = make_approver("approver@example.org")
    make_approver("second@example.org")
    request_approval(issue=issue, asked_by="Somebody", now=timezone.now())
    assert counted == []
    approve_issue(issue=issue, by=approver, now=timezone.now())
    request_approval(issue=issue, asked_by="Somebody", now=timezone.now())
    assert counted == [issue]


def test_the_page_counts_only_people_who_would_be_asked(issue: Issue) -> None:
    make_approver("approver@example.org")
    author = make_approver("author@example.org")
    issue.save_revision(user=author)
    editor, address = sign_in("editor"), f"/admin/issues/{issue.pk}/overview/"
    ask(editor, issue)
    User.objects.filter(pk=make_approver("later@example.org").pk).update(email="")
    assert BUTTON not in editor.get(address).content.decode()
    Publication.objects.update(another_approves=False)
    assert "1 person who may approve it has not been asked yet." in editor.get(address).content.decode()


def test_the_button_is_there_if_nobody_who_was_asked_may_approve(issue: Issue) -> None:
    approver = make_approver("approver@example.org")
    editor, address = sign_in("editor"), f"/admin/issues/{issue.pk}/overview/"
    ask(editor, issue)
    User.objects.filter(pk=approver.pk).update(is_active=False)
    page = editor.get(address).content.decode()
    assert "was asked for on" in page
    assert BUTTON in page
    assert "Nobody else may approve this issue, so nobody was asked." in ask(editor, issue)


def test_a_welcome_says_that_its_approval_was_asked_for(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    make_approver("approver@example.org")
    editor = sign_in("editor")
    editor.post(reverse("newsletter_welcome_set_up", args=[publication.pk]))
    welcome = Issue.objects.get(kind="welcome", number=1)
    assert "1 person who may approve it gets a mail with a link within minutes." in ask(editor, welcome)
    page = editor.get(f"/admin/issues/{welcome.pk}/overview/").content.decode()
    assert "was asked for on" in page
    assert BUTTON not in page
    make_story("The school has a new roof", external_id="roof")
    assert "were asked about this version before" in ask(editor, welcome)


def test_the_link_to_a_welcome_ignores_what_a_rule_fills_in(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    approver = sign_in("approver")
    editor = sign_in("editor")
    editor.post(reverse("newsletter_welcome_set_up", args=[publication.pk]))
    welcome = Issue.objects.get(kind="welcome", number=1)
    ask(editor, welcome)
    path = urlsplit(StaffNotice.objects.get(key__startswith="asked-").link).path
    changed = "The issue has changed since the notification was sent."
    assert changed not in approver.get(path).content.decode()
    make_story("The school has a new roof", external_id="roof")
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        approver = sign_in_as(User.objects.get(username="approver@example.org"))
        assert changed not in approver.get(path).content.decode()
        Issue.objects.filter(pk=welcome.pk).update(subject="Another subject")
        assert changed in approver.get(path).content.decode()


def test_an_issue_that_is_sent_automatically_has_no_such_button(issue: Issue) -> None:
    Publication.objects.update(approval="auto")
    make_approver("approver@example.org")
    editor = sign_in("editor")
    assert BUTTON not in editor.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "It needs no approval." in ask(editor, issue)
