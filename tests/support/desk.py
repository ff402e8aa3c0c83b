"""Helpers of the desk's tests: signed-in staff, the fields that editors post, and messages."""

from django.contrib.auth.models import User
from django.test import Client

from newsletter.desk.staff.second_factor import SECOND_FACTOR_KEY
from newsletter.issues.approval.approval_rules import count_recipients
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.models import Issue, Story
from newsletter.organisation.accounts.staff import add_staff

PASSWORD = "a quiet harbour at dawn"


def sign_in(role: str, *, email: str = "", factor: bool = True) -> Client:
    """Return a browser with a signed-in person of this role, with their second factor unless `factor` is False."""
    address = email or f"{role}@example.org"
    add_staff(email=address, role=role, password=PASSWORD)
    return sign_in_as(User.objects.get(username=address), factor=factor)


def sign_in_superuser() -> Client:
    return sign_in_as(User.objects.create_superuser("root@example.org", "root@example.org", PASSWORD))


def sign_in_as(person: User, *, factor: bool = True) -> Client:
    """Return a browser in which this person is signed in, with their second factor unless `factor` is False."""
    client = Client()
    client.force_login(person)
    if factor:
        session = client.session
        session[SECOND_FACTOR_KEY] = person.pk
        session.save()
    return client


def issue_form(issue: Issue, *, story: Story | None, headline: str = "", **fields: str) -> dict[str, str]:
    """Return the fields of an issue's editor with one lead story."""
    return {
        "subject": issue.subject,
        "preheader": issue.preheader,
        "charitable": "on",
        "body-count": "1",
        "body-0-type": "lead_story",
        "body-0-order": "0",
        "body-0-deleted": "",
        "body-0-id": "11111111-1111-4111-8111-111111111111",
        "body-0-value-story": str(story.pk) if story else "",
        "body-0-value-headline": headline,
        "body-0-value-teaser": "",
        "body-0-value-picture": "",
        "body-0-value-link": "",
        **fields,
    }


def story_fields(story: Story, **fields: str) -> dict[str, str]:
    """Return the fields of a story's editor."""
    return {
        "title": story.title,
        "teaser": story.teaser,
        "url": story.url,
        "language": "en",
        "pseudonyms": "",
        "published_at": f"{story.published_at:%Y-%m-%d %H:%M}",
        **fields,
    }


def audience_fields(issue: Issue) -> dict[str, str]:
    """Return the hidden fields of the approval form: the issue's current audience."""
    issue = Issue.objects.get(pk=issue.pk)
    return {"audience": hash_audience(describe_audience(issue)), "people": str(count_recipients(issue))}


def list_messages(response: object) -> list[str]:
    """Return the messages that the page shows."""
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]
