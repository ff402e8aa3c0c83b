"""Approving in the desk: two people, the page behind the mail's link, and edits that void an approval."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, Publication, Story
from tests.support.desk import issue_form, list_messages, sign_in, story_fields
from tests.support.desk_forms import save
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return make_story("The clinic opens its doors")


@pytest.fixture
def issue(publication: Publication, story: Story) -> Issue:
    add_subscribers(publication, 3)
    return make_issue(publication)


def person(email: str) -> User:
    return User.objects.get(username=email)


def link_of(issue: Issue, email: str) -> str:
    now = resolve_content(Issue.objects.get(pk=issue.pk))
    url = make_decision_url(
        issue=issue.public_id, sha256=hash_content(now), person=person(email).pk, now=timezone.now()
    )
    return "/admin/" + url.partition("/admin/")[2]


def approve(issue: Issue, client: Client) -> list[str]:
    page = client.get(f"/admin/issues/{issue.pk}/overview/")
    fields = {
        "sha256": page.context["sha256"],
        "audience": page.context["audience_sha256"],
        "people": page.context["approval_people"],
        "looked": "yes",
        "warning": [one.name for one in page.context["unacknowledged"]],
    }
    return list_messages(client.post(f"/admin/issues/{issue.pk}/approve/", fields, follow=True))


def edit(issue: Issue, client: Client, *, story: Story, **fields: str) -> object:
    return client.post(f"/admin/issues/edit/{issue.pk}/", issue_form(issue, story=story, **fields))


@pytest.mark.requirement("G7")
def test_an_author_reads_why_they_cannot_approve(issue: Issue, story: Story) -> None:
    Publication.objects.update(another_approves=True)
    writer, other = sign_in("admin", email="ann@example.org"), sign_in("approver", email="bob@example.org")
    edit(issue, writer, story=story, subject="A better subject")
    page = writer.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "You wrote or edited part of this issue, so somebody else must approve it." in page
    assert "Approve this version" not in page
    assert "wrote or edited" in approve(issue, writer)[0]
    assert "No. 1 is approved." in approve(issue, other)[0]


def test_the_page_asks_for_the_second_approval(issue: Issue) -> None:
    Publication.objects.update(second_approval_above=2)
    ann, bob = sign_in("approver", email="ann@example.org"), sign_in("approver", email="bob@example.org")
    assert "A second person must approve it" in approve(issue, ann)[0]
    page = ann.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "Waiting for approval" in page
    assert "You approved it. A second person must approve it too." in page
    assert "Approved by ann@example.org" in bob.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "No. 1 is approved." in approve(issue, bob)[0]


def test_the_publication_says_which_issues_its_new_rules_affect(issue: Issue) -> None:
    approve(issue, sign_in("approver", email="ann@example.org"))
    address, client = f"/admin/publications/edit/{issue.publication_id}/", sign_in("admin")
    page = save(client, address, second_approval_above="2")
    assert "was approved, which is not enough by the new rules. It waits for approval again." in page
    assert Issue.objects.get().state == Issue.State.IN_REVIEW
    page = save(client, address, second_approval_above="")
    assert "has enough approvals by the new rules, so it is approved." in page
    assert Issue.objects.get().state == Issue.State.APPROVED
    assert "by the new rules" not in save(client, address, radius_km="60")


def test_an_edit_voids_a_first_approval_at_once(issue: Issue, story: Story) -> None:
    """Both approvals must be for the same content."""
    Publication.objects.update(second_approval_above=2)
    approve(issue, sign_in("approver", email="ann@example.org"))
    assert Issue.objects.get().state == Issue.State.IN_REVIEW
    fields = story_fields(story, title="Another title", withdraw=str(issue.pk))
    page = sign_in("writer").post(f"/admin/stories/edit/{story.pk}/", fields, follow=True).content.decode()
    assert "It is a draft again" in page
    assert Issue.objects.get().state == Issue.State.DRAFT
    assert not issue.approvals.filter(withdrawn_at__isnull=True).exists()


@pytest.mark.requirement("G3")
def test_following_the_mails_link_changes_nothing(issue: Issue) -> None:
    """A scanner that follows the link approves nothing."""
    client = sign_in("approver", email="ann@example.org")
    link = link_of(issue, "ann@example.org")
    assert Client().get(link).headers["Location"].startswith("/accounts/login/")
    before = list(Issue.objects.values())
    response = client.get(link)
    page = response.content.decode()
    assert "Approve this version" in page
    assert "Put on hold" in page
    assert "It is no longer what it was" not in page
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert client.post(link).status_code == 405
    assert list(Issue.objects.values()) == before


def test_the_mails_link_says_if_the_issue_changed(issue: Issue, story: Story) -> None:
    client = sign_in("approver", email="ann@example.org")
    link = link_of(issue, "ann@example.org")
    edit(issue, sign_in("writer"), story=story, subject="Something else")
    assert "The issue has changed since the notification was sent." in client.get(link).content.decode()


@pytest.mark.requirement("K2")
def test_the_mails_link_works_for_one_person_only(issue: Issue) -> None:
    sign_in("approver", email="ann@example.org")
    link = link_of(issue, "ann@example.org")
    assert "made for another member of staff" in list_messages(sign_in("admin").get(link, follow=True))[0]


def test_the_mails_link_to_a_sent_issue_offers_no_decision(issue: Issue) -> None:
    client = sign_in("approver", email="ann@example.org")
    Issue.objects.update(state="sent")
    assert "There is nothing to decide." in client.get(link_of(issue, "ann@example.org")).content.decode()


def person_with_right() -> User:
    sign_in("approver", email="carol@example.org")
    return person("carol@example.org")


def test_the_approval_of_an_issue_in_sending_stays(issue: Issue) -> None:
    client = sign_in("approver", email="ann@example.org")
    approve_issue(issue=issue, by=person_with_right(), now=NOW)
    Issue.objects.update(state="sending")
    assert (
        "has no approval to withdraw"
        in list_messages(client.post(f"/admin/issues/{issue.pk}/withdraw/", follow=True))[0]
    )
    assert issue.approvals.filter(withdrawn_at__isnull=True).exists()
    Issue.objects.update(state="approved")
    assert "is no longer approved" in list_messages(client.post(f"/admin/issues/{issue.pk}/withdraw/", follow=True))[0]
    assert Issue.objects.get().state == "draft"


def test_an_issue_that_nobody_would_get_says_so_before_approval(publication: Publication) -> None:
    make_story("The first verdict")
    issue = make_issue(publication)
    client = sign_in("approver")
    assert "This issue has 0 recipients" in client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    add_subscribers(publication, 1)
    assert "This issue has 0 recipients" not in client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()


def test_the_limits_of_the_report_are_shown_before_approval(issue: Issue) -> None:
    client, page = sign_in("admin"), f"/admin/issues/{issue.pk}/overview/"
    assert "Clicks are not counted." in client.get(page).content.decode()
    Publication.objects.update(clicks="counts")
    assert "Clicks are not counted." not in client.get(page).content.decode()


def test_the_page_says_when_an_approved_issue_is_sent(issue: Issue) -> None:
    client, page, now = sign_in("approver"), f"/admin/issues/{issue.pk}/overview/", timezone.now()
    Issue.objects.update(due_at=now + timedelta(seconds=50))
    assert "Once approved, it is sent at its time, in less than a minute." in client.get(page).content.decode()
    Issue.objects.update(due_at=now - timedelta(seconds=10))
    assert "Its time has passed, so it is sent as soon as it is approved." in client.get(page).content.decode()
    approve(issue, client)
    assert "Its time has passed, so it is sent within minutes." in client.get(page).content.decode()
