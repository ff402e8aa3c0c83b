"""Read and change a draft for the API: with its row locked, if it is as the caller read it, and without touching approvals."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from wagtail.log_actions import log

from newsletter.api.calls.access import get_key
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import keep_approvals
from newsletter.api.publishing.key_scope import find_visible_issue
from newsletter.api.publishing.schemas import BlockAnswer, IssueAnswer
from newsletter.common.errors import NotFound, WrongState
from newsletter.models import Issue


def find_issue_by_id(request: HttpRequest, pk: int) -> Issue:
    """Return the issue. Raise NotFound, also for one of a list that the key may not use."""
    if pk >= 2**63:
        raise NotFound("No issue has the id %(id)s.", id=pk)
    return find_visible_issue(get_key(request), str(pk))


def show_issue(row: Issue) -> IssueAnswer:
    return IssueAnswer(
        id=row.pk,
        issue=row.reference,
        publication=row.publication.slug,
        segment=row.segment.slug if row.segment else None,
        state=row.state,
        held=row.held,
        subject=row.subject,
        preheader=row.preheader,
        due_at=row.due_at,
        blocks=[
            BlockAnswer(id=block["id"], type=block["type"], value=block["value"]) for block in row.body.get_prep_value()
        ],
    )


@contextmanager
def edit_draft(request: HttpRequest, pk: int, *, fields: list[str]) -> Iterator[Issue]:
    """Yield the locked issue, and save it as a new revision, as the editor does. The log names the key and ``fields``.

    Raises WrongState if it is approved or sent, Problem if it was changed since the caller read it or an approval would end,
    ValidationError if the caller gave a value that the issue cannot have.
    """
    key, now = get_key(request), timezone.now()
    with transaction.atomic():
        Issue.objects.select_for_update().filter(pk=find_issue_by_id(request, pk).pk).first()
        row = find_issue_by_id(request, pk)
        check_unchanged(request, show_issue(row))
        if row.state not in Issue.UNAPPROVED_STATES:
            raise WrongState(
                "%(issue)s is %(state)s, so it cannot be changed.", issue=row, state=row.get_state_display()
            )
        with keep_approvals(now=now):
            yield row
            row.full_clean()
            row.save()
            row.store_revision()
            log(instance=row, action="wagtail.edit", data={"key": key.name, "key_id": key.pk, "fields": fields})
