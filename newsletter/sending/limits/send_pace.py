"""The pace of a slowed send: a limit of its own beside the rate of the provider's account, never instead of it."""

from datetime import datetime, timedelta

from django.db.models import F, Value
from django.db.models.functions import Greatest

from newsletter.models import Batch, Send

MIN_WAIT = timedelta(seconds=1)
TOLERANCE_SECONDS = 0.05


def find_pace_wait(batch: Batch, *, now: datetime) -> datetime | None:
    """Return when a slowed send may make its next call, or None if it may now. Nothing is reserved."""
    if batch.send.people_per_minute is None:
        return None
    limit = Send.objects.values_list("people_per_minute", "next_call_at").get(pk=batch.send_id)
    if limit[0] is None or limit[1] <= now.timestamp() + TOLERANCE_SECONDS:
        return None
    return max(datetime.fromtimestamp(limit[1], tz=now.tzinfo), now + MIN_WAIT)


def reserve_pace(batch: Batch, *, now: datetime) -> datetime | None:
    """Reserve the time that the batch's people take. If another worker was first, return when to ask again."""
    if batch.send.people_per_minute is None:
        return None
    slowed = Send.objects.filter(pk=batch.send_id, people_per_minute__isnull=False)
    free = slowed.filter(next_call_at__lte=now.timestamp() + TOLERANCE_SECONDS)
    at = Greatest(F("next_call_at"), Value(now.timestamp()))
    if free.update(next_call_at=at + Value(60.0 * batch.size) / F("people_per_minute")) or not slowed.exists():
        return None
    return find_pace_wait(batch, now=now) or now + MIN_WAIT


def set_pace(send: Send, *, people_per_minute: int | None, now: datetime) -> None:
    """Set the limit from now on; None removes it. Release untried batches that waited for the old limit."""
    Send.objects.filter(pk=send.pk).update(people_per_minute=people_per_minute, next_call_at=now.timestamp())
    never_tried = send.batches.filter(state=Batch.State.PENDING, code=Batch.Code.NONE, attempt_number=0)
    never_tried.filter(not_before__gt=now).update(not_before=None)
    send.people_per_minute = people_per_minute
