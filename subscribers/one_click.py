"""Leaving a list by link, fast: mailbox providers send these by the thousand, and each must be done when it is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import close_old_connections, connection
from django.utils import timezone

from subscribers.links import LinkTarget
from subscribers.models import FormerIdentity, MailingList, Subscriber
from subscribers.together import Together
from subscribers.unsubscribe import Leaving, leave_lists


@dataclass(frozen=True)
class Left:
    """What the page needs to say afterwards: a language, and the list's name where readers may know it."""

    language: str = ""
    list_name: str = ""


def leave_by_link(target: LinkTarget) -> Left:
    """The person of the link leaves its list; committed when this returns. Erased people and lists change nothing."""
    return _desk.do(target)


def leave_together(targets: Sequence[LinkTarget], *, now: datetime) -> list[Left]:
    """All of these in one transaction; for each, in their order, what the page needs."""
    people = _find_people({target.subscriber_uuid for target in targets})
    lists = {
        public_id: (pk, name if public else "")
        for pk, public_id, name, public in MailingList.objects.filter(
            public_id__in={target.list_public_id for target in targets}
        ).values_list("pk", "public_id", "name", "public")
    }
    leavings, answers = [], []
    for target in targets:
        person, mailing_list = people.get(target.subscriber_uuid), lists.get(target.list_public_id)
        if person is not None and mailing_list is not None:
            leavings.append(Leaving(person[0], person[1], mailing_list[0]))
        answers.append(Left(language=person[2] if person else "", list_name=mailing_list[1] if mailing_list else ""))
    leave_lists(leavings, now=now, source="link")
    return answers


def _find_people(uuids: set[UUID]) -> dict[UUID, tuple[int, bytes, str]]:
    """(id, hash, language) by the identity that links carry, a former one too."""
    found = _rows(Subscriber._meta.db_table, uuids)
    missing = uuids - found.keys()
    if missing:
        former = FormerIdentity.objects.filter(uuid__in=missing).select_related("subscriber")
        for one in former:
            person = one.subscriber
            found[one.uuid] = (person.pk, bytes(person.address_hash), person.language)
    return found


def _rows(table: str, uuids: set[UUID]) -> dict[UUID, tuple[int, bytes, str]]:
    """Straight from the database: this is asked a thousand times a second."""
    given = [uuid if connection.features.has_native_uuid_field else uuid.hex for uuid in uuids]
    marks = ", ".join(["%s"] * len(given))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT uuid, id, address_hash, language FROM {table} WHERE uuid IN ({marks})",  # noqa: S608
            given,
        )
        return {
            uuid if isinstance(uuid, UUID) else UUID(uuid): (pk, bytes(address_hash), language)
            for uuid, pk, address_hash, language in cursor.fetchall()
        }


def _leave_now(targets: Sequence[LinkTarget]) -> list[Left]:
    if not connection.in_atomic_block:
        close_old_connections()
    return leave_together(targets, now=timezone.now())


_desk: Together[LinkTarget, Left] = Together(_leave_now)
