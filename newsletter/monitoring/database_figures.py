"""Read from the database what matters of all processes together: sends, calls to the provider, reports, sources.

Each query reads a bounded number of rows, whatever the size of the installation. Labels name states and kinds, never people,
addresses, lists or publications.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import Coalesce

from newsletter.issues.assembly.overdue import find_overdue
from newsletter.models import Attempt, Batch, Installation, ProviderEvent, Send, Source

WINDOW = timedelta(minutes=5)
MAX_ROWS = 20_000
QUANTILES = (0.5, 0.95)
_OPEN_SENDS = (Send.State.SUBMITTING, Send.State.PAUSED, Send.State.NEEDS_ATTENTION)
_UNENDED = "open"


@dataclass(frozen=True)
class Waiting:
    """The number of rows that wait, and the seconds that the oldest has waited; 0 if none waits."""

    count: int
    oldest_seconds: float


@dataclass(frozen=True)
class ProviderCalls:
    """The calls to one kind of provider that began in the last five minutes. ``seconds`` maps a quantile to a duration."""

    provider: str
    by_verdict: Counter[str] = field(default_factory=Counter)
    accepted_people: int = 0
    seconds: dict[float, float] = field(default_factory=dict)


def count_sends() -> dict[str, int]:
    """Return the number of sends by state."""
    return _count_by_state(Send.objects.order_by(), states=Send.State.values)


def count_open_batches() -> dict[str, int]:
    """Return the number of batches by state, of sends that have not ended."""
    batches = Batch.objects.filter(send__state__in=_OPEN_SENDS).order_by()
    return _count_by_state(batches, states=Batch.State.values)


def find_waiting_batches(*, now: datetime) -> Waiting:
    """Count the batches of running sends that may be sent at once and are not being sent."""
    due = Batch.objects.due(now=now).filter(state=Batch.State.PENDING, send__state=Send.State.SUBMITTING)
    since = Coalesce("not_before", "due_at", "send__started_at")
    return _waiting(**due.aggregate(count=Count("pk"), since=Min(since)), now=now)


def find_waiting_reports(*, now: datetime) -> Waiting:
    """Count the provider's reports that were received and not applied yet."""
    waiting = ProviderEvent.objects.filter(applied_at=None, result=ProviderEvent.Result.WAITING)
    return _waiting(**waiting.aggregate(count=Count("pk"), since=Min("received_at")), now=now)


def count_recent_reports(*, now: datetime) -> dict[str, int]:
    """Return the number of reports received in the last five minutes by result, of the newest 20,000."""
    newest = ProviderEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0
    recent = ProviderEvent.objects.filter(pk__gt=newest - MAX_ROWS, received_at__gt=now - WINDOW).order_by()
    counts = dict(recent.values_list("result").annotate(count=Count("pk")))
    return {result or "waiting": counts.get(result, 0) for result in ProviderEvent.Result.values}


def read_provider_calls(*, now: datetime) -> Iterator[ProviderCalls]:
    """Yield the calls of the last five minutes by kind of provider, of the newest 20,000."""
    newest = Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0
    recent = Attempt.objects.filter(pk__gt=newest - MAX_ROWS, started_at__gt=now - WINDOW).order_by()
    calls: dict[str, ProviderCalls] = {}
    people: Counter[str] = Counter()
    durations: dict[str, list[float]] = {}
    for account, outcome, size, started_at, ended_at in recent.values_list(
        "provider", "outcome", "people", "started_at", "ended_at"
    ):
        kind = account.partition(":")[0] or "unknown"
        calls.setdefault(kind, ProviderCalls(kind)).by_verdict[outcome or _UNENDED] += 1
        if outcome == "accepted":
            people[kind] += size
        if ended_at is not None:
            durations.setdefault(kind, []).append((ended_at - started_at).total_seconds())
    for kind, counted in calls.items():
        seconds = sorted(durations.get(kind, []))
        quantiles = {share: seconds[min(int(share * len(seconds)), len(seconds) - 1)] for share in QUANTILES if seconds}
        yield ProviderCalls(kind, counted.by_verdict, people[kind], quantiles)


def count_sources() -> tuple[int, int]:
    """Return how many sources are read, and how many of these failed the last time."""
    enabled = Source.objects.filter(enabled=True).order_by()
    return enabled.count(), enabled.filter(failures__gt=0).count()


def count_overdue_issues(*, now: datetime) -> int:
    return find_overdue(now=now).count()


def find_backup_age(*, now: datetime) -> float | None:
    """Return the seconds since the newest complete archive was made, or None if none is known."""
    made_at = Installation.objects.values_list("backed_up_at", flat=True).first()
    return max((now - made_at).total_seconds(), 0.0) if made_at else None


def is_held() -> bool:
    """Return True if all sending is stopped."""
    return Installation.objects.filter(held=True).exists()


def _count_by_state(rows: QuerySet[Send] | QuerySet[Batch], *, states: list[str]) -> dict[str, int]:
    counts = dict(rows.values_list("state").annotate(count=Count("pk")))
    return {state: counts.get(state, 0) for state in states}


def _waiting(*, count: int, since: datetime | None, now: datetime) -> Waiting:
    return Waiting(count, max((now - since).total_seconds(), 0.0) if since else 0.0)
