"""The checks of an issue, for its pages and for the side panel of its editor, which asks for them while it is open."""

from typing import TypedDict

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.side_panels import BaseSidePanel

from newsletter.common.errors import DomainError
from newsletter.desk.issues.checking.checks import (
    Check,
    add_acknowledgements,
    check_issue,
    describe_acknowledged,
    describe_verdict,
    list_acknowledged_checks,
)
from newsletter.desk.issues.checking.finding_locations import MissingPart, list_missing_parts
from newsletter.desk.issues.checking.measurements import (
    count_silent_links,
    count_unchecked_links,
    list_measurements,
)
from newsletter.desk.issues.issue_page import IssuePage, with_kept_counts
from newsletter.issue_checks.variant_groups import VariantGroup, find_issue_content, find_variant_groups
from newsletter.issues.approval.acknowledge import find_acknowledged
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.issues.snapshot.resolve_stories import list_stories_with_own_page
from newsletter.issues.snapshot.revisions import SEALED_STATES
from newsletter.models import Issue

MAX_GROUPS_CHECKED = 3


class ChecksContext(TypedDict, total=False):
    """The context of desk/parts/checks.html and desk/checks_list.html.

    It has only ``missing_parts`` if the mail cannot be made yet. ``sha256`` is that of the content. ``own_pages`` are the
    stories whose whole text is not in the mail but on a page of ours.
    """

    missing_parts: list[MissingPart]
    sha256: str
    variant_groups: list[VariantGroup]
    more_groups: int
    version_count: int
    checks: list[Check]
    verdict: str
    measurements: list[str]
    unchecked_links: int
    has_errors: bool
    unacknowledged: list[Check]
    own_pages: list[StoryRecord]


class IssueChecksPanel(BaseSidePanel):
    """The checks of the most common versions. Approval checks all versions.

    No save waits for them: they take longer than everything else that a save does.
    """

    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = _("Checks")
        icon_name = "circle-check"
        has_counter = False

    class Media:
        js = ["newsletter/checks.js"]

    name = "checks"
    title = _("Checks")
    template_name = "desk/checks_panel.html"
    order = 350

    def get_context_data(self, parent_context: object) -> dict[str, object]:
        url = reverse("newsletter_issue_checks", args=[self.object.pk])
        return {**super().get_context_data(parent_context), "checks_url": url}


class ChecksPart(IssuePage):
    """The checks in the side panel, for the issue as it is saved now."""

    template_name = "desk/parts/checks.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        with with_kept_counts(self.request) as counted:
            checks = checks_context(self.issue, limit=MAX_GROUPS_CHECKED)
        return {**super().get_context_data(**kwargs), "issue": self.issue, **checks, **counted}


def checks_context(issue: Issue, *, limit: int) -> ChecksContext:
    """Check the mails of the ``limit`` largest groups, or list the missing parts.

    An issue that was sent is not checked again: its context has the warnings that were acknowledged before.
    """
    try:
        content = find_issue_content(issue)
        groups = find_variant_groups(issue, content=content)
        sha256 = hash_content(content)
        acknowledged = find_acknowledged(issue, sha256=sha256)
        measurements: list[str] = []
        unchecked = silent = 0
        if sealed := issue.state in SEALED_STATES:
            checks = list_acknowledged_checks(acknowledged)
        else:
            now = timezone.now()
            problems = check_issue(issue, content, groups=groups[:limit], now=now)
            measurements = list_measurements(issue, content, groups=groups[:limit], sha256=sha256, now=now)
            unchecked = count_unchecked_links(content, now=now)
            silent = count_silent_links(content, now=now)
            checks = add_acknowledgements(problems, acknowledged=acknowledged)
    except (DomainError, OSError) as error:
        return {"missing_parts": list_missing_parts(issue, error)}
    return {
        "sha256": sha256,
        "variant_groups": groups[:limit],
        "more_groups": max(len(groups) - limit, 0),
        "version_count": len(groups),
        "checks": checks,
        "verdict": describe_acknowledged(checks)
        if sealed
        else describe_verdict(checks, checked=len(groups[:limit]), versions=len(groups), silent_links=silent),
        "measurements": measurements,
        "unchecked_links": unchecked,
        "has_errors": any(check.level == "error" for check in checks),
        "own_pages": list_stories_with_own_page(content),
        "unacknowledged": [check for check in checks if check.level == "warning" and check.acknowledgement is None],
    }
