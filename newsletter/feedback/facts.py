"""What is true of one delivery after all that was told: the earliest time of each thing, and the worst bounce.

Written so that the order in which things are told changes nothing (W7).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from newsletter.models import DeliveryException, ProviderEvent
from newsletter.models.feedback import Bounce
from newsletter.providers.base.webhooks.events import BounceClass, FeedbackKind

_SEVERITY = {BounceClass.HARD.value: 3, BounceClass.SOFT.value: 2, BounceClass.BLOCK.value: 1}
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_TIMES = ("bounced_at", "complained_at", "unsubscribed_at")
_FIELDS = {
    FeedbackKind.BOUNCED.value: "bounced_at",
    FeedbackKind.COMPLAINED.value: "complained_at",
    FeedbackKind.UNSUBSCRIBED.value: "unsubscribed_at",
}


@dataclass(frozen=True)
class BounceFact:
    """One bounce: its class, the receiving server's code and words, and when."""

    bounce_class: str
    status: str
    reason: str
    at: datetime

    def supersedes(self, other: "BounceFact | None") -> bool:
        """Whether this is the one to keep: the worse; of equals the earlier; of those whatever reads first."""
        return other is None or self._rank() < other._rank()

    def _rank(self) -> tuple[int, datetime, str, str]:
        return -_SEVERITY[self.bounce_class], self.at, self.status, self.reason


@dataclass(frozen=True)
class Facts:
    """The three first-wins times of a delivery, and its bounce. That it was delivered is a bit elsewhere."""

    bounced_at: datetime | None = None
    complained_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    bounce: BounceFact | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in _TIMES)

    def add(self, event: ProviderEvent) -> "Facts":
        """These facts and what the event tells; an event that tells of none of the three leaves them as they are."""
        name = _FIELDS.get(event.kind)
        if name is None:
            return self
        at = find_event_time(event)
        known = getattr(self, name)
        changed: dict[str, Any] = {name: at if known is None else min(known, at)}
        bounce = _bounce(event, at=at) if event.kind == FeedbackKind.BOUNCED.value else None
        if bounce is not None and bounce.supersedes(self.bounce):
            changed["bounce"] = bounce
        return replace(self, **changed)


def find_event_time(event: ProviderEvent) -> datetime:
    """When it happened as the provider says, and never after we heard of it."""
    said = event.body.get("at")
    return min(datetime.fromisoformat(said), event.received_at) if said else event.received_at


def load_facts(deliveries: Iterable[int]) -> dict[int, Facts]:
    """What is on record of these deliveries already."""
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
    """Put them on record beside whatever other workers wrote: an earlier time wins in the database itself."""
    some = {pk: each for pk, each in sorted(facts.items()) if each}
    _write_times(some, now=now)
    Bounce.objects.bulk_create(
        (
            Bounce(
                delivery_id=pk,
                bounce_class=each.bounce.bounce_class,
                status=each.bounce.status,
                reason=each.bounce.reason,
                at=each.bounce.at,
            )
            for pk, each in some.items()
            if each.bounce
        ),
        update_conflicts=True,
        unique_fields=["delivery"],
        update_fields=["bounce_class", "status", "reason", "at"],
    )


def redact_addresses(words: str) -> str:
    """The words of a receiving server often name the reader; reports need the words and not the name."""
    return _ADDRESS.sub("(address)", words)[:300]


def _bounce(event: ProviderEvent, *, at: datetime) -> BounceFact:
    said = str(event.body.get("class", ""))
    return BounceFact(
        bounce_class=said if said in _SEVERITY else BounceClass.BLOCK.value,
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
    sql = (
        f"INSERT INTO {name} (delivery_id, state, reason, at, {', '.join(_TIMES)}) "  # noqa: S608 - names of ours
        f"VALUES (%s, '', '', %s, %s, %s, %s) ON CONFLICT (delivery_id) DO UPDATE SET {earlier}"
    )
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.executemany(
            sql,
            [
                (pk, adapt(now), *(adapt(getattr(each, field)) if getattr(each, field) else None for field in _TIMES))
                for pk, each in facts.items()
            ],
        )
