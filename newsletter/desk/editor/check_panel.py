"""The checks beside the issue's editor: drawn anew with each autosave, so that they follow what is written."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.side_panels import BaseSidePanel

from newsletter.common.errors import DomainError
from newsletter.desk.editor.sealed_lock import SEALED_STATES
from newsletter.desk.issues.checks import (
    add_acknowledgements,
    check_issue,
    describe_acknowledged,
    describe_verdict,
    list_acknowledged_checks,
)
from newsletter.desk.issues.finding_locations import list_gaps
from newsletter.desk.issues.variant_groups import find_issue_content, find_variant_groups
from newsletter.issues.approval.acknowledge import find_acknowledged
from newsletter.issues.snapshot.resolve import hash_content
from newsletter.models import Issue

MAX_GROUPS_CHECKED = 3


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
        return {**context, **checks_context(issue, limit=MAX_GROUPS_CHECKED)}


def checks_context(issue: Issue, *, limit: int) -> dict[str, Any]:
    """The checks of the mails of the ``limit`` largest groups of readers, or what is missing, as templates show them.

    An issue that is gone is not checked any more: what was looked at before stays to be seen.
    """
    try:
        content = find_issue_content(issue)
        readers = find_variant_groups(issue, content=content)
        sha256 = hash_content(content)
        seen = find_acknowledged(issue, sha256=sha256)
        if gone := issue.state in SEALED_STATES:
            checks = list_acknowledged_checks(seen)
        else:
            found = check_issue(issue, content, readers=readers[:limit], now=timezone.now())
            checks = add_acknowledgements(found, seen=seen)
    except (DomainError, OSError) as error:
        return {"missing": list_gaps(issue, error), "issue": issue}
    return {
        "issue": issue,
        "sha256": sha256,
        "readers": readers[:limit],
        "more_readers": max(len(readers) - limit, 0),
        "mails": len(readers),
        "people": sum(reader.people for reader in readers),
        "checks": checks,
        "verdict": describe_acknowledged(checks) if gone else describe_verdict(checks),
        "failed": any(check.level == "error" for check in checks),
        "unseen": [check for check in checks if check.level == "warning" and check.seen is None],
    }
