"""Acknowledgements: a named person has seen a warning about exactly this content. They approve nothing."""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User

from newsletter.common.errors import NotAllowed, NotReady
from newsletter.common.messages import Message, MessageValue, PeopleCount
from newsletter.models import Acknowledgement, Issue


def make_warning_key(*, code: str, message: str, where: str) -> str:
    """Return the key of a warning within one content: the same warning at the same field has the same key.

    Numbers of people are not part of it, so that nobody who joins takes an acknowledgement away.
    """
    return hashlib.sha256("\x00".join((code, _without_people(message), where)).encode()).hexdigest()


def _without_people(message: str) -> str:
    if not isinstance(message, Message):
        return message
    values: dict[str, MessageValue] = {}
    for name, value in message.values.items():
        match value:
            case PeopleCount():
                values[name] = ""
            case Message():
                values[name] = _without_people(value)
            case _:
                values[name] = value
    return Message(message.template, **values)


def acknowledge(
    *, issue: Issue, sha256: str, warnings: Iterable[tuple[str, str]], by: User | AnonymousUser, now: datetime
) -> int:
    """Record that a person saw these warnings, (key, message) each. Return how many there were.

    An earlier acknowledgement of the same warning stays. Raises NotAllowed if the person may neither edit nor approve issues.
    """
    is_allowed = by.has_perm("newsletter.change_issue") or by.has_perm("newsletter.approve_issue")
    if not (isinstance(by, User) and is_allowed):
        raise NotAllowed("%(by)s may not acknowledge warnings. An administrator can give the role “writer”.", by=by)
    rows = [
        Acknowledgement(issue=issue, sha256=sha256, warning=key, message=message, person=by, at=now)
        for key, message in warnings
    ]
    Acknowledgement.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def find_acknowledged(issue: Issue, *, sha256: str) -> dict[str, Acknowledgement]:
    """Return the acknowledgements of this content by the key of the warning."""
    rows = issue.acknowledgements.filter(sha256=sha256).select_related("person")
    return {row.warning: row for row in rows}


def require_acknowledged(issue: Issue, *, sha256: str, warnings: Collection[tuple[str, str]]) -> None:
    """Raise NotReady with the first of the warnings, (key, message) each, that nobody acknowledged for this content."""
    seen = find_acknowledged(issue, sha256=sha256)
    unseen = [message for key, message in warnings if key not in seen]
    if unseen:
        more = Message(" More problems: %(count)s.", count=len(unseen) - 1) if len(unseen) > 1 else ""
        raise NotReady(
            "%(issue)s has a warning that nobody has acknowledged: %(warning)s%(more)s "
            "Correct it, or acknowledge it under Checks. Then approve.",
            issue=issue,
            warning=unseen[0],
            more=more,
        )
