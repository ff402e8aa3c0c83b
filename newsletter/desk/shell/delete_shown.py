"""Before staff delete an event or an appeal: name the approved issues that show it.

The approvals themselves are withdrawn by whatever else notices a change of content. This module changes nothing.
"""

from django.db.models import Model
from django.utils.translation import ngettext

from newsletter.issues.approval.withdraw_for_edit import find_approved_issues_showing
from subscribers.desk.editing.uses import RefuseUsedDelete


class DeleteShown(RefuseUsedDelete):
    """The page that asks before a row is deleted that issues may show."""

    @property
    def confirmation_message(self) -> str:
        return " ".join(filter(None, [str(super().confirmation_message), describe_lost_approvals(self.object)]))


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
