"""Protected terms, and an issue whose parts can say one."""

import pytest
from django.contrib.auth.models import Permission, User

from newsletter.issues.protected_terms.terms import (
    add_terms,
)
from newsletter.models import (
    EventNotice,
    Issue,
    ProtectedTerm,
    Publication,
    Story,
)
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_event,
    make_issue,
    make_story,
)

SECRET = "Marisol Quintanilla"
MASKED = "M••• Q•••"


def keeper() -> User:
    """Somebody who looks after people."""
    person, _ = User.objects.get_or_create(username="data@example.org", defaults={"email": "data@example.org"})
    person.user_permissions.add(Permission.objects.get(codename="change_protectedterm"))
    return User.objects.get(pk=person.pk)


def protect(*terms: str, note: str = "") -> list[ProtectedTerm]:
    return add_terms(lines="\n".join(terms), note=note, by=keeper(), now=NOW).terms


@pytest.fixture(name="issue")
def make_issue_with_event(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    make_event("An evening of letters", where=LONDON, summary="Bring a pen.")
    add_subscribers(publication, 3, where=LONDON)
    return make_issue(publication)


def in_subject(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(subject=f"Letters from {SECRET}")


def in_story(issue: Issue) -> None:
    Story.objects.update(teaser="Marisol\u200b QUINTANÍLLA came to the clinic, and the door was open.")


def in_calendar(issue: Issue) -> None:
    """The summary is in no mail, only in calendars."""
    EventNotice.objects.update(summary=f"Ask for {SECRET} at the door.")


def in_translated_calendar(issue: Issue) -> None:
    """The summary of a translation goes into the calendars of readers of its language."""
    Publication.objects.update(languages=["es"])
    summary = f"Pregunta por {SECRET} en la puerta."
    make_event("Una tarde de cartas", translation_of=EventNotice.objects.get(), language="es", summary=summary)
