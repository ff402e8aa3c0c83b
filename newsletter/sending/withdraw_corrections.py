"""Keep the corrections back that may be about a withdrawn story, until staff have read them."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User

from newsletter.common.errors import WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.write_notices import notify_hold
from newsletter.issues.corrections.hold_corrections import hold_correction
from newsletter.models import Issue, Send, Story, transition

_RUNNING = (Send.State.READY, Send.State.SUBMITTING)


def hold_waiting_corrections(
    corrections: Collection[Issue], *, story: Story, by: User | AnonymousUser, now: datetime
) -> list[Issue]:
    """Hold the corrections that are not sent yet, notify the approvers, and return them."""
    held = []
    for correction in corrections:
        if correction.state not in Issue.UNSENT_STATES:
            continue
        reason = Message(
            "The story “%(title)s” was withdrawn. This correction may be about it. Read its text, and change it if it is. "
            "Then release it.",
            title=story.title[:200],
        )
        try:
            hold_correction(correction, reason=reason, now=now)
        except WrongState:
            continue  # its send has begun since it was read, and is paused like the others
        notify_hold(correction, now=now, by=by)
        held.append(correction)
    return held


def pause_corrections(corrections: Collection[Issue], *, story: Story) -> list[Issue]:
    """Pause the running sends of corrections, and return their issues. Staff may resume them: the story is not in them."""
    sends = Send.objects.filter(issue__in=corrections, state__in=_RUNNING).select_related("issue__publication")
    reason = Message(
        "the story “%(title)s” was withdrawn, and this correction may be about it. Read its text. If it may be sent, "
        "resume the send. If not, stop it permanently",
        title=story.title[:200],
    )
    return [
        send.issue
        for send in sends
        if transition(send, from_states=_RUNNING, to=Send.State.PAUSED, reason=reason, code=Send.Code.NONE)
    ]
