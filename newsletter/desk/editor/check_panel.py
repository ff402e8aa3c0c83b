"""The checks beside the issue's editor: drawn anew with each autosave, so that they follow what is written."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.side_panels import BaseSidePanel

from newsletter.common.errors import DomainError
from newsletter.desk.editor.lock import SEALED
from newsletter.desk.issues.finding_locations import list_gaps
from newsletter.desk.issues.issue_checks import check_issue, mark_seen, recall_checks, say_recalled, say_verdict
from newsletter.desk.issues.variant_groups import content_of, find_readers
from newsletter.issues.approval.acknowledge import find_acknowledged
from newsletter.issues.snapshot.resolve import hash_content
from newsletter.models import Issue

CHECKED = 3


class IssueChecksPanel(BaseSidePanel):
    """What the largest groups of readers would get, checked. Approval checks them all."""

    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = _("Checks")
        icon_name = "circle-check"
        has_counter = False

    name = "checks"
    title = _("Checks")
    template_name = "desk/checks_panel.html"
    order = 350

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        issue = Issue.objects.select_related(
            "publication__brand", "publication__mailing_list", "publication__segment", "slot"
        ).get(pk=self.object.pk)
        return {**context, **say_checks(issue, most=CHECKED)}


def say_checks(issue: Issue, *, most: int) -> dict[str, Any]:
    """The checks of the mails of the ``most`` largest groups of readers, or what is missing, as templates show them.

    An issue that is gone is not checked any more: what was looked at before stays to be seen.
    """
    try:
        content = content_of(issue)
        readers = find_readers(issue, content=content)
        sha256 = hash_content(content)
        seen = find_acknowledged(issue, sha256=sha256)
        if gone := issue.state in SEALED:
            checks = recall_checks(seen)
        else:
            found = check_issue(issue, content, readers=readers[:most], now=timezone.now())
            checks = mark_seen(found, seen=seen)
    except (DomainError, OSError) as error:
        return {"missing": list_gaps(issue, error), "issue": issue}
    return {
        "issue": issue,
        "sha256": sha256,
        "readers": readers[:most],
        "more_readers": max(len(readers) - most, 0),
        "mails": len(readers),
        "people": sum(reader.people for reader in readers),
        "checks": checks,
        "verdict": say_recalled(checks) if gone else say_verdict(checks),
        "failed": any(check.level == "error" for check in checks),
        "unseen": [check for check in checks if check.level == "warning" and check.seen is None],
    }
