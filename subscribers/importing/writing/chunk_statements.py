"""The set-based statements that turn a staged chunk into people, subscriptions, evidence and suppressions.

They decide who may be imported: a suppressed address never gets a row, even if the file says “subscribed”.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Q

from subscribers.confirmation_quota import delete_unsent_requests
from subscribers.importing.reading.column_mapping import EACH_LIST
from subscribers.importing.reading.parsed_rows import RowKind
from subscribers.importing.writing.staging_table import insert_staged
from subscribers.models import (
    Basis,
    Confirmation,
    ConsentEvent,
    EndReason,
    Frequency,
    Giving,
    ImportBatch,
    Reason,
    Scope,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.unsubscribing.suppression_journal import JournalEntry, journal_after_commit

SUPPRESSION_BY_KIND: dict[str, tuple[Reason, Scope]] = {
    RowKind.UNSUBSCRIBED_LIST: (Reason.UNSUBSCRIBE, Scope.LIST),
    RowKind.UNSUBSCRIBED_ALL: (Reason.UNSUBSCRIBE, Scope.ALL),
    RowKind.BOUNCED: (Reason.HARD, Scope.ALL),
    RowKind.COMPLAINED: (Reason.COMPLAINT, Scope.ALL),
}
_MAY_JOIN = "kind = 'join' AND suppressed_before IS NULL"
_NO_IMPORT_ID = -1
_NEW_ON_LIST = f"{_MAY_JOIN} AND status_before IS NULL AND subscriber_id IS NOT NULL"

_LOCK_KNOWN = """
SELECT p.id FROM subscribers_subscriber p WHERE p.address_hash IN (SELECT address_hash FROM import_stage)
ORDER BY p.id FOR NO KEY UPDATE
"""
_CLASSIFY = """
UPDATE import_stage SET
  suppressed_before = (SELECT 1 FROM subscribers_suppression s
            WHERE s.removed_at IS NULL AND s.address_hash = import_stage.address_hash
            AND import_stage.kind = 'join' AND (s.scope = 'all' OR s.mailing_list_id = %s) LIMIT 1),
  subscriber_id = (SELECT p.id FROM subscribers_subscriber p WHERE p.address_hash = import_stage.address_hash)
"""
_FIND_STATUS = """
UPDATE import_stage SET status_before =
  (SELECT CASE WHEN u.import_batch_id = %s THEN 'own'
     WHEN u.basis <> 'consent_double_opt_in' OR u.confirmed_at IS NOT NULL THEN 'mailable' ELSE 'waiting' END
   FROM subscribers_subscription u
   WHERE u.ended_at IS NULL AND u.subscriber_id = import_stage.subscriber_id AND u.mailing_list_id = %s)
WHERE subscriber_id IS NOT NULL AND kind = 'join'
"""
_FIND_SUPPRESSED = """
UPDATE import_stage SET status_before =
  (SELECT CASE WHEN s.import_batch_id = %s THEN 'own' ELSE 'suppressed' END
   FROM subscribers_suppression s WHERE s.removed_at IS NULL AND s.address_hash = import_stage.address_hash
   AND s.reason = %s AND s.scope = %s AND (s.scope = 'all' OR s.mailing_list_id = %s) LIMIT 1)
WHERE kind = %s
"""
_FIND_CHANGED = """
UPDATE import_stage SET changed =
  (SELECT 1 FROM subscribers_subscriber p WHERE p.id = import_stage.subscriber_id AND (
     (import_stage.name <> '' AND import_stage.name <> p.name)
     OR (import_stage.language <> '' AND import_stage.language <> p.language)
     OR (import_stage.giving <> '' AND import_stage.giving <> p.giving)
     OR (import_stage.timezone <> '' AND import_stage.timezone <> p.timezone)
     OR (import_stage.source <> '' AND import_stage.source <> p.source)
     OR (import_stage.place_id IS NOT NULL AND import_stage.place_id <> COALESCE(p.place_id, 0))))
WHERE subscriber_id IS NOT NULL AND kind = 'join' AND suppressed_before IS NULL
"""
_FIND_RENEWED = """
UPDATE import_stage SET renewed = 1, changed = 1
WHERE kind = 'join' AND suppressed_before IS NULL AND status_before IN ('mailable', 'own') AND EXISTS
  (SELECT 1 FROM subscribers_subscription u WHERE u.ended_at IS NULL AND u.basis = 'casl_implied'
   AND u.subscriber_id = import_stage.subscriber_id AND u.mailing_list_id = %s
   AND (import_stage.expires_at IS NULL OR u.expires_at < import_stage.expires_at))
"""
_RENEW = """
UPDATE subscribers_subscription SET basis = CASE WHEN s.expires_at IS NULL THEN %s ELSE 'casl_implied' END,
  evidence = %s, expires_at = s.expires_at FROM import_stage s
