"""Before staff delete a row of content: name the approved issues that show it, and say if its source brings it back.

The approvals themselves are withdrawn by whatever else notices a change of content. This module changes nothing.
"""

from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.issues.approval.edits_of_approved_issues import find_approved_issues_showing
from newsletter.models import Source
from subscribers.desk.editing.uses import RefuseUsedDelete


class DeleteShown(RefuseUsedDelete):
    """The page that asks before a row is deleted that issues may show."""

    def list_consequences(self) -> list[str]:
        kept = _("Issues that were sent keep it. Issues that were not sent yet show it no longer.")
        lost = describe_lost_approvals(self.object)
        return [*([kept] if self.usage.count() else []), *([lost] if lost else [])]


def describe_lost_approvals(row: Model) -> str:
    """Return a sentence that names the approved issues that show the row, or an empty text."""
    issues = find_approved_issues_showing([row])
    if not issues:
        return ""
    sentence = ngettext(
        "An approved issue shows it and loses its approval: %(issues)s.",
        "Approved issues show it and lose their approval: %(issues)s.",
        len(issues),
    )
    return sentence % {"issues": ", ".join(str(issue) for issue in issues)}


def describe_return(source: Source | None) -> list[str]:
    """Return the sentence that a row of a source that is read comes back, in a list that is empty otherwise."""
    if source is None or not source.enabled:
        return []
    text = _("It comes from “%(source)s”. If it is still there when we read the source next, it comes back.")
    return [text % {"source": source}]
