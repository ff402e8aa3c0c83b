"""Make the issue that corrects a cancelled one and goes to those whom its send did not reach."""

import secrets
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction

from newsletter.common.errors import NotReady, WrongState
from newsletter.issues.approval.edits_of_approved_issues import require_editor
from newsletter.issues.approval.publication_switches import require_publication_enabled
from newsletter.issues.assembly.assemble import record_announced_audience
from newsletter.issues.assembly.first_draft import next_number
from newsletter.issues.assembly.merge_edits import list_stories
from newsletter.issues.assembly.stories_at_source import find_texts_without_gone_stories
from newsletter.issues.snapshot.placements import place_stories
from newsletter.issues.variants.unreached import find_unreached, require_no_open_call
from newsletter.models import Correction, Issue, Publication, Story
from newsletter.outbound.publishing_facts import report_issue
from subscribers.models import EventKind


def complete_send(*, issue: Issue, by: User | AnonymousUser, now: datetime) -> Issue:
    """Return a draft with the issue's content for those not reached; the same one if it is called again.

    It is approved and sent like any issue on demand. People with an accepted, rejected or uncertain attempt do not get it.
    Raises NotAllowed, SwitchedOff; WrongState if no send of it was cancelled, or a call has no result yet; NotReady if
    everybody was reached.
    """
    require_editor(by)
    require_publication_enabled(issue.publication)
    require_unreached(issue)
    try:
        with transaction.atomic():
            # The number is the highest so far and one: a second new issue waits here.
            Publication.objects.select_for_update().get(pk=issue.publication_id)
            return _make(issue, by=by, now=now)
    except IntegrityError:
        made = issue.completions.exclude(state=Issue.State.CANCELLED).first()
        if made is None:
            raise
        return made


def require_unreached(issue: Issue) -> None:
    """Raise WrongState or NotReady if no cancelled send of the issue left somebody out, as far as is known now."""
    if not can_be_completed(issue):
        raise WrongState("%(issue)s has no cancelled send to complete. Look at its page.", issue=issue)
    require_no_open_call(issue)
    if not find_unreached(issue.pk).exists():
        raise NotReady("There is nobody left whom the cancelled send of %(issue)s did not reach.", issue=issue)


def can_be_completed(issue: Issue) -> bool:
    """Return True if the send was cancelled and its content still holds. A changed event is announced again instead."""
    return (
        issue.state == Issue.State.CANCELLED
        and not Correction.objects.filter(issue=issue, event__isnull=False).exists()
    )


def _make(issue: Issue, *, by: User | AnonymousUser, now: datetime) -> Issue:
    subject, preheader = find_texts_without_gone_stories(issue)
    made = Issue(
        publication=issue.publication,
        completes=issue,
        number=next_number(publication=issue.publication, kind=Issue.Kind.ISSUE),
        public_id=secrets.token_hex(12),
        made_at=now,
        subject=subject,
        preheader=preheader,
        layout=issue.layout,
        headline=issue.headline,
        charitable=issue.charitable,
        body=issue.body,
        in_archive=issue.in_archive and issue.kind == Issue.Kind.ISSUE,
    )
    made.save()
    story_ids = [story["story"] for story in list_stories(made.body.get_prep_value())]
    stories = Story.objects.filter(pk__in=story_ids).exclude(pk__in=Story.objects.gone()).values_list("pk", flat=True)
    place_stories(issue=made, stories=stories, now=now)
    record_announced_audience(made, now=now)
    made.store_revision(by=by)
    report_issue(EventKind.ISSUE_ASSEMBLED, made, now=now)
    return made
