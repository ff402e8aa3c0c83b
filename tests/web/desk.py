"""What the desk's tests share: staff who are signed in, and the fields that an issue's editor posts."""

from django.contrib.auth.models import User
from django.test import Client

from newsletter.models import Issue, Story
from newsletter.organisation.staff import add_staff

PASSWORD = "a quiet harbour at dawn"


def sign_in(role: str, *, email: str = "") -> Client:
    """A browser in which somebody of this role is signed in."""
    address = email or f"{role}@example.org"
    add_staff(email=address, role=role, password=PASSWORD)
    client = Client()
    client.force_login(User.objects.get(username=address))
    return client


def sign_in_superuser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "root@example.org", PASSWORD))
    return client


def issue_form(issue: Issue, *, story: Story | None, headline: str = "", **fields: str) -> dict[str, str]:
    """The editor's fields for a body of one lead story."""
    return {
        "subject": issue.subject,
        "preheader": issue.preheader,
        "body-count": "1",
        "body-0-type": "lead_story",
        "body-0-order": "0",
        "body-0-deleted": "",
        "body-0-id": "11111111-1111-4111-8111-111111111111",
        "body-0-value-story": str(story.pk) if story else "",
        "body-0-value-headline": headline,
        "body-0-value-teaser": "",
        "body-0-value-picture": "",
        **fields,
    }


def said(response: object) -> list[str]:
    """The messages that the next page shows."""
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]
