"""Read an issue's events and stories at their sources again, just before its audience is frozen.

It waits for other sites, so it may not run in a transaction.
"""

import time
from datetime import datetime, timedelta

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.content.ingesting.ingest import CLAIM_PERIOD, ingest_source
from newsletter.content.parsing.source_kind import list_event_kinds
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.assembly.stories_at_source import require_stories_at_source
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Send, Source

EVENTS_FRESH_FOR = timedelta(minutes=2)
MAX_SECONDS_FOR_EVENTS = 10.0


def recheck_events(*, send: Send, now: datetime) -> None:
    """Read the sources of the issue's events again and store the changes.

    An event that moved, was cancelled or became private changes the content. The freeze then refuses it, because the
    approval is for the content before. A source that cannot be read changes nothing.
    """
    records = IssueContent.from_json(send.revision.content).events if send.revision else []
    events = {event.id for event in records}
    sources = Source.objects.filter(events__in=events, kind__in=list_event_kinds(), enabled=True)
    began = time.monotonic()
    for source in sources.exclude(looked_at__gt=now - EVENTS_FRESH_FOR).distinct():
        if time.monotonic() - began > MAX_SECONDS_FOR_EVENTS:
            return
        if Source.objects.filter(pk=source.pk, due_at=source.due_at).update(due_at=now + CLAIM_PERIOD):
            ingest_source(source=source, now=now)
            # The issue's body caches the events that it has read.
            send.issue.refresh_from_db()


def recheck_stories(*, send: Send, now: datetime) -> None:
    """Check that the issue's stories are still at their sources, however recently they were checked before.

    Raise NotApproved if a story is gone. Note the stories that cannot be checked on the send, and let it go on.
    If a site reports its stories as removed but seems broken as a whole, hold the issue and raise NotReady. After staff
    released the issue, it is sent.
    """
    checked = require_stories_at_source(issue=send.issue, now=now, fresh=timedelta())
    send.unchecked_stories = [[story.title, reason] for story, reason in checked.unknown]
    if send.unchecked_stories:
        Send.objects.filter(pk=send.pk).update(unchecked_stories=send.unchecked_stories)
    send.issue.refresh_from_db(fields=["released_at"])
    if checked.doubtful and send.issue.released_at is None:
        stories = [
            Message("“%(title)s”: %(reason)s", title=story.title, reason=reason) for story, reason in checked.doubtful
        ]
        error = NotReady(
            "The site may be broken. %(stories)s. Nothing was sent. Look at the site, remove the stories if they are gone, "
            "then release the issue.",
            stories=Message.joined(stories),
        )
        hold_issue(issue=send.issue, reason=error.message)
        raise error
