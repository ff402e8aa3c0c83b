"""A step of staff and its entry in the staff log are one transaction: without the entry, nothing is changed."""

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from newsletter.common.errors import InvariantViolated
from newsletter.issues.protected_terms.terms import add_terms
from newsletter.models import ApiKey, Approval, AuditEntry, Issue, ProtectedTerm, Send, Story
from newsletter.sending.freezing.start import start_send
from newsletter.sending.withdraw_story import withdraw_story
from subscribers.models import WebhookEndpoint
from tests.support.desk import audience_fields, list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    """Return a browser of an administrator, whose next steps cannot be logged: the place after the newest entry is taken."""
    client = sign_in("admin")
    newest = AuditEntry.objects.latest("pk")
    last = add_entry(newest.pk + 2, previous=newest.sha256)
    add_entry(newest.pk + 1, previous=last.sha256)
    return client


def add_entry(pk: int, *, previous: str) -> AuditEntry:
    user = User.objects.get()
    content_type = ContentType.objects.get_for_model(user)
    return AuditEntry.objects.create(
        pk=pk,
        content_type=content_type,
        object_id=str(user.pk),
        label="an edit",
        action="wagtail.edit",
        timestamp=NOW,
        user=user,
        previous=previous,
    )


def check_refused(answer: HttpResponse, *, logged: int) -> None:
    assert "The staff log could not be written" in " ".join(list_messages(answer))
    assert AuditEntry.objects.count() == logged


def test_a_story_is_not_withdrawn_without_an_entry(client: Client) -> None:
    story, logged = make_story("The clinic opens"), AuditEntry.objects.count()
    page = reverse("newsletter_story_withdraw", args=[story.pk])
    check_refused(client.post(page, {"reason": "wrong"}, follow=True), logged=logged)
    assert not Story.objects.filter(withdrawn_at__isnull=False).exists()


def test_a_story_is_not_reinstated_without_an_entry(client: Client) -> None:
    story = make_story("The clinic opens")
    withdraw_story(story=story, by=User.objects.create_superuser("root"), reason="wrong", now=NOW)
    logged = AuditEntry.objects.count()
    page = reverse("newsletter_story_withdraw", args=[story.pk])
    check_refused(client.post(page, {"reinstate": "1"}, follow=True), logged=logged)
    assert Story.objects.get().withdrawn_reason == "wrong"


def test_no_term_is_added_without_an_entry(client: Client) -> None:
    answer = client.post(reverse("newsletter_protected_terms"), {"terms": "Marisol Quintanilla", "note": ""})
    assert "The staff log could not be written" in answer.content.decode()
    assert not ProtectedTerm.objects.exists()


def test_no_term_is_removed_without_an_entry(client: Client) -> None:
    add_terms(lines="Marisol Quintanilla", note="", by=User.objects.create_superuser("root"), now=NOW)
    with pytest.raises(InvariantViolated):
        client.post(reverse("newsletter_protected_terms"), {"remove": "yes", "term": ProtectedTerm.objects.get().pk})
    assert ProtectedTerm.objects.exists()


@pytest.mark.parametrize("step", ["hold", "release", "withdraw"])
def test_a_step_of_an_issue_is_undone_without_an_entry(client: Client, step: str) -> None:
    make_story("The clinic opens")
    publication = make_publication()
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    Issue.objects.update(held=step == "release", held_reason="read it" if step == "release" else "")
    logged, before = AuditEntry.objects.count(), Issue.objects.values("state", "held", "held_reason").get()
    address = reverse("newsletter_issue_step", args=[issue.pk, step])
    check_refused(client.post(address, {"reason": "wrong"}, follow=True), logged=logged)
    assert Issue.objects.values("state", "held", "held_reason").get() == before
    assert not Approval.objects.filter(withdrawn_at__isnull=False).exists()


@pytest.mark.parametrize(("step", "state"), [("pause", "submitting"), ("cancel", "submitting"), ("go-on", "paused")])
def test_a_step_of_a_send_is_undone_without_an_entry(client: Client, step: str, state: str) -> None:
    make_story("The clinic opens")
    publication = make_publication()
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    Send.objects.update(state=state)
    logged = AuditEntry.objects.count()
    address = reverse("newsletter_send_step", args=[issue.pk, step])
    check_refused(client.post(address, {"reason": "wrong"}, follow=True), logged=logged)
    assert Send.objects.get().state == state


def test_no_send_is_started_without_an_entry(client: Client) -> None:
    make_story("The clinic opens")
    publication = make_publication()
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    logged, address = AuditEntry.objects.count(), reverse("newsletter_send_step", args=[issue.pk, "start"])
    check_refused(client.post(address, {"people": "2"}, follow=True), logged=logged)
    assert not Send.objects.exists()


def test_no_issue_is_approved_without_an_entry(client: Client) -> None:
    make_story("The clinic opens")
    publication = make_publication()
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    logged, address = AuditEntry.objects.count(), reverse("newsletter_issue_step", args=[issue.pk, "approve"])
    page = client.get(reverse("newsletter_issue_overview", args=[issue.pk]))
    fields = {
        **audience_fields(issue),
        "sha256": page.context["sha256"],
        "looked": "yes",
        "warning": [warning.name for warning in page.context["unacknowledged"]],
    }
    check_refused(client.post(address, fields, follow=True), logged=logged)
    assert not Approval.objects.exists()


def test_a_form_about_an_issue_changes_nothing_without_an_entry(client: Client) -> None:
    make_story("The clinic opens")
    issue = make_issue(make_publication())
    answer = client.post(reverse("newsletter_issue_close", args=[issue.pk]), {"reason": "wrong week"})
    assert "The staff log could not be written" in answer.content.decode()
    assert Issue.objects.get().state == Issue.State.DRAFT


def test_no_webhook_is_added_without_an_entry(client: Client) -> None:
    values = {"name": "Donor database", "url": "https://127.0.0.1/"}
    with pytest.raises(InvariantViolated):
        client.post(reverse("newsletter_webhooks"), values)
    assert not WebhookEndpoint.objects.exists()


def test_no_api_key_is_made_without_an_entry(client: Client) -> None:
    with pytest.raises(InvariantViolated):
        client.post(reverse("newsletter_api_keys"), {"name": "Web site", "scope": "read"})
    assert not ApiKey.objects.exists()
