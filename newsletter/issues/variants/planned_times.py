"""Find when the next issues of a publication are sent: by its schedule, and as staff planned them."""

from datetime import datetime
from itertools import takewhile

from newsletter.common.errors import BadSchedule
from newsletter.common.schedule import check_schedule, due_after
from newsletter.models import Issue, Publication, Slot

_STARTED_OR_OVER = (Issue.State.SENDING, Issue.State.SENT, Issue.State.CANCELLED)


def find_planned_times(publication: Publication, *, now: datetime, until: datetime) -> list[datetime]:
    """Return the times up to ``until``, in order: of issues not yet sent, of slots to fill, and of the schedule.

    An issue that is late but may still be sent is planned for ``now``. Digests are left out, and so are schedules that
    cannot be read.
    """
    issues = publication.issues.filter(
        kind=Issue.Kind.ISSUE, due_at__gt=now - Issue.GRACE_PERIOD, due_at__lte=until
    ).exclude(state__in=_STARTED_OR_OVER)
    times = [max(due_at, now) for due_at in issues.values_list("due_at", flat=True) if due_at]
    slots = publication.slots.filter(kind=Slot.Kind.ISSUE, due_at__gt=now, due_at__lte=until)
    times += slots.filter(state=Slot.State.DUE, issue__isnull=True).values_list("due_at", flat=True)
    taken = set(slots.values_list("due_at", flat=True))
    times += [due for due in _list_dues(publication, now=now, until=until) if due not in taken]
    return sorted(times)


def _list_dues(publication: Publication, *, now: datetime, until: datetime) -> list[datetime]:
    try:
        schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule:
        return []
    dues = due_after(now, schedule=schedule, zone=publication.zone)
    return [due.at for due in takewhile(lambda due: due.at <= until, dues)]
