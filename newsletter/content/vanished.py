"""Events that their source no longer names: cancelled, unless so many vanish at once that the source may be at fault."""

from collections.abc import Iterable
from datetime import datetime

from newsletter.content.entries import Parsed, SetAside
from newsletter.content.entry_rules import label
from newsletter.content.read import CALENDAR_AHEAD
from newsletter.models import EventNotice, Source

HELD = "Events that are gone"
_MANY = 3


def cancel_vanished(source: Source, parsed: Parsed, *, now: datetime) -> tuple[int, SetAside | None]:
    """How many were cancelled; or none and the reason, where all or most vanished at once: the next reading decides.

    Events that were set aside are there, if broken, and those beyond what was read are not judged.
    """
    named = {event.external_id[:500] for event in parsed.events}
    ahead = source.events.filter(starts_at__gt=now, starts_at__lt=now + CALENDAR_AHEAD, cancelled=False)
    if parsed.complete_until is not None:
        ahead = ahead.filter(starts_at__lt=parsed.complete_until)
    upcoming = list(ahead.only("pk", "external_id", "title", "edited_fields"))
    missing = [
        event
        for event in upcoming
        if event.external_id not in named
        and "cancelled" not in event.edited_fields
        and not _is_broken(event, parsed.set_aside)
    ]
    most = len(missing) == len(upcoming) or (len(missing) >= _MANY and len(missing) * 2 > len(upcoming))
    if missing and most and not source.set_aside.filter(entry=HELD).exists():
        return 0, _held(len(missing), len(upcoming))
    EventNotice.objects.filter(pk__in=[event.pk for event in missing]).update(
        cancelled=True, source_sha256="", note="It is no longer in its calendar."
    )
    return len(missing), None


def _is_broken(event: EventNotice, aside: Iterable[SetAside]) -> bool:
    """Whether a set-aside entry is this event: by its identity where the entry bears one, else by its title."""
    uid = event.external_id.rpartition("#")[0] or event.external_id
    title = label(title=event.title, link="", number=0)
    return any(one.external_id in (uid, event.external_id) if one.external_id else one.entry == title for one in aside)


def _held(missing: int, upcoming: int) -> SetAside:
    return SetAside(
        HELD,
        f"{missing} of the {upcoming} events ahead are gone from this source all at once, which is often a fault of the"
        " source. They are kept for now. If the next reading says the same, they are cancelled.",
    )
