"""Unsubscribe from a list by link. Mailbox providers send thousands; each is committed before it is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import close_old_connections, connection
from django.utils import timezone

from newsletter.common.database.deadlines import database_deadline
from newsletter.common.database.sqlite_pragmas import sqlite_lock_wait
from subscribers.addresses.normalise import mask
from subscribers.links.signed_links import LinkTarget
from subscribers.models import FormerIdentity, MailingList, Subscriber
from subscribers.unsubscribing.bulk_unsubscribe import Unsubscribe
from subscribers.unsubscribing.group_commit import GroupCommit
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_lists

DATABASE_WAIT_SECONDS = 3.0
SQLITE_LOCK_WAIT_SECONDS = 50.0
"""Longer than other work waits, because a mailbox provider may not repeat a POST. Proxies usually wait for 60 seconds."""
MIN_LOCK_WAIT_SECONDS = 5.0
"""The wait for the commit before its own shortens the wait of a request for the lock, but never below this."""
_Person = tuple[int, bytes, str, str]  # row id, keyed hash, language, address
_List = tuple[int, str]  # row id, and the name if the list is public
_NOBODY: _Person = (0, b"", "", "")
_NO_LIST: _List = (0, "")
_FIND_SQL = f"""
WITH asked (uuid, public_id) AS (VALUES {{marks}})
SELECT
    asked.uuid, person.id, person.address_hash, person.language, person.email,
    asked.public_id, list.id, list.name, list.public
FROM asked
LEFT JOIN {Subscriber._meta.db_table} AS person ON person.uuid = asked.uuid
LEFT JOIN {MailingList._meta.db_table} AS list ON list.public_id = asked.public_id
"""  # noqa: S608 names of our own


@dataclass(frozen=True, slots=True)
class _Request:
    target: LinkTarget
    began_at: float  # on the monotonic clock


@dataclass(frozen=True)
class UnsubscribedPerson:
    """The person's language and masked address, and the list's name if it is public, for the page shown afterwards.

    ``undoable`` is True if this press ended mail, so that an undo restores it. ``known`` is False if the person was erased.
    """

    language: str = ""
    list_name: str = ""
    undoable: bool = False
    known: bool = True
    masked: str = ""


def unsubscribe_by_link(target: LinkTarget) -> UnsubscribedPerson:
    """Unsubscribe the person of the link from its list, and commit. Erased people and lists change nothing."""
    return _group_commit.submit(_Request(target, monotonic()))


def unsubscribe_batch(
    targets: Sequence[LinkTarget], *, now: datetime, source: str = "link"
) -> list[UnsubscribedPerson]:
    """Unsubscribe all of these people or none. Return the facts for each person's page, in the same order.

    ``source`` is for the log of consent: by the link, or by a mail to the address in the same header.
    """
    people, lists = _find_people_and_lists(targets)
    unsubscribes = []
    for target in targets:
        if target.subscriber_uuid in people and target.public_id in lists:
            pk, address_hash, *_ = people[target.subscriber_uuid]
            unsubscribes.append(Unsubscribe(pk, address_hash, lists[target.public_id][0], target.mailing))
    result = unsubscribe_from_lists(unsubscribes, now=now, source=source)
    gone = {each.subscriber for each in result.gone}
    if merged := [target for target in targets if people.get(target.subscriber_uuid, _NOBODY)[0] in gone]:
        unsubscribe_batch(merged, now=now, source=source)
    answers = []
    for target in targets:
        person = people.get(target.subscriber_uuid, _NOBODY)
        mailing_list = lists.get(target.public_id, _NO_LIST)
        undoable = (person[0], mailing_list[0]) in result.undoable
        known = person is not _NOBODY
        answers.append(UnsubscribedPerson(person[2], mailing_list[1], undoable, known=known, masked=mask(person[3])))
    return answers


def _find_people_and_lists(targets: Sequence[LinkTarget]) -> tuple[dict[UUID, _Person], dict[str, _List]]:
    """Return the people and lists that the links name, by the links' ids. A former identity counts as its person."""
    people: dict[UUID, _Person] = {}
    lists: dict[str, _List] = {}
    for uuid, pk, address_hash, language, email, public_id, mailing_list, name, public in _rows(targets):
        if pk is not None:
            people[uuid if isinstance(uuid, UUID) else UUID(uuid)] = (pk, bytes(address_hash), language, email)
        if mailing_list is not None:
            lists[public_id] = (mailing_list, name if public else "")
    missing = {target.subscriber_uuid for target in targets} - people.keys()
    if missing:
        for former in FormerIdentity.objects.filter(uuid__in=missing).select_related("subscriber"):
            person = former.subscriber
            people[former.uuid] = (person.pk, bytes(person.address_hash), person.language, person.email)
    return people, lists


def _rows(targets: Sequence[LinkTarget]) -> list[tuple[Any, ...]]:
    """Find people and lists with one query, because this runs a thousand times a second."""
    native = connection.features.has_native_uuid_field
    values: list[UUID | str] = []
    for target in targets:
        values += (target.subscriber_uuid if native else target.subscriber_uuid.hex, target.public_id)
    with connection.cursor() as cursor:
        cursor.execute(_FIND_SQL.format(marks=", ".join(["(%s, %s)"] * len(targets))), values)
        return list(cursor.fetchall())


def _unsubscribe_now(requests: Sequence[_Request]) -> list[UnsubscribedPerson]:
    """Unsubscribe within a new deadline: the thread that does the work may have waited before.

    Only the wait for SQLite's lock is shorter, by the time that the first of these requests has waited.
    """
    waited = monotonic() - min(request.began_at for request in requests)
    lock_wait = max(SQLITE_LOCK_WAIT_SECONDS - waited, MIN_LOCK_WAIT_SECONDS)
    with database_deadline(DATABASE_WAIT_SECONDS):
        if not connection.in_atomic_block:
            close_old_connections()
        with sqlite_lock_wait(seconds=lock_wait):
            return unsubscribe_batch([request.target for request in requests], now=timezone.now())


_group_commit: GroupCommit[_Request, UnsubscribedPerson] = GroupCommit(_unsubscribe_now)
