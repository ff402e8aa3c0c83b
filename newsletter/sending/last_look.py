"""Look at the stories of an issue once more, just before its audience is fixed. It waits for other sites."""

from datetime import datetime

from newsletter.issues.at_source import require_at_source
from newsletter.models import Send


def look_last(*, send: Send, now: datetime) -> None:
    """Raise NotApproved if a story is gone. What could not be checked is kept with the send, and lets it go."""
    checked = require_at_source(issue=send.issue, now=now)
    send.unchecked = [[story.title, reason] for story, reason in checked.unknown]
    if send.unchecked:
        Send.objects.filter(pk=send.pk).update(unchecked=send.unchecked)
