"""The statements that run once for every batch, as text: the ORM takes longer to write them than a database to run them.

Each is a compare-and-set on the batch's own row, so that of two who try one finds nothing to change. They decide nothing
else: which batches may go is said in ``claim``, who may be mailed in ``readers``, what an outcome means in ``outcome``.
"""

from datetime import datetime
from typing import Any

from django.db import connection

from newsletter.models import Batch
from newsletter.sending.dispatching.compiled_queries import CompiledQuery, to_database_time

_NEEDED = {"id", "send_id", "seq", "variant_id", "part", "size", "key", "attempts"}
# In the order of the model, whatever that is: a row is read by it.
_BATCH = tuple(field.attname for field in Batch._meta.concrete_fields if field.attname in _NEEDED)
# The state is compared on the row itself too: a database looks at that again where another's claim came between.
_TAKE = """
UPDATE newsletter_batch SET state = 'submitting', attempts = attempts + 1, lease_until = %s, reason = ''
WHERE id = %s AND state = 'pending' AND id IN ({may_go})
RETURNING {columns}
"""
_BEGIN = """
INSERT INTO newsletter_attempt (batch_id, n, provider, people, started_at, outcome, detail)
VALUES (%s, %s, %s, %s, %s, '', '')
"""
_HOLDS = "SELECT 1 FROM newsletter_batch WHERE id = %s AND state = 'submitting' AND attempts = %s AND lease_until > %s"
_END = """
UPDATE newsletter_attempt SET ended_at = %s, outcome = %s, detail = %s
WHERE batch_id = %s AND n = %s AND ended_at IS NULL
"""
_SETTLE = """
UPDATE newsletter_batch
SET state = %s, reason = %s, lease_until = NULL, provider_id = %s, not_before = %s, settled_at = %s
WHERE id = %s AND attempts = %s AND state IN ('submitting', %s)
"""


def take_batch(batch_id: int, *, may_go: CompiledQuery, lease_until: datetime, now: datetime) -> Batch | None:
    """pending -> submitting, one attempt further. None where another has it or it is not the row that ``may_go`` finds."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE.format(may_go=may_go.sql, columns=", ".join(_BATCH)),
            [to_database_time(lease_until), batch_id, *may_go.fill(moment=now, row=batch_id)],
        )
        row = cursor.fetchone()
    return None if row is None else Batch.from_db(connection.alias, _BATCH, row)


def begin_attempt(batch: Batch, *, provider: str, people: int, now: datetime) -> None:
    """Raises IntegrityError where the batch has this attempt, or an open one, already."""
    _run(_BEGIN, batch.pk, batch.attempts, provider, people, to_database_time(now))


def holds_lease(batch_id: int, *, n: int, now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDS, [batch_id, n, to_database_time(now)])
        return cursor.fetchone() is not None


def end_attempt(batch_id: int, *, n: int, outcome: str, detail: str, now: datetime) -> None:
    _run(_END, to_database_time(now), outcome, detail, batch_id, n)


def settle_batch(
    batch_id: int,
    *,
    n: int,
    state: str,
    reason: str,
    provider_id: str,
    not_before: datetime | None,
    settled_at: datetime | None,
) -> bool:
    """submitting -> ``state``. False, changing nothing, where the claim ``n`` was lost meanwhile.

    What the provider accepted is evidence, however late it comes: it settles the batch that was given up as uncertain too.
    """
    given_up = "uncertain" if state in (Batch.State.ACCEPTED, Batch.State.PARTIAL) else "submitting"
    moments = (to_database_time(not_before), to_database_time(settled_at))
    return bool(_run(_SETTLE, state, reason, provider_id, *moments, batch_id, n, given_up))


def _run(sql: str, *parameters: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)
