"""Define the order of locks: code that changes rows about people locks the people first, in the order of their ids.

An erasure, a merge and the undo of an import delete people. Locked the other way round, they and an unsubscribe would wait
for each other.
"""

from collections.abc import Collection

from django.db import connection
from django.db.models import QuerySet

from subscribers.models import FormerIdentity, Subscriber


def lock_people(people: QuerySet[Subscriber]) -> list[Subscriber]:
    """Lock these people until the transaction ends, and return their current rows. Others may still refer to them."""
    return list(people.order_by("pk").select_for_update(no_key=True))


def lock_people_to_delete(people: QuerySet[Subscriber]) -> list[Subscriber]:
    """Lock these people until the transaction ends, and return their current rows. Until then, nobody can refer to them."""
    return list(people.order_by("pk").select_for_update())


def lock_ids_to_delete(ids: Collection[int]) -> None:
    """Lock the people with these ids as `lock_people_to_delete` does, without reading them.

    SQLite has one writer at a time, so a transaction that writes needs no other lock.
    """
    if not ids or not connection.features.has_select_for_update:
        return
    chosen = Subscriber.objects.filter(pk__in=ids).order_by("pk")
    list(chosen.select_for_update().values_list("pk"))


def lock_current(person: Subscriber, *, to_delete: bool = False) -> Subscriber | None:
    """Lock the person and return the current row, or None if they were deleted.

    Others may have changed the row while this waited. A merge deletes it and leads its identity to another.
    """
    lock = lock_people_to_delete if to_delete else lock_people
    pk: int | None = person.pk
    while pk is not None:
        if locked := lock(Subscriber.objects.filter(pk=pk)):
            return locked[0]
        pk = FormerIdentity.objects.filter(uuid=person.uuid).values_list("subscriber", flat=True).first()
    return None
