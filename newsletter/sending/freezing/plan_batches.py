"""Divide an audience into batches: one variant each, one hour each, no more people than fit into a call.

Readers in zones with the same hour share batches. The batches of an earlier hour come first.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import Max

from newsletter.common.errors import NotReady
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.reader_zones import LocalHour, find_hour, group_by_hour
from newsletter.models import Batch, Send, Variant
from newsletter.providers.base.contract import Capabilities, count_mail_bytes, count_variable_bytes
from newsletter.sending.build_call import ADDRESS_FIELD, make_mail, plan_variant_values, read_variables
from newsletter.sending.limits.split_batches import make_batch_key

_LONG = "W" * 120
LONGEST_VALUES = {
    **dict.fromkeys(("name", "first_name", "city", "region"), (_LONG,)),
    **dict.fromkeys(("unsubscribe", "preferences"), ("https://" + _LONG,)),
    ADDRESS_FIELD: (_LONG,),
}


class Share(NamedTuple):
    """The number of people who get one variant in one zone. The zone is "" if everybody gets it at once.

    ``waits``: they get it, or one with another subject, after the decision of a subject test.
    """

    variant: int
    zone: str
    people: int
    waits: bool = False


class FirstPart(NamedTuple):
    """The number of the first batch of a variant for the people of a zone. Zones with the same hour have the same one.

    The zone is "" for people who are added to a send: their batches follow those that the variant has.
    """

    variant: int
    zone: str
    part: int


@dataclass(frozen=True)
class BatchPlan:
    """The unsaved batches. ``first_parts`` and ``hours`` are empty if everybody gets it at once and nobody got it before."""

    batches: list[Batch] = field(default_factory=list)
    first_parts: list[FirstPart] = field(default_factory=list)
    hours: list[LocalHour] = field(default_factory=list)


def find_batch_size(variants: Sequence[Variant], *, content: IssueContent, capabilities: Capabilities) -> int:
    """Return how many people fit into one call by number, by bytes, and by what a slow rate allows in an hour.

    Raise NotReady if not even one fits.
    """
    people = capabilities.max_batch
    if capabilities.people_per_second:
        people = min(people, max(int(capabilities.people_per_second * 3600), 1))
    for variant in variants:
        values = plan_variant_values(read_variables(variant))
        people = min(
            people,
            capabilities.count_people_per_call(
                mail_bytes=count_mail_bytes(make_mail(variant=variant, content=content)),
                variable_bytes=count_variable_bytes(values(LONGEST_VALUES)[0]),
            ),
        )
    if people < 1:
        raise NotReady(
            "The issue is too big for %(name)s: not even one mail fits into a call. Nothing was sent. Shorten the issue.",
            name=capabilities.name,
        )
    return people


def plan_batches(shares: Sequence[Share], *, send: Send, max_batch: int) -> BatchPlan:
    """Return the batches of the send, in the order in which they are to go, after those that it has."""
    sizes: Counter[tuple[datetime | None, int]] = Counter()
    zones: defaultdict[tuple[datetime | None, int], list[str]] = defaultdict(list)
    people_by_zone: Counter[str] = Counter()
    waiting = {share.variant for share in shares if share.waits}
    for share in shares:
        at = find_hour(share.zone, local_time=send.local_time) if share.zone else None
        sizes[at, share.variant] += share.people
        zones[at, share.variant].append(share.zone)
        people_by_zone[share.zone] += share.people
    plan = BatchPlan(hours=group_by_hour(people_by_zone, local_time=send.local_time) if send.local_time else [])
    next_parts: Counter[int] = Counter()
    last_seq = 0
    if send.period:
        last_seq = send.batches.aggregate(last=Max("seq"))["last"] or 0
        next_parts.update(dict(send.batches.order_by().values_list("variant").annotate(next=Max("part") + 1)))
    for (at, variant), people in sorted(sizes.items(), key=lambda group: (group[0][0] or send.made_at, group[0][1])):
        first = next_parts[variant]
        if at is not None or send.period:
            plan.first_parts.extend(FirstPart(variant, zone, first) for zone in zones[at, variant])
        for start in range(0, people, max_batch):
            seq = last_seq + len(plan.batches) + 1
            plan.batches.append(
                Batch(
                    send=send,
                    seq=seq,
                    variant_id=variant,
                    part=first + start // max_batch,
                    size=min(max_batch, people - start),
                    key=make_batch_key(send.pk, seq),
                    account=send.issue.publication.account,
                    due_at=at,
                    waits=variant in waiting,
                )
            )
        next_parts[variant] += math.ceil(people / max_batch)
    return plan
