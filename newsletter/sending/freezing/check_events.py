"""Read the calendars of an issue's events once more, just before its audience is fixed. It waits for other sites."""

import time
from datetime import datetime, timedelta

from newsletter.content.ingesting.ingest import CLAIM_PERIOD, ingest_source
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Send, Source

FRESH_FOR = timedelta(minutes=2)
MAX_SECONDS = 10.0


def recheck_events(*, send: Send, now: datetime) -> None:
    """Store what the sources say now. An event that moved, was cancelled or became private changes the content.

    The approval is for the content before, so the freeze refuses it. A source that cannot be read changes nothing.
    """
    shown = IssueContent.from_json(send.revision.content).events if send.revision else []
    events = {event.id for event in shown}
    sources = Source.objects.filter(
        events__in=events, kind__in=[Source.Kind.CALENDAR, Source.Kind.EVENTS], enabled=True
    )
    began = time.monotonic()
    for source in sources.exclude(looked_at__gt=now - FRESH_FOR).distinct():
        if time.monotonic() - began > MAX_SECONDS:
            return
        if Source.objects.filter(pk=source.pk, due_at=source.due_at).update(due_at=now + CLAIM_PERIOD):
            ingest_source(source=source, now=now)
            # The issue's body keeps the events that it has read.
            send.issue.refresh_from_db()
