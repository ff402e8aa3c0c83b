"""Move the deliveries of a cancelled send that reached nobody to the send that completes it."""

from collections.abc import Mapping

from django.db import connection
from django.db.models import Count, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from newsletter.issues.variants.unreached import SENT_BY_COMPLETION, find_unreached
from newsletter.models import Batch, Delivery, Send
from newsletter.sending.freezing.audience_snapshot import fill_placing

_MOVE_DELIVERIES = """
UPDATE {deliveries} SET batch_id = placed.batch
FROM (
    SELECT recipient.delivery, batch.id AS batch
    FROM (
        SELECT old.id AS delivery, grp.variant,
               {first_part} AS first_part,
               ROW_NUMBER() OVER (PARTITION BY grp.variant{by_hour} ORDER BY person.subscriber) - 1 AS position
        FROM audience_snapshot_rows AS person
        JOIN audience_snapshot_groups AS grp ON {same_group} AND grp.variant IS NOT NULL
        {join_parts}
        JOIN ({unreached}) AS old ON old.subscriber_id = person.subscriber
        WHERE person.why = ''
    ) AS recipient
    JOIN {batches} AS batch
      ON batch.send_id = %s AND batch.variant_id = recipient.variant
     AND batch.part = recipient.first_part + recipient.position / %s
) AS placed
WHERE {deliveries}.id = placed.delivery
"""


def move_deliveries(send: Send, *, completes: int, constants: Mapping[str, int | str], max_batch: int) -> int:
    """Give the unreached deliveries of the issue ``completes`` a batch of this send. Return how many.

    They keep their issue, so that nobody gets two parts of it. The cancelled send counts them as excluded from then on.
    """
    old_sends = Send.objects.filter(issue=completes, state=Send.State.CANCELLED, totals__isnull=True)
    unreached, parameters = find_unreached(completes).values("id", "subscriber_id").order_by().query.sql_with_params()
    sql = fill_placing(_MOVE_DELIVERIES, send, constants=constants, unreached=unreached)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, send.pk, max_batch])
        moved = int(cursor.rowcount)
    for old in old_sends:
        _count_moved(old)
    return moved


def _count_moved(send: Send) -> None:
    """Correct the sizes of the batches and the receipt of a cancelled send after deliveries moved away."""
    counts = Delivery.objects.filter(batch=OuterRef("pk")).order_by().values("batch").annotate(people=Count("pk"))
    batches = send.batches.filter(state=Batch.State.PENDING)
    batches.update(size=Coalesce(Subquery(counts.values("people")), 0))
    people = send.batches.aggregate(people=Sum("size"))["people"] or 0
    moved = send.recipients - people
    if moved:
        already = send.excluded.get(SENT_BY_COMPLETION, 0)
        excluded = {**send.excluded, SENT_BY_COMPLETION: already + moved}
        Send.objects.filter(pk=send.pk).update(recipients=people, excluded=excluded)
