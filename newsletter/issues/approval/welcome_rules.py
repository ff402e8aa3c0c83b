"""The rules of approval that only a welcome mail has."""

from datetime import datetime

from newsletter.common.errors import NotReady, WrongState
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import remove_filled_blocks
from newsletter.models import Issue

FIRST_STEP = 1


def require_first_mail_on(issue: Issue) -> None:
    """Raise NotReady if the first mail of the welcome was not approved yet; WrongState if its list has another welcome."""
    if not issue.is_welcome:
        return
    turned_on = Issue.objects.filter(kind=Issue.Kind.WELCOME, on_since__isnull=False)
    elsewhere = turned_on.filter(publication__mailing_list=issue.publication.mailing_list_id)
    other_welcome = (
        elsewhere.exclude(publication=issue.publication_id).select_related("publication__mailing_list").first()
    )
    if other_welcome is not None:
        raise WrongState(
            "The list “%(list)s” has the welcome of %(publication)s, and a list has one welcome. Turn that one off first.",
            list=other_welcome.publication.mailing_list.name,
            publication=other_welcome.publication.name,
        )
    if issue.number != FIRST_STEP and not turned_on.filter(publication=issue.publication, number=FIRST_STEP).exists():
        raise NotReady("Approve the first mail of the welcome first. The later ones follow it.")


def require_own_words(content: IssueContent, *, issue: Issue) -> None:
    """Raise NotReady if a welcome mail has only blocks that may have nothing to show: nobody gets an empty mail."""
    if content.issue.is_welcome and not remove_filled_blocks(content).blocks:
        raise NotReady(
            "%(issue)s has no words of its own. It would be empty on a day without a story and an event. Add a note.",
            issue=issue,
        )


def turn_on_welcome(issue: Issue, *, now: datetime) -> None:
    """Turn an approved welcome mail on, for everybody who confirms from now on. One that is on stays as it is."""
    Issue.objects.filter(
        pk=issue.pk, kind=Issue.Kind.WELCOME, state=Issue.State.APPROVED, on_since__isnull=True
    ).update(on_since=now)
