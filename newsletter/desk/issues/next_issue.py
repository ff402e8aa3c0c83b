"""The issue that a publication's rules would make next. Nothing is stored and no slot is taken."""

import secrets
from datetime import datetime

from django.db.models import Max

from newsletter.issues.assembly.draft import draft_body, draft_preheader, draft_subject
from newsletter.issues.assembly.schedule import check_schedule, due_after
from newsletter.issues.assembly.selection import choose_content
from newsletter.models import Issue, Publication, Slot


def find_next_issue(publication: Publication, *, now: datetime) -> Issue:
    """Return the open issue of the publication, or an unsaved one for the next date. Raises BadSchedule if there is none."""
    waiting = publication.issues.filter(
        kind=Issue.Kind.ISSUE, state__in=[Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED]
    )
    issue = waiting.select_related("slot").order_by("-number").first() if publication.pk else None
    if issue is not None:
        issue.publication = publication
        return issue
    return make_unsaved_issue(publication, now=now)


def make_unsaved_issue(publication: Publication, *, now: datetime) -> Issue:
    """Assemble an issue for the next date from the content of now, without saving it."""
    schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    due = next(due_after(now, schedule=schedule, zone=publication.zone))
    before = publication.slots.aggregate(last=Max("assembled_at"))["last"]
    choice = choose_content(publication=publication, new_since=before, due_at=due.at, now=now)
    number = (publication.issues.aggregate(last=Max("number"))["last"] or 0) + 1
    issue = Issue(
        publication=publication,
        number=number,
        public_id=secrets.token_hex(12),
        made_at=now,
        subject=draft_subject(publication=publication, choice=choice, number=number),
        preheader=draft_preheader(choice),
        body=draft_body(publication=publication, choice=choice),
    )
    issue.slot = Slot(publication=publication, due_local=due.local, due_at=due.at, made_at=now)
    return issue