WHERE s.renewed = 1 AND s.subscriber_id = subscribers_subscription.subscriber_id
AND subscribers_subscription.ended_at IS NULL AND subscribers_subscription.mailing_list_id = %s
"""
_UPDATE = """
UPDATE subscribers_subscriber SET
  name = CASE WHEN s.name <> '' THEN s.name ELSE subscribers_subscriber.name END,
  folded_name = CASE WHEN s.name <> '' THEN s.folded_name ELSE subscribers_subscriber.folded_name END,
  language = CASE WHEN s.language <> '' THEN s.language ELSE subscribers_subscriber.language END,
  giving = CASE WHEN s.giving <> '' THEN s.giving ELSE subscribers_subscriber.giving END,
  timezone = CASE WHEN s.timezone <> '' THEN s.timezone ELSE subscribers_subscriber.timezone END,
  source = CASE WHEN s.source <> '' THEN s.source ELSE subscribers_subscriber.source END,
  place_id = COALESCE(s.place_id, subscribers_subscriber.place_id)
FROM import_stage s WHERE s.changed = 1 AND s.subscriber_id = subscribers_subscriber.id
"""
_FIND_NEW = """
UPDATE import_stage SET created = 1, subscriber_id =
  (SELECT p.id FROM subscribers_subscriber p WHERE p.address_hash = import_stage.address_hash)
WHERE subscriber_id IS NULL AND kind = 'join' AND suppressed_before IS NULL
"""
_COUNT = """
SELECT
  COUNT(CASE WHEN kind = 'join' AND suppressed_before IS NULL AND (status_before IS NULL OR status_before = 'own') THEN 1 END),
  COUNT(CASE WHEN kind = 'join' AND suppressed_before IS NULL AND status_before = 'mailable' AND changed = 1 THEN 1 END),
  COUNT(CASE WHEN kind = 'join' AND suppressed_before IS NULL AND status_before = 'mailable' AND changed IS NULL THEN 1 END),
  COUNT(CASE WHEN kind = 'join' AND suppressed_before IS NULL AND status_before = 'waiting' THEN 1 END),
  COUNT(CASE WHEN kind <> 'join' AND (status_before IS NULL OR status_before = 'own') THEN 1 END),
  COUNT(CASE WHEN (kind = 'join' AND suppressed_before = 1) OR (kind <> 'join' AND status_before = 'suppressed') THEN 1 END)
