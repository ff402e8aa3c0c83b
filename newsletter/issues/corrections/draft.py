"""Make the issue of a correction: a draft with a number of its own. Call it in the transaction that records what it corrects."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User

from newsletter.issues.assembly.assemble import save_assembled_content
from newsletter.issues.assembly.first_draft import next_number
from newsletter.models import Issue, Publication
from newsletter.outbound.publishing_facts import report_issue
from subscribers.models import EventKind


def draft_correction(
    *,
    publication: Publication,
    subject: str,
    preheader: str,
    body: Sequence[tuple[str, object]],
    by: User | AnonymousUser,
    now: datetime,
) -> Issue:
    """Return the stored draft. The translations of its texts are stored before."""
    issue = Issue.objects.create(
        publication=publication,
        kind=Issue.Kind.CORRECTION,
        number=next_number(publication=publication, kind=Issue.Kind.CORRECTION),
        public_id=secrets.token_hex(12),
        made_at=now,
        subject=subject,
        preheader=preheader,
        body=body,
    )
    save_assembled_content(issue)
    issue.store_revision(by=by)
    report_issue(EventKind.ISSUE_ASSEMBLED, issue, now=now)
    return issue
