"""A clock that was put back leaves moments in rows that would stand for days. None of our own waits is so long."""

from datetime import datetime, timedelta

from newsletter.models import Batch, ProviderAccount

MAX_WAIT = timedelta(hours=26)  # a day's limit, with room for a day of 25 hours; quiet hours and providers ask for less
MAX_LEASE = timedelta(minutes=10)


def clear_far_future_times(*, now: datetime) -> None:
    """What waits for a moment beyond every wait of ours waits no longer. Leases of that kind are the sweep's to settle."""
    waiting = Batch.objects.filter(state__in=[Batch.State.PENDING, Batch.State.UNCERTAIN])
    waiting.filter(not_before__gt=now + MAX_WAIT).update(not_before=None)
    far = (now + MAX_WAIT).timestamp()
    ProviderAccount.objects.filter(next_at__gt=far).update(next_at=now.timestamp())
    ProviderAccount.objects.filter(wait_until__gt=far).update(wait_until=now.timestamp())
