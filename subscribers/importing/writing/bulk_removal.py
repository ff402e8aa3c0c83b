"""Delete people with their rows, and record events about people, each in a few statements for thousands of people.

Django would read each row first and send each id several times: that takes ten times as long.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

from django.db import connection
from django.db.models import CASCADE, SET_NULL, ForeignKey

from newsletter.common.errors import InvariantViolated
from subscribers.models import ConsentEvent, Subscriber


def delete_people(ids: Collection[int]) -> None:
    """Delete these people and what belongs to them. Rows that outlive a person, such as proofs of consent, stay without them.

    Raise InvariantViolated if a table refers to people in a way that this does not know.
    """
    if not ids:
        return
    for field in list_references():
        rows = field.model._base_manager.filter(**{f"{field.attname}__in": ids})
        if field.remote_field.on_delete is SET_NULL:
            rows.update(**{field.attname: None})
        else:
            rows._raw_delete(connection.alias)
    Subscriber.objects.filter(pk__in=ids)._raw_delete(connection.alias)


def list_references() -> Iterator["ForeignKey[Any, Any]"]:
    """Yield each field that refers to people, those of hidden tables too. Raise InvariantViolated as `delete_people` does."""
    for relation in Subscriber._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and (relation.one_to_many or relation.one_to_one)):
            continue
        field = cast("ForeignKey[Any, Any]", relation.field)  # type: ignore[union-attr]
        others = field.model._meta.get_fields(include_hidden=True)
        has_rows = any(other.auto_created and (other.one_to_many or other.one_to_one) for other in others)
        if field.remote_field.on_delete not in (CASCADE, SET_NULL) or has_rows:
            raise InvariantViolated(f"{field} cannot be deleted together with people.")
        yield field


def record_events(ids: Collection[int], same: Mapping[str, object]) -> None:
    """Add one event for each of these people. ``same`` has the values of its fields, by attribute; others get their default."""
    if not ids:
        return
    fields = {field.attname: field for field in ConsentEvent._meta.concrete_fields if not field.primary_key}
    own = ("subscriber_id", "address_hash")
    rest = {name: field.get_default() for name, field in fields.items() if name not in own} | dict(same)
    columns = ", ".join(f'"{fields[name].column}"' for name in (*own, *rest))
    marks = ", ".join(["%s"] * len(rest))
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{ConsentEvent._meta.db_table}" ({columns}) SELECT id, address_hash, {marks}'  # noqa: S608
            f' FROM "{Subscriber._meta.db_table}" WHERE id IN ({_list_numbers(ids)}) ORDER BY id',
            [fields[name].get_db_prep_save(value, connection) for name, value in rest.items()],
        )


def _list_numbers(ids: Collection[int]) -> str:
    """Return the ids as text, which both databases read faster than as many parameters."""
    return ",".join(str(int(pk)) for pk in ids)
