"""Save a row as a form of the desk does: checked by the model, logged, and without a change to what staff approved."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import Model
from wagtail.log_actions import log

from newsletter.api.calls.problems import Problem
from newsletter.common.archiving import find_uses
from newsletter.common.errors import InUse
from newsletter.issues.approval.void_changed import find_changed_issues
from newsletter.issues.assembly.drafted_texts import update_drafted_texts
from newsletter.models import ApiKey

_Row = TypeVar("_Row", bound=Model)


def save_row(row: _Row, *, key: ApiKey, values: Mapping[str, object], now: datetime) -> _Row:
    """Set these values, check and save the row, and log it. Raise ValidationError, or Problem if approved issues show it."""
    is_new = row.pk is None
    with transaction.atomic(), keep_approvals(now=now):
        for name, value in values.items():
            setattr(row, name, value)
        row.full_clean(exclude={field.name for field in row._meta.fields if field.generated})
        row.save()
        row.refresh_from_db()
        data = {"key": key.name, "key_id": key.pk, "fields": sorted(values)}
        log(instance=row, action="wagtail.create" if is_new else "wagtail.edit", data=data)
    return row


def delete_row(row: Model, *, key: ApiKey, in_use: str, now: datetime) -> None:
    """Delete a row that nothing needs, and log it.

    Raise InUse with the text `in_use` if something needs it, or Problem if approved issues show it.
    """
    with transaction.atomic(), keep_approvals(now=now):
        if find_uses(row):
            raise InUse(in_use, row=row)
        log(instance=row, action="wagtail.delete", data={"key": key.name, "key_id": key.pk})
        row.delete()


@contextmanager
def keep_approvals(*, now: datetime) -> Iterator[None]:
    """Refuse the change inside if it would void an approval. Open it in a transaction.

    The API withdraws no approval: a member of staff has to do that and see what changed.
    """
    before = {issue.pk for issue in find_changed_issues()}
    yield
    update_drafted_texts(now=now)
    changed = [issue for issue in find_changed_issues() if issue.pk not in before]
    if changed:
        raise Problem(
            409,
            "Approved issues show this",
            f"Nothing was changed. It shows in {', '.join(issue.reference for issue in changed)}. Ask an approver to "
            "withdraw the approval, then call again.",
            code="in_approved_issue",
        )
