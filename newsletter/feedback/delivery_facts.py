"""The facts about one delivery: the earliest bounce, complaint and unsubscribe, and the most serious bounce.

The order of the events does not matter.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from newsletter.common.database.bulk_sql import start_insert
from newsletter.models import DeliveryException, ProviderEvent
from newsletter.models.feedback import Bounce
from newsletter.providers.base.webhooks.events import BounceClass, FeedbackKind

_SEVERITY = {
    BounceClass.HARD.value: 3,
    BounceClass.SOFT.value: 2,
    BounceClass.BLOCK.value: 1,
    BounceClass.SUPPRESSED.value: 0,
}
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_TIMES = ("bounced_at", "complained_at", "unsubscribed_at")
_FIELDS = {
    FeedbackKind.BOUNCED.value: "bounced_at",
    FeedbackKind.COMPLAINED.value: "complained_at",
    FeedbackKind.UNSUBSCRIBED.value: "unsubscribed_at",
}


@dataclass(frozen=True)
class BounceFact:
    """One bounce: its class, the receiving server's code and text, and its time."""

    bounce_class: str
    status: str
    reason: str
    at: datetime

    def supersedes(self, other: "BounceFact | None") -> bool:
        """Return True if this bounce replaces the other: it is more serious, or earlier, or first in the alphabet."""
        return other is None or self._rank() < other._rank()

    def _rank(self) -> tuple[int, datetime, str, str]:
        return -_SEVERITY[self.bounce_class], self.at, self.status, self.reason


@dataclass(frozen=True)
class Facts:
    """The earliest times of a delivery and its bounce. `Delivered` keeps whether it was delivered."""

    bounced_at: datetime | None = None
    complained_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    bounce: BounceFact | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in _TIMES)

    def add(self, event: ProviderEvent) -> "Facts":
        """Return these facts together with those of an event."""
        name = _FIELDS.get(event.kind)
        if name is None:
            return self
        at = find_event_time(event)
        earlier = getattr(self, name)
        times = {field: getattr(self, field) for field in _TIMES} | {name: at if earlier is None else min(earlier, at)}
        facts = Facts(**times, bounce=self.bounce)
        bounce = _read_bounce(event, at=at) if event.kind == FeedbackKind.BOUNCED.value else None
        return replace(facts, bounce=bounce) if bounce is not None and bounce.supersedes(self.bounce) else facts


def find_event_time(event: ProviderEvent) -> datetime:
    """Return when it happened by the provider's clock, but not later than when we received the event."""
    reported_at = event.body.get("at")
    return min(datetime.fromisoformat(reported_at), event.received_at) if reported_at else event.received_at


def load_facts(deliveries: Iterable[int]) -> dict[int, Facts]:
    """Return the stored facts of these deliveries."""
    ids = list(deliveries)
    bounces = {
        pk: BounceFact(bounce_class, status, reason, at)
        for pk, bounce_class, status, reason, at in Bounce.objects.filter(delivery__in=ids).values_list(
            "delivery_id", "bounce_class", "status", "reason", "at"
        )
    }
    rows = DeliveryException.objects.filter(delivery__in=ids).values_list("delivery_id", *_TIMES)
    return {
        pk: Facts(bounced, complained, unsubscribed, bounces.get(pk)) for pk, bounced, complained, unsubscribed in rows
    }


def write_facts(facts: Mapping[int, Facts], *, now: datetime) -> None:
    """Store facts. The database keeps the earlier time if another worker wrote one too."""
    nonempty = {pk: fact for pk, fact in sorted(facts.items()) if fact}
    _write_times(nonempty, now=now)
    Bounce.objects.bulk_create(
        (
            Bounce(
                delivery_id=pk,
                bounce_class=fact.bounce.bounce_class,
                status=fact.bounce.status,
                reason=fact.bounce.reason,
                at=fact.bounce.at,
            )
            for pk, fact in nonempty.items()
            if fact.bounce
        ),
        update_conflicts=True,
        unique_fields=["delivery"],
        update_fields=["bounce_class", "status", "reason", "at"],
    )


def redact_addresses(text: str) -> str:
    """Remove email addresses from a receiving server's text, which often names the recipient."""
    return _ADDRESS.sub("(address)", text)[:300]


def _read_bounce(event: ProviderEvent, *, at: datetime) -> BounceFact:
    bounce_class = str(event.body.get("class", ""))
    return BounceFact(
        bounce_class=bounce_class if bounce_class in _SEVERITY else BounceClass.BLOCK.value,
        status=str(event.body.get("status", ""))[:12],
        reason=redact_addresses(str(event.body.get("reason", ""))),
        at=at,
    )


def _write_times(facts: Mapping[int, Facts], *, now: datetime) -> None:
    name = connection.ops.quote_name(DeliveryException._meta.db_table)
    earlier = ", ".join(
        f"{field} = CASE WHEN {name}.{field} IS NULL OR excluded.{field} < {name}.{field} "
        f"THEN COALESCE(excluded.{field}, {name}.{field}) ELSE {name}.{field} END"
        for field in _TIMES
    )
    insert = start_insert(DeliveryException._meta.db_table, ("delivery_id", "state", "reason", "code", "at", *_TIMES))
    sql = f"{insert} VALUES (%s, '', '', '', %s, %s, %s, %s) ON CONFLICT (delivery_id) DO UPDATE SET {earlier}"
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.executemany(
            sql,
            [
                (pk, adapt(now), *(adapt(getattr(fact, field)) if getattr(fact, field) else None for field in _TIMES))
                for pk, fact in facts.items()
            ],
        )
