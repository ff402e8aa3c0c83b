"""When a running send must wait or ask: its publication is switched off, quiet hours, a stale send, what may not be shown."""

from datetime import datetime

from newsletter.common.messages import Message
from newsletter.models import Send, move
from newsletter.models.feedback import AutomaticPause
from newsletter.sending.limits.oversized_batches import split_oversized_batches
from newsletter.sending.limits.pause_protected import pause_protected
from newsletter.sending.limits.pause_switched_off import pause_switched_off
from newsletter.sending.limits.quiet_hours import find_quiet_hours_end, is_stale
from newsletter.sending.limits.withdraw import pause_withdrawn


def enforce_send_window(*, now: datetime) -> None:
    """Put off or pause what must not go on now. Part of the sweep; safe to repeat."""
    pause_switched_off(now=now)
    pause_withdrawn()
    pause_protected()
    running = Send.objects.filter(state=Send.State.SUBMITTING).select_related("issue__slot", "issue__publication")
    for send in running:
        publication = send.issue.publication
        if is_stale(send, now=now):
            reason = Message(
                "it is %(stale_hours)s hours late and some events may be over. Let it go on if it still makes "
                "sense, or cancel it.",
                stale_hours=publication.stale_hours,
            )
            if move(send, of=[Send.State.SUBMITTING], to=Send.State.PAUSED, reason=reason):
                AutomaticPause.objects.get_or_create(
                    send=send, rule=AutomaticPause.Rule.STALE, defaults={"cases": 0, "at": now}
                )
            continue
        split_oversized_batches(send, now=now)
        wakes_at = find_quiet_hours_end(publication, now=now)
        if send.not_before != wakes_at:
            Send.objects.filter(pk=send.pk, state=Send.State.SUBMITTING).update(not_before=wakes_at)
