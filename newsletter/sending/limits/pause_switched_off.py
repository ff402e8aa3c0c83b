"""Pauses running sends whose publication was switched off. From that commit on no batch is claimed (`claim.running_sends`)."""

from datetime import datetime

from newsletter.common.messages import Message
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.models import Issue, Send, move
from newsletter.models.feedback import AutomaticPause

REASON = Message(
    "the publication was switched off. Nobody is mailed while it is. Switch it on and let the send go on, or cancel it"
)


def pause_switched_off(*, now: datetime) -> list[Issue]:
    """Pause them and record the rule as the reason. Returns their issues. Part of the sweep; safe to repeat."""
    states = [Send.State.READY, Send.State.SUBMITTING]
    running = Send.objects.filter(make_switched_off_filter("issue__"), state__in=states).select_related(
        "issue__publication"
    )
    paused = []
    for send in running:
        if move(send, of=states, to=Send.State.PAUSED, reason=REASON):
            AutomaticPause.objects.update_or_create(
                send=send, rule=AutomaticPause.Rule.SWITCHED_OFF, defaults={"cases": 0, "at": now}
            )
            paused.append(send.issue)
    return paused
