"""Find the rows that use a row, and archive a row or bring it back. For models with an `archived` column."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models, transaction

from newsletter.common.errors import DomainError, InUse
from newsletter.common.messages import Message

MAX_USES_NAMED = 10


@dataclass(frozen=True)
class Uses:
    """The rows of one model that use a row: how many, and the first `MAX_USES_NAMED` of them."""

    model: type[models.Model]
    count: int
    rows: list[models.Model]


class ArchivableRow(Protocol):
    """A row with an `archived` column."""

    archived: bool

    def clean(self) -> None: ...

    def save(self, *, update_fields: Iterable[str] | None = None) -> None: ...


def find_uses(row: models.Model) -> list[Uses]:
    """Return what keeps the row from being deleted: rows that require it, and rows that list it."""
    return list(_find_uses(row, only_active=False))


def find_active_uses(row: models.Model) -> list[Uses]:
    """Return what keeps the row from being archived: rows that could be archived themselves and are not."""
    return list(_find_uses(row, only_active=True))


def archive_row(row: models.Model, *, switch: str = "", keep_uses: bool = False) -> None:
    """Archive the row and turn off its `switch`, the name of a boolean column. Raises InUse, except with ``keep_uses``."""
    with transaction.atomic():
        uses = [] if keep_uses else find_active_uses(row)
        if uses:
            names = Message.joined([str(user) for use in uses for user in use.rows], between=", ")
            raise InUse(
                "“%(row)s” cannot be archived, because it is used by: %(names)s. Change or archive that first.",
                row=row,
                names=names,
            )
        values = {"archived": True, **({switch: False} if switch else {})}
        type(row)._default_manager.filter(pk=row.pk).update(**values)
    row.refresh_from_db()


def bring_back_row(row: ArchivableRow) -> None:
    """Return the row from the archive. Its switch stays off. Raises DomainError if it uses a row that is archived."""
    row.archived = False
    try:
        row.clean()
    except ValidationError as error:
        raise DomainError("%(problem)s", problem=" ".join(error.messages)) from error
    row.save(update_fields=["archived"])


def _find_uses(row: models.Model, *, only_active: bool) -> Iterator[Uses]:
    conditions: dict[type[models.Model], models.Q] = {}
    for relation in _list_relations(row):
        model = relation.related_model
        if not (can_be_archived(model) if only_active else relation.many_to_many or _is_required(relation)):
            continue
        condition = models.Q(**{relation.field.name: row}, **({"archived": False} if only_active else {}))
        owner, users = _find_owners(model, model._default_manager.filter(condition))
        if owner is not model or relation.many_to_many:
            condition = models.Q(pk__in=users.values("pk"))
        conditions[owner] = conditions.get(owner, models.Q()) | condition
    for model, condition in conditions.items():
        users = model._default_manager.filter(condition)
        if count := users.count():
            yield Uses(model=model, count=count, rows=list(users[:MAX_USES_NAMED]))


def _find_owners(
    model: type[models.Model], rows: models.QuerySet[models.Model]
) -> tuple[type[models.Model], models.QuerySet[models.Model]]:
    """Return the rows that staff know: for a row whose model is `part_of` another, that other row."""
    while owner := getattr(model, "part_of", ""):
        model, part = model._meta.get_field(owner).related_model, rows  # type: ignore[assignment]
        rows = model._default_manager.filter(pk__in=part.values(owner))
    return model, rows


def _list_relations(row: models.Model) -> Iterator[models.ForeignObjectRel]:
    """Yield what refers to the row, also where the row has no name for it (`related_name="+"`)."""
    for field in row._meta.get_fields(include_hidden=True):
        if isinstance(field, models.ForeignObjectRel) and not field.concrete and not _is_own_table(field):
            yield field


def _is_own_table(relation: models.ForeignObjectRel) -> bool:
    """Return True for the rows that only join two tables: the relation between these tables is listed itself."""
    return bool(relation.related_model._meta.auto_created)


def _is_required(relation: models.ForeignObjectRel) -> bool:
    return relation.on_delete in (models.PROTECT, models.RESTRICT)


def can_be_archived(model: type[models.Model]) -> bool:
    try:
        model._meta.get_field("archived")
    except FieldDoesNotExist:
        return False
    return True