FROM import_stage
"""


def lock_people(cursor: CursorWrapper) -> None:
    """Lock the staged people who are known already, so that nobody deletes them before this transaction ends."""
    if connection.vendor == "postgresql":
        cursor.execute(_LOCK_KNOWN)


def classify(cursor: CursorWrapper, batch: ImportBatch, *, kinds: set[str], dry_run: bool) -> None:
    """Mark which staged people are known, suppressed, subscribed already, or have something new.

    `own` marks what an earlier run of this import did before it stopped: it counts again. A dry run only counts.
    """
    list_id, import_id = batch.mailing_list_id, _NO_IMPORT_ID if dry_run else batch.pk
    cursor.execute(_CLASSIFY, [list_id])
    cursor.execute(_FIND_STATUS, [import_id, list_id])
    cursor.execute(_FIND_CHANGED)
    if not batch.confirm:
        cursor.execute(_FIND_RENEWED, [list_id])
    for kind in kinds & set(SUPPRESSION_BY_KIND):
        reason, scope = SUPPRESSION_BY_KIND[kind]
        cursor.execute(_FIND_SUPPRESSED, [import_id, str(reason), str(scope), list_id, kind])


def count(cursor: CursorWrapper) -> dict[str, int]:
    """Return the outcomes of the staged rows, by the names of the report."""
    cursor.execute(_COUNT)
    names = ("new", "updated", "unchanged", "waiting", "newly_suppressed", "suppressed")
    return dict(zip(names, cursor.fetchone(), strict=True))


def write_people(cursor: CursorWrapper, batch: ImportBatch) -> None:
    """Update people who have something new, and create the missing ones. No other row is touched."""
    cursor.execute(_UPDATE)
    names = ("uuid", "email", "address_hash", "name", "folded_name", "language", "timezone", "source", "radius_km")
    staged_columns = {name: name for name in (*names, "place_id")}
    insert_staged(
        cursor,
        Subscriber,
        staged={**staged_columns, "giving": f"CASE WHEN giving = '' THEN '{Giving.NONE}' ELSE giving END"},
        same={"import_batch_id": batch.pk, "created_at": batch.started_at},
        where=f"{_MAY_JOIN} AND subscriber_id IS NULL",
    )
    cursor.execute(_FIND_NEW)


def renew_implied_consent(cursor: CursorWrapper, batch: ImportBatch) -> None:
    """Extend implied consent by newer evidence, or replace it by consent that does not expire. Record each change.

    Most chunks renew nobody, and PostgreSQL may look at the whole list before it finds that out.
    """
    cursor.execute("SELECT 1 FROM import_stage WHERE renewed = 1 LIMIT 1")
    if cursor.fetchone() is None:
        return
    cursor.execute(_RENEW, [str(batch.basis), batch.evidence, batch.mailing_list_id])
    for basis, which in _by_basis(batch):
        _record_import(cursor, batch, basis=basis, where=f"renewed = 1 AND {which}")


def subscribe(cursor: CursorWrapper, batch: ImportBatch, *, now: datetime) -> None:
    """Open a subscription, with its evidence, for everybody who may join and has none. `now` is when they are asked first."""
    requested_at = ("%s", now) if batch.confirm else ("COALESCE(given_at, %s)", batch.started_at)
    for basis, which in _by_basis(batch):
        where = f"{_NEW_ON_LIST} AND {which}"
        _record_import(cursor, batch, basis=basis, where=where)
        insert_staged(
            cursor,
            Subscription,
            staged={
                "subscriber_id": "subscriber_id",
                "expires_at": "expires_at",
                "paused_until": "paused_until",
                "frequency": f"CASE WHEN frequency = '' THEN '{Frequency.EVERY}' ELSE frequency END",
            },
            computed={"requested_at": requested_at},
            same={
                "mailing_list_id": batch.mailing_list_id,
                "basis": str(basis),
                "evidence": batch.evidence,
                "import_batch_id": batch.pk,
            },
            where=where,
        )


def _by_basis(batch: ImportBatch) -> Iterator[tuple[Basis, str]]:
    """Yield each legal basis with the SQL condition for its rows. A row with an expiry date has implied consent."""
    if batch.confirm:
        yield Basis.DOUBLE_OPT_IN, "expires_at IS NULL"
        return
    if batch.basis != Basis.CASL_IMPLIED:
        yield Basis(batch.basis), "expires_at IS NULL"
    if batch.basis == Basis.CASL_IMPLIED or {"expires_on", EACH_LIST} & set(batch.mapping):
        yield Basis.CASL_IMPLIED, "expires_at IS NOT NULL"


def _record_import(cursor: CursorWrapper, batch: ImportBatch, *, basis: Basis, where: str) -> None:
    insert_staged(
        cursor,
        ConsentEvent,
        staged={"subscriber_id": "subscriber_id", "address_hash": "address_hash"},
        same={
            "kind": str(ConsentEvent.Kind.IMPORTED),
            "mailing_list_id": batch.mailing_list_id,
            "at": batch.started_at,
            "wording": batch.evidence,
            "source": f"import {batch.pk}",
            "by": batch.by,
            "data": {"basis": str(basis)},
        },
        where=where,
    )


def suppress_addresses(cursor: CursorWrapper, batch: ImportBatch, *, kind: str) -> None:
    """Suppress the addresses of one kind, as if each person had unsubscribed here, and end subscriptions as this kind does."""
    reason, scope = SUPPRESSION_BY_KIND[kind]
    list_id = batch.mailing_list_id if scope == Scope.LIST else None
    new = f"kind = '{kind}' AND status_before IS NULL"
    inserted = insert_staged(
        cursor,
        Suppression,
        staged={"address_hash": "address_hash"},
        computed={"at": ("COALESCE(given_at, %s)", batch.started_at)},
        same={
            "scope": str(scope),
            "mailing_list_id": list_id,
            "reason": str(reason),
            "note": f"import {batch.pk}: {batch.evidence or batch.file_name}",
            "import_batch_id": batch.pk,
        },
        where=new,
        returning="id",
    )
    rows = Suppression.objects.filter(pk__in=[pk for (pk,) in inserted]).values_list("address_hash", "at")
    journal_after_commit(JournalEntry(bytes(address_hash), list_id, str(reason), at) for address_hash, at in rows)
    _record_suppressions(cursor, batch, reason=reason, list_id=list_id, where=new)
    if reason != Reason.HARD:
        _end_subscriptions(cursor, batch, reason=reason, list_id=list_id, where=new)


def _record_suppressions(
    cursor: CursorWrapper, batch: ImportBatch, *, reason: Reason, list_id: int | None, where: str
) -> None:
    insert_staged(
        cursor,
        ConsentEvent,
        staged={"subscriber_id": "subscriber_id", "address_hash": "address_hash"},
        same={
            "kind": str(ConsentEvent.Kind.SUPPRESSED),
            "mailing_list_id": list_id,
            "at": batch.started_at,
            "wording": batch.evidence,
            "source": f"import {batch.pk}",
            "by": batch.by,
            "data": {"reason": str(reason)},
        },
        where=where,
    )


def _end_subscriptions(
    cursor: CursorWrapper, batch: ImportBatch, *, reason: Reason, list_id: int | None, where: str
) -> None:
    """End the subscriptions to one list, or to all if ``list_id`` is None. Unsent confirmations are deleted."""
    end = EndReason.COMPLAINT if reason == Reason.COMPLAINT else EndReason.UNSUBSCRIBE
    cursor.execute(f"SELECT subscriber_id FROM import_stage WHERE {where} AND subscriber_id IS NOT NULL")  # noqa: S608
    suppressed = Q(subscriber__in=[pk for (pk,) in cursor.fetchall()])
    if list_id is not None:
        suppressed &= Q(mailing_list=list_id)
    delete_unsent_requests(Confirmation.objects.filter(suppressed))
    Subscription.objects.open().filter(suppressed).update(ended_at=batch.started_at, end_reason=end)
