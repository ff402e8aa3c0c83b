"""The statements that every call to a provider needs, compiled once or written by hand.

Django needs several times as long to build one as the database to run it. With 50 people in a call, that was a third of a
sender's time. All other statements about batches are built by Django.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from newsletter.common.database.prepared_rows import PreparedRows
from newsletter.common.messages import dumps
from newsletter.models import Attempt, Batch

_BATCHES = PreparedRows(
    lambda ids: (
        Batch.objects.filter(pk__in=ids).order_by().values_list("account", "state", "attempt_number", "lease_until")
    )
)
_MARK = """
UPDATE {batches} SET state = %s, attempt_number = %s, handed_to = %s, lease_until = %s, reason = '', code = ''
WHERE id = %s AND state = %s
"""
_BEGIN_ATTEMPT = """
INSERT INTO {attempts} (batch_id, n, provider, people, started_at, outcome, detail, code, fingerprints)
VALUES (%s, %s, %s, %s, %s, '', '', '', %s)
"""
_END_ATTEMPT = """
UPDATE {attempts} SET ended_at = %s, outcome = %s, detail = %s, code = %s, fingerprints = %s
WHERE batch_id = %s AND n = %s AND ended_at IS NULL
"""
_SETTLE = """
UPDATE {batches} SET state = %s, reason = %s, code = %s, lease_until = NULL, handed_to = %s, provider_id = %s,
       not_before = %s, settled_at = %s
WHERE id = %s AND attempt_number = %s AND state IN ({states})
"""


class BatchRow(NamedTuple):
    """The values of a batch that a call changes."""

    account: str
    state: str
    attempt_number: int
    lease_until: datetime | None


class Settlement(NamedTuple):
    """The state of a batch after an attempt. ``handed_to`` is the account that may have got its mails, "" if none did.

    A batch that waits for another attempt has ``not_before``; any other has ``settled_at``.
    """

    state: Batch.State
    reason: str
    code: Batch.Code
    handed_to: str
    provider_id: str
    not_before: datetime | None
    settled_at: datetime | None


def read_batch(batch_id: int) -> BatchRow | None:
    """Return the row as it is now, None if there is none."""
    rows = _BATCHES.read([batch_id])
    return BatchRow(*rows[0]) if rows else None


def mark_submitting(batch: Batch, *, account: str, lease_until: datetime) -> bool:
    """Move a pending batch to submitting, with the next attempt number and its account. Return False if it was not pending.

    The row in memory changes too.
    """
    number = batch.attempt_number + 1
    values = [Batch.State.SUBMITTING, number, account, _adapt(lease_until), batch.pk, Batch.State.PENDING]
    if not _execute(_MARK, values):
        return False
    batch.state, batch.attempt_number, batch.handed_to = Batch.State.SUBMITTING, number, account
    batch.lease_until, batch.reason, batch.code = lease_until, "", Batch.Code.NONE
    return True


def begin_attempt(batch: Batch, *, provider: str, people: int, now: datetime) -> None:
    """Write the attempt of a batch that was marked, without an end."""
    _execute(_BEGIN_ATTEMPT, [batch.pk, batch.attempt_number, provider, people, _adapt(now), b""])


def end_attempt(
    batch: Batch, *, outcome: str, detail: str, code: Attempt.Code, fingerprints: bytes, now: datetime
) -> None:
    """Write the end of the batch's attempt, unless it has one."""
    values = [_adapt(now), outcome, dumps(detail), code, fingerprints, batch.pk, batch.attempt_number]
    _execute(_END_ATTEMPT, values)


def settle_batch(batch: Batch, settlement: Settlement, *, from_states: Sequence[Batch.State]) -> bool:
    """Write the state of a batch after its attempt. Return False if it has a newer attempt, or is in none of ``from_states``."""
    state, reason, code, handed_to, provider_id, not_before, settled_at = settlement
    changes = [state, dumps(reason), code, handed_to, provider_id, _adapt(not_before), _adapt(settled_at)]
    states = ", ".join(["%s"] * len(from_states))
    return bool(_execute(_SETTLE, [*changes, batch.pk, batch.attempt_number, *from_states], states=states))


def _execute(statement: str, values: Sequence[Any], **parts: str) -> int:
    """Run a statement and return the number of its rows."""
    sql = statement.format(batches=Batch._meta.db_table, attempts=Attempt._meta.db_table, **parts)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def _adapt(moment: datetime | None) -> Any:
    return None if moment is None else connection.ops.adapt_datetimefield_value(moment)
