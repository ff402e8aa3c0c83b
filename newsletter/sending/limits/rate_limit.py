"""The rate limit that all workers on all machines share: one row for each provider account.

If the provider answers “too many”, everybody waits and the pace drops. It recovers by itself. A slowed send has
a second limit, in addition to that of the account.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, F, Value, When
from django.db.models.functions import Greatest, Least

from newsletter.common.database.prepared_rows import PreparedRows
from newsletter.models import Batch, ProviderAccount, Send
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.contract import Capabilities
from newsletter.sending.limits.step_work import acts_on

MIN_WAIT_SECONDS = 0.05
SLOW_DOWN_FACTOR, MIN_PACE = 0.8, 0.1
PACE_RECOVERY_PER_MINUTE = 0.05
FIRST_RETRY_AFTER = timedelta(seconds=5)
MAX_RETRY_AFTER = timedelta(minutes=10)
MAX_REQUESTED_WAIT = timedelta(hours=6)
SEND_MIN_WAIT = timedelta(seconds=1)
SEND_TOLERANCE_SECONDS = 0.05
_ACCOUNTS = PreparedRows(
    lambda names: ProviderAccount.objects.filter(name__in=names).values_list("pk", "next_at", "pace", "failures")
)


class _AccountRow(NamedTuple):
    pk: int
    next_at: float
    pace: float
    failures: int


def name_rate(capabilities: Capabilities, account: str = DEFAULT_ACCOUNT) -> str:
    """Return the name of the row that limits an account. That of the default account has the name of its provider."""
    return capabilities.name if account == DEFAULT_ACCOUNT else f"{capabilities.name}/{account}"


def reserve_call(*, capabilities: Capabilities, people: int, now: datetime, name: str = "") -> datetime | None:
    """Reserve a call for this number of people. If it may not start now, return when to ask again.

    ``name`` is the one of `name_rate`, by default that of the default account.
    """
    name = name or name_rate(capabilities)
    account = _read_account(name)
    limited = bool(capabilities.people_per_second or capabilities.calls_per_second)
    if account is None:
        if not limited:
            return None
        made, _ = ProviderAccount.objects.get_or_create(name=name)
        account = _AccountRow(made.pk, made.next_at, made.pace, made.failures)
    at = now.timestamp()
    if limited and _reserve_time(account, seconds=cost_in_seconds(capabilities, people=people) / account.pace, at=at):
        return None
    if not limited and account.next_at <= at + MIN_WAIT_SECONDS:
        return None
    free_at = ProviderAccount.objects.values_list("next_at", flat=True).get(pk=account.pk)
    return now + timedelta(seconds=max(free_at - at, MIN_WAIT_SECONDS))


def slow_down(*, name: str, until: datetime) -> None:
    """Make all calls wait until then and reduce the pace: the provider answered “too many”."""
    postpone_calls(name=name, until=until)
    ProviderAccount.objects.filter(name=name).update(pace=Greatest(F("pace") * SLOW_DOWN_FACTOR, Value(MIN_PACE)))


def postpone_calls(*, name: str, until: datetime) -> None:
    """Make all calls wait until then, at the same pace: the provider could not be reached."""
    ProviderAccount.objects.get_or_create(name=name)
    ProviderAccount.objects.filter(name=name).update(
        next_at=Greatest(F("next_at"), Value(until.timestamp())),
        wait_until=Greatest(F("wait_until"), Value(until.timestamp())),
    )


@acts_on(lambda now: ProviderAccount.objects.filter(pace__lt=1))
def recover_pace(*, seconds: float) -> None:
    """Raise each reduced pace by a twentieth of the full pace for each minute. Part of the sweep."""
    ProviderAccount.objects.filter(pace__lt=1).update(
        pace=Least(F("pace") + PACE_RECOVERY_PER_MINUTE * seconds / 60, Value(1.0))
    )


def record_success(*, name: str, probed_until: float = 0.0) -> None:
    """End the waiting that earlier failures caused: the provider answers normally again."""
    account = _read_account(name)
    if account is None or not account.failures:
        return
    failing = ProviderAccount.objects.filter(name=name, failures__gt=0)
    failing.update(failures=0, wait_until=Case(When(wait_until=probed_until, then=Value(0.0)), default=F("wait_until")))


def wait_before_retry(*, attempts: int, retry_after: float | None) -> timedelta:
    """Return how long to wait after this number of attempts.

    ``retry_after`` is the wait that the provider asked for, in seconds. Without it each wait is twice the one before, up to ten
    minutes.
    """
    if retry_after is not None:
        return min(timedelta(seconds=max(retry_after, 1.0)), MAX_REQUESTED_WAIT)
    doubled: timedelta = FIRST_RETRY_AFTER * 2 ** min(attempts - 1, 10)
    return min(doubled, MAX_RETRY_AFTER)


def cost_in_seconds(capabilities: Capabilities, *, people: int) -> float:
    """Return for how many seconds a call uses the full rate of the account."""
    by_people = people / capabilities.people_per_second if capabilities.people_per_second else 0.0
    by_calls = 1 / capabilities.calls_per_second if capabilities.calls_per_second else 0.0
    return max(by_people, by_calls)


def _read_account(name: str) -> _AccountRow | None:
    """Return the row of an account, or None. Each call to a provider reads it."""
    rows = _ACCOUNTS.read([name])
    return _AccountRow(*rows[0]) if rows else None


def _reserve_time(account: _AccountRow, *, seconds: float, at: float) -> bool:
    free = ProviderAccount.objects.filter(pk=account.pk, next_at__lte=at + MIN_WAIT_SECONDS)
    return bool(free.update(next_at=Greatest(F("next_at"), Value(at)) + seconds))


def find_pace_wait(batch: Batch, *, now: datetime) -> datetime | None:
    """Return when a slowed send may make its next call, or None if it may now. Nothing is reserved."""
    if batch.send.people_per_minute is None:
        return None
    limit = Send.objects.values_list("people_per_minute", "next_call_at").get(pk=batch.send_id)
    if limit[0] is None or limit[1] <= now.timestamp() + SEND_TOLERANCE_SECONDS:
        return None
    return max(datetime.fromtimestamp(limit[1], tz=now.tzinfo), now + SEND_MIN_WAIT)


def reserve_pace(batch: Batch, *, now: datetime) -> datetime | None:
    """Reserve the time that the batch needs at the send's pace. If another worker was first, return when to ask again."""
    if batch.send.people_per_minute is None:
        return None
    slowed = Send.objects.filter(pk=batch.send_id, people_per_minute__isnull=False)
    free = slowed.filter(next_call_at__lte=now.timestamp() + SEND_TOLERANCE_SECONDS)
    at = Greatest(F("next_call_at"), Value(now.timestamp()))
    if free.update(next_call_at=at + Value(60.0 * batch.size) / F("people_per_minute")) or not slowed.exists():
        return None
    return find_pace_wait(batch, now=now) or now + SEND_MIN_WAIT


def set_pace(send: Send, *, people_per_minute: int | None, now: datetime) -> None:
    """Set the limit from now on; None removes it. Release untried batches that waited for the old limit."""
    Send.objects.filter(pk=send.pk).update(people_per_minute=people_per_minute, next_call_at=now.timestamp())
    never_tried = send.batches.filter(state=Batch.State.PENDING, code=Batch.Code.NONE, attempt_number=0)
    never_tried.filter(not_before__gt=now).update(not_before=None)
    send.people_per_minute = people_per_minute
