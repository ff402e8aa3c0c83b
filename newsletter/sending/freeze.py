"""Freezes the audience: one INSERT…SELECT gives everybody who may be mailed now a delivery, a variant and a batch.

All of it reads one snapshot of the database, so that candidates = recipients + excluded holds to the person.
"""

import math
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count

from newsletter.errors import Broken, NotReady
from newsletter.issues.approve import require_approval
from newsletter.issues.audience import NO_EVENT_NEAR, count_people, find_groups, find_people
from newsletter.issues.checks import require_fit
from newsletter.issues.variants import make_variants
from newsletter.models import Approval, Batch, Delivery, Issue, ReaderGroup, Send, Variant, move
from newsletter.providers.contract import Capabilities
from newsletter.providers.measure import mail_bytes, variable_bytes
from newsletter.sending.call import read_letter
from newsletter.sending.day import smallest_limit

TRIES = 5
_LONG = "W" * 120
LONGEST_FIELDS = {
    **dict.fromkeys(("name", "first_name", "city", "region"), _LONG),
    **dict.fromkeys(("unsubscribe", "preferences"), "https://" + _LONG),
}

_GROUP = ("place_ref", "giving_ref", "radius_ref", "frequency_ref")
_INSERT = """
INSERT INTO newsletter_delivery (issue_id, batch_id, subscriber_id, address_hash, proof)
WITH person (subscriber, address_hash, place, giving, radius, frequency) AS ({eligible})
SELECT %s, batch.id, reader.subscriber, reader.address_hash, %s
FROM (
    SELECT person.subscriber AS subscriber, SUBSTR(person.address_hash, 1, 16) AS address_hash, grp.variant_id AS variant_id,
           ROW_NUMBER() OVER (PARTITION BY grp.variant_id ORDER BY person.subscriber) - 1 AS position
    FROM person
    JOIN newsletter_readergroup AS grp
      ON grp.revision_id = %s AND grp.place_id = person.place AND grp.giving = person.giving
     AND grp.radius_km = person.radius AND grp.frequency = person.frequency AND grp.variant_id IS NOT NULL
) AS reader
JOIN newsletter_batch AS batch
  ON batch.send_id = %s AND batch.variant_id = reader.variant_id AND batch.part = reader.position / %s
"""


def freeze_audience(*, send: Send, capabilities: Capabilities, now: datetime) -> None:
    """preparing -> ready. Raises NotApproved when the content is no longer the approved one, NotReady when nobody is left."""
    approval = require_approval(send.issue)
    require_fit(approval.revision.content, at=now)
    for _ in range(TRIES):
        variants = make_variants(revision=approval.revision, groups=find_groups(send.issue, now=now))
        cut = cut_for(variants, capabilities=capabilities)
        cut = min(cut, smallest_limit(send.issue.publication, now=now) or cut)
        if _freeze(send=send, approval=approval, max_batch=cut, now=now):
            _refresh_statistics()
            return
    raise NotReady(f"People keep moving on the list of {send.issue} while it is being prepared. Try again in a minute.")


def cut_for(variants: Sequence[Variant], *, capabilities: Capabilities) -> int:
    """How many people go into one call, by count and by bytes. Raises NotReady where the issue is too big for even one."""
    people = capabilities.max_batch
    for variant in variants:
        letter = read_letter(variant)
        people = min(
            people,
            capabilities.people_for(
                mail_bytes=mail_bytes(letter.mail), variable_bytes=variable_bytes(letter.values(LONGEST_FIELDS))
            ),
        )
    if people < 1:
        raise NotReady(f"The issue is too big for {capabilities.name}: not even one mail fits into a call. Shorten it.")
    return people


@transaction.atomic
def _freeze(*, send: Send, approval: Approval, max_batch: int, now: datetime) -> bool:
    """One try. False, with nothing written, where somebody came to a place that has no variant yet."""
    issue = send.issue
    _read_one_snapshot()
    if not Send.objects.filter(pk=send.pk, state=Send.State.PREPARING).exists():
        return True
    counted = count_people(issue, now=now)
    sizes, nothing = _count_by_variant(issue=issue, revision_id=approval.revision_id, now=now)
    placed = sum(people for _, people in sizes)
    if placed + nothing < counted.eligible:
        return False
    excluded = {**counted.excluded, **({NO_EVENT_NEAR: nothing} if nothing else {})}
    if not placed:
        raise NotReady(f"Nobody is left who may be mailed: {_in_words(excluded)}.")
    _cut_batches(send=send, sizes=sizes, max_batch=max_batch)
    written = _write_deliveries(send=send, revision_id=approval.revision_id, max_batch=max_batch, now=now)
    if written != placed or counted.candidates != written + sum(excluded.values()):
        raise Broken(f"The audience of {issue} does not add up: {counted} but {written} deliveries. Nothing was sent.")
    moved = move(
        send,
        of=[Send.State.PREPARING],
        to=Send.State.READY,
        revision=approval.revision,
        sha256=approval.sha256,
        candidates=counted.candidates,
        recipients=written,
        excluded=excluded,
    )
    if not moved:
        raise Broken(f"{send} was moved while its audience was being frozen. Nothing was sent.")
    return True


def _count_by_variant(*, issue: Issue, revision_id: int, now: datetime) -> tuple[list[tuple[int, int]], int]:
    """(variant id, people) in a stable order, as the snapshot has them, and how many people have nothing to get."""
    by_group = ("place_id", "giving", "radius_km", "frequency")
    variants = {
        tuple(group): variant
        for *group, variant in ReaderGroup.objects.filter(revision=revision_id).values_list(*by_group, "variant_id")
    }
    sizes: dict[int, int] = {}
    nothing = 0
    rows = find_people(issue, now=now).values_list(*_GROUP).annotate(people=Count("pk"))
    for *group, people in rows:
        if tuple(group) not in variants:
            continue
        variant = variants[tuple(group)]
        if variant is None:
            nothing += people
        else:
            sizes[variant] = sizes.get(variant, 0) + people
    return sorted(sizes.items()), nothing


def _cut_batches(*, send: Send, sizes: Sequence[tuple[int, int]], max_batch: int) -> None:
    batches: list[Batch] = []
    for variant, people in sizes:
        for part in range(math.ceil(people / max_batch)):
            size = min(max_batch, people - part * max_batch)
            batches.append(
                Batch(
                    send=send,
                    seq=len(batches) + 1,
                    variant_id=variant,
                    part=part,
                    size=size,
                    key=f"{send.pk}-{len(batches) + 1}-{secrets.token_hex(8)}",
                )
            )
    Batch.objects.bulk_create(batches, batch_size=1000)


def _write_deliveries(*, send: Send, revision_id: int, max_batch: int, now: datetime) -> int:
    people = find_people(send.issue, now=now).values_list("subscriber_ref", "hash_ref", *_GROUP)
    sql, parameters = people.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT.format(eligible=sql), [*parameters, send.issue_id, False, revision_id, send.pk, max_batch]
        )
        return int(cursor.rowcount)


def _read_one_snapshot() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _refresh_statistics() -> None:
    """PostgreSQL plans the send's queries badly until it knows the new rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {Delivery._meta.db_table}, {Batch._meta.db_table}")


def _in_words(excluded: dict[str, int]) -> str:
    return ", ".join(f"{people} {reason}" for reason, people in excluded.items()) or "the list is empty"
