"""A named person's “I have seen this warning”, about exactly what the issue says. It approves nothing by itself."""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from newsletter.common.errors import NotAllowed, NotReady
from newsletter.models import Acknowledgement, Issue


def make_warning_key(*, code: str, message: str, where: str) -> str:
    """What names a warning within one content: the same fault at the same place has the same name."""
    return hashlib.sha256("\x00".join((code, message, where)).encode()).hexdigest()


def acknowledge(*, issue: Issue, sha256: str, warnings: Iterable[tuple[str, str]], by: Any, now: datetime) -> int:
    """Record that a person saw these warnings, (name, message) each; one seen before stays as it is. Returns how many.

    Raises NotAllowed for somebody who may neither edit nor approve issues.
    """
    if not (by.has_perm("newsletter.change_issue") or by.has_perm("newsletter.approve_issue")):
        raise NotAllowed(
            _("%(by)s may not answer for issues. An administrator can give the role “writer”.") % {"by": by}
        )
    rows = [
        Acknowledgement(issue=issue, sha256=sha256, warning=name, message=message[:500], person=by, at=now)
        for name, message in warnings
    ]
    Acknowledgement.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def find_acknowledged(issue: Issue, *, sha256: str) -> dict[str, Acknowledgement]:
    """The acknowledgements of this content, by the warning's name."""
    rows = issue.acknowledgements.filter(sha256=sha256).select_related("person")
    return {row.warning: row for row in rows}


def require_acknowledged(issue: Issue, *, sha256: str, warnings: Collection[tuple[str, str]]) -> None:
    """Raises NotReady, with the first warning that nobody has acknowledged for this content."""
    seen = find_acknowledged(issue, sha256=sha256)
    open_ones = [message for name, message in warnings if name not in seen]
    if open_ones:
        more = _(" (and %(value)s more)") % {"value": len(open_ones) - 1} if len(open_ones) > 1 else ""
        raise NotReady(
            _(
                "%(issue)s has a warning that nobody has said to have seen: %(value)s%(more)s "
                "Put it right, or tick it in its checks; then approve."
            )
            % {"issue": issue, "value": open_ones[0], "more": more}
        )
