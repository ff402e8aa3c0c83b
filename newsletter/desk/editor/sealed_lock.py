"""Seals an issue that is on its way or has gone out, and finds what it was sealed with."""

from typing import Any

from django.utils.translation import gettext as _
from wagtail.locks import BaseLock

from newsletter.models import Issue, IssueRevision, Send

SEALED_STATES = (Issue.State.SENDING, Issue.State.SENT, Issue.State.CANCELLED)


def find_sealed_revision(issue: Issue) -> IssueRevision | None:
    """What went out, or is on its way; None while it can still change, and where nothing of it ever went."""
    if issue.state not in SEALED_STATES:
        return None
    sends = issue.sends.exclude(recipients=0, state=Send.State.CANCELLED)
    send = sends.select_related("revision").first()
    return send.revision if send else None


class SealedLock(BaseLock):
    def for_user(self, user: Any) -> bool:
        return True

    def get_message(self, user: Any) -> str:
        said = {
            "sending": _("is going out now"),
            "sent": _("has gone out"),
            "cancelled": _("was cancelled"),
        }[self.object.state]
        return _("%(object)s %(said)s; what it says cannot be changed any more. You can still look at it.") % {
            "object": self.object,
            "said": said,
        }

    def get_locked_by(self, user: Any) -> str:
        return _("Sealed")

    def get_description(self, user: Any) -> str:
        return _("Nobody can change what was sent.")
