"""When a running send must wait or ask: the publication's quiet hours, a send grown stale, what may not be shown any more."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.models import Publication, Send, move
from newsletter.sending.protect import pause_protected
from newsletter.sending.withdraw import pause_withdrawn


def gate_sends(*, now: datetime) -> None:
    """Put off or pause what must not go on now. Part of the sweep; safe to repeat."""
    pause_withdrawn()
    pause_protected()
    running = Send.objects.filter(state=Send.State.SUBMITTING).select_related("issue__slot", "issue__publication")
    for send in running:
        publication = send.issue.publication
        due_at = send.issue.slot.due_at if send.issue.slot else send.made_at
        stale_at = max(due_at, send.made_at) + timedelta(hours=publication.stale_hours)
        if publication.stale_hours and now >= stale_at:
            reason = (
                f"it is {publication.stale_hours} hours late and some events may be over. "
                "Let it go on if it still makes sense, or cancel it."
            )
            move(send, of=[Send.State.SUBMITTING], to=Send.State.PAUSED, reason=reason)
            continue
        wakes_at = end_of_quiet(publication, now=now)
        if send.not_before != wakes_at:
            Send.objects.filter(pk=send.pk, state=Send.State.SUBMITTING).update(not_before=wakes_at)


def end_of_quiet(publication: Publication, *, now: datetime) -> datetime | None:
    """When the quiet hours that we are in end; None outside of them."""
    start, end = publication.quiet_from, publication.quiet_until
    if start is None or end is None or start == end:
        return None
    zone = ZoneInfo(publication.zone)
    local = now.astimezone(zone)
    if not _within(local.time(), start, end):
        return None
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, zone).astimezone(now.tzinfo)


def _within(moment: time, start: time, end: time) -> bool:
    return start <= moment < end if start < end else moment >= start or moment < end
