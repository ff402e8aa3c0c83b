"""Look at the stories of an issue once more, just before its audience is fixed. It waits for other sites."""

from datetime import datetime, timedelta

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.issues.approval.approve import hold_issue
from newsletter.issues.assembly.stories_at_source import require_stories_at_source
from newsletter.models import Send


def recheck_stories(*, send: Send, now: datetime) -> None:
    """Raise NotApproved if a story is gone. What could not be checked is kept with the send, and lets it go.

    Every story is asked about, however lately it was before: nothing comes after this look.
    Raise NotReady and hold the issue if a site says that its stories are removed and seems broken as a whole, unless
    a person released the issue.
    """
    checked = require_stories_at_source(issue=send.issue, now=now, fresh=timedelta())
    send.unchecked_stories = [[story.title, reason] for story, reason in checked.unknown]
    if send.unchecked_stories:
        Send.objects.filter(pk=send.pk).update(unchecked_stories=send.unchecked_stories)
    send.issue.refresh_from_db(fields=["released_at"])
    if checked.doubtful and send.issue.released_at is None:
        what = "; ".join(f"“{story.title}”: {reason}" for story, reason in checked.doubtful)
        error = NotReady(
            Message(
                "The site may be broken. %(what)s. Nothing was sent. Look at the site, take the stories out if "
                "they are gone, then release the issue.",
                what=what,
            )
        )
        hold_issue(issue=send.issue, reason=str(error))
        raise error
