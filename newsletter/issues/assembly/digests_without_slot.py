"""Find monthly digests whose time passed before anybody made their slot, as when the scheduler was not running. Reads only.

No slot is made: it would take the one digest of its month, which staff may still make at a later time.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.common.schedule import Due, check_schedule, due_after
from newsletter.issues.assembly.digest import had_monthly_subscribers, make_digest_period
from newsletter.models import Issue, Publication, Slot
from newsletter.models.staff import ContentEdit

_REASON = Message("No digest was made: the scheduler was not running, or the publication was switched off or changed.")


def find_digests_without_slot(*, now: datetime, look_back: timedelta) -> Iterator[Slot]:
    """Yield a slot, which is not stored, for each publication whose last digest was due then and was not made.

    Left out is a time before the last change of its publication, such as that which switched its digest on. So is a time at
    which nobody had chosen the digest: then no slot is made.
    """
    for publication in Publication.objects.filter(enabled=True, monthly_digest=True).order_by("pk"):
        due = _find_last_due(publication, after=now - look_back, until=now - Issue.GRACE_PERIOD)
        if due is not None and not _is_settled(publication, due) and had_monthly_subscribers(publication, at=due.at):
            yield Slot(
                publication=publication,
                kind=Slot.Kind.DIGEST,
                period=make_digest_period(due),
                due_local=due.local,
                due_at=due.at,
                made_at=now,
                state=Slot.State.MISSED,
                reason=_REASON,
            )


def _find_last_due(publication: Publication, *, after: datetime, until: datetime) -> Due | None:
    """Return the last time of the digest between two moments. A schedule that cannot be read has none."""
    begin = max(after, publication.made_at)
    try:
        schedule = check_schedule(schedule=publication.digest_schedule, zone=publication.zone)
        times = due_after(begin, schedule=schedule, zone=publication.zone)
        last = deque(takewhile(lambda due: due.at < until, times), maxlen=1)
    except DomainError:
        return None
    return last[0] if last else None


def _is_settled(publication: Publication, due: Due) -> bool:
    """Return True if the month has its slot, a person made a digest since, or somebody changed the publication since."""
    digests = {"publication": publication, "kind": Slot.Kind.DIGEST}
    return (
        Slot.objects.filter(**digests, period=make_digest_period(due)).exists()
        or Issue.objects.filter(**digests, slot__isnull=True, made_at__gte=due.at).exists()
        or ContentEdit.objects.filter(kind="newsletter.publication", row_id=publication.pk, at__gt=due.at).exists()
    )
