"""The issue that a publication's rules would make next. Nothing is stored and no slot is taken."""

import secrets
from datetime import datetime

from newsletter.common.errors import NotReady
from newsletter.common.schedule import check_schedule, due_after
from newsletter.issues.assembly.first_draft import apply_draft, make_draft
from newsletter.models import Issue, Publication


def find_next_issue(publication: Publication, *, now: datetime) -> Issue:
    """Return the open issue of the publication, or an unsaved one for the next date.

    Raises BadSchedule if there is no next date, NotReady if the issue is empty.
    """
    waiting = publication.issues.filter(
        kind=Issue.Kind.ISSUE, state__in=[Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED]
    )
    issue = waiting.select_related("slot").order_by("-number").first() if publication.pk else None
    if issue is not None:
        issue.publication = publication
        if not issue.body:
            raise NotReady(
                "%(issue)s is the next issue, and it is still empty. Add a block to it to see it here.", issue=issue
            )
        return issue
    return make_unsaved_issue(publication, now=now)


def make_unsaved_issue(publication: Publication, *, now: datetime) -> Issue:
    """Assemble an issue for the next date from the content of now, without saving it. Raises NotReady if it is empty."""
    schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    due = next(due_after(now, schedule=schedule, zone=publication.zone))
    issue = Issue(publication=publication, public_id=secrets.token_hex(12), made_at=now, due_at=due.at)
    draft = make_draft(issue=issue, now=now)
    if draft.skip_reason:
        raise NotReady("%(reason)s With these settings the next issue would be empty.", reason=draft.skip_reason)
    apply_draft(issue=issue, draft=draft)
    return issue
