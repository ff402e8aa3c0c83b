"""The uncertain batches of a send: their recipients, what the provider's log can be searched for, and the possible steps."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import F, Min, Q, Sum, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from newsletter.desk.preview.person import can_preview_people
from newsletter.desk.sends.accounts import label_account
from newsletter.desk.shell.labels import format_reason
from newsletter.models import Batch, Delivery, DeliveryException, Send
from subscribers.models import Subscriber

MAX_BATCHES_SHOWN = 50
MAX_PEOPLE_SHOWN = 10


@dataclass(frozen=True)
class UncertainBatch:
    """``attempted_at`` is the time of the first attempt. ``who`` are (masked address, URL), ``more`` counts the others."""

    batch: Batch
    reason: str
    attempted_at: datetime | None
    account: str
    who: list[tuple[str, str]]
    more: int


class UncertainContext(TypedDict):
    """``can_open_people`` is True for staff who may see subscribers.

    ``can_repeat`` is False after the send was stopped permanently: then nothing of it is sent again.
    """

    uncertain: list[UncertainBatch]
    uncertain_people: int
    uncertain_more: int
    can_open_people: bool
    can_repeat: bool


def uncertain_context(send: Send | None, *, user: User | AnonymousUser) -> UncertainContext:
    """Return the oldest uncertain batches. There are none once the recipients of the send are deleted."""
    if send is None or send.totals is not None:
        return {
            "uncertain": [],
            "uncertain_people": 0,
            "uncertain_more": 0,
            "can_open_people": False,
            "can_repeat": False,
        }
    batches = send.batches.filter(state=Batch.State.UNCERTAIN)
    listed = list(batches.annotate(attempted_at=Min("attempts__started_at")).order_by("seq")[:MAX_BATCHES_SHOWN])
    can_open = can_preview_people(user)
    people = _find_first_people(listed) if can_open else {}
    return {
        "uncertain": [_describe(batch, people.get(batch.pk, [])) for batch in listed],
        "uncertain_people": batches.aggregate(people=Sum("size"))["people"] or 0,
        "uncertain_more": max(batches.count() - MAX_BATCHES_SHOWN, 0),
        "can_open_people": can_open,
        "can_repeat": send.state != Send.State.CANCELLED,
    }


def _find_first_people(batches: Collection[Batch]) -> dict[int, list[Subscriber]]:
    """Return some uncertain people of each batch, by its id. Erased people are left out."""
    first: dict[int, list[int]] = defaultdict(list)
    unsettled = Q(exception=None) | Q(exception__state__in=["", DeliveryException.State.UNCERTAIN])
    position = Window(RowNumber(), partition_by=[F("batch")], order_by=["pk"])
    deliveries = Delivery.objects.filter(unsettled, batch__in=[batch.pk for batch in batches])
    shown = deliveries.annotate(position=position).filter(position__lte=MAX_PEOPLE_SHOWN)
    for batch, person in shown.values_list("batch", "subscriber_id"):
        first[batch].append(person)
    people = Subscriber.objects.in_bulk({person for ids in first.values() for person in ids})
    return {batch.pk: [people[person] for person in first[batch.pk] if person in people] for batch in batches}


def _describe(batch: Batch, people: list[Subscriber]) -> UncertainBatch:
    return UncertainBatch(
        batch,
        format_reason(batch.reason),
        attempted_at=getattr(batch, "attempted_at", None),
        account=label_account(batch.account),
        who=[(str(person), reverse("subscribers_person", args=[person.pk])) for person in people],
        more=batch.size - len(people),
    )
