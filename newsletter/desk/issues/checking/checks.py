"""The checks of an issue: each finding once, with its location, how many recipients it affects and where to fix it."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.issues.checking.finding_locations import (
    NO_PAGE,
    FixLink,
    find_fix_link,
    list_fix_links,
)
from newsletter.issue_checks.find_problems import find_problems
from newsletter.issue_checks.variant_groups import VariantGroup
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Acknowledgement, Issue


@dataclass(frozen=True)
class Check:
    """One finding in the mails of ``people`` recipients.

    ``name`` identifies a warning within this content, so that a person can acknowledge it. ``location`` is text or "".
    ``fixes`` has a link to each location of a finding that is in several; then ``fix`` is that of the first.
    """

    level: str
    code: str
    message: str
    people: int
    affects_all: bool
    location: str = ""
    fix: FixLink = NO_PAGE
    fixes: tuple[FixLink, ...] = ()
    name: str = ""
    acknowledgement: Acknowledgement | None = None


def check_issue(issue: Issue, content: IssueContent, *, groups: list[VariantGroup], now: datetime) -> list[Check]:
    """Return the problems that the checks of these groups found, each with the pages where it is fixed. Errors first."""
    return [
        Check(
            level=problem.level,
            code=problem.code,
            message=problem.message,
            people=problem.people,
            affects_all=problem.affects_all,
            location=problem.location,
            fix=find_fix_link(issue, content, finding=problem.findings[0]),
            fixes=list_fix_links(issue, content, findings=problem.findings),
            name=problem.name,
        )
        for problem in find_problems(issue, content, groups=groups, now=now)
    ]


def add_acknowledgements(checks: list[Check], *, acknowledged: dict[str, Acknowledgement]) -> list[Check]:
    """Return the checks, each warning with its acknowledgement."""
    return [replace(check, acknowledgement=acknowledged.get(check.name)) for check in checks]


def list_acknowledged_checks(acknowledged: dict[str, Acknowledgement]) -> list[Check]:
    """Return the warnings that were acknowledged before the issue was sent, with their text of that time."""
    return [
        Check("warning", "", row.message, people=0, affects_all=True, name=name, acknowledgement=row)
        for name, row in acknowledged.items()
    ]


def describe_acknowledged(checks: list[Check]) -> str:
    """Summarise the checks of an issue that was sent."""
    return _("These warnings were reviewed before approval.") if checks else _("No warnings.")


def describe_verdict(checks: list[Check], *, checked: int, versions: int, silent_links: int = 0) -> str:
    """Summarise the checks of an issue that can still change, and say how many of its versions were checked.

    ``silent_links`` did not answer. They are no finding, but with them not everything passed.
    """
    if checked >= versions:
        return _describe_result(checks, silent_links=silent_links)
    values = {"checked": checked, "versions": versions}
    if not silent_links and not any(check.level in ("error", "warning") for check in checks):
        return _("All checks passed in the %(checked)s most common of %(versions)s versions.") % values
    scope = _("We checked the %(checked)s most common of %(versions)s versions.") % values
    return f"{_describe_result(checks, silent_links=silent_links)} {scope}"


def _describe_result(checks: list[Check], *, silent_links: int) -> str:
    errors = sum(check.level == "error" for check in checks)
    warnings = [check for check in checks if check.level == "warning"]
    open_warnings = sum(check.acknowledgement is None for check in warnings)
    if errors:
        text = ngettext(
            "%(errors)s error. Fix it before approval.", "%(errors)s errors. Fix them before approval.", errors
        )
        return text % {"errors": errors}
    if open_warnings:
        text = ngettext(
            "%(warnings)s warning. Fix it or mark it as reviewed.",
            "%(warnings)s warnings. Fix them or mark them as reviewed.",
            open_warnings,
        )
        return text % {"warnings": open_warnings}
    if warnings:
        return _("All warnings are reviewed.")
    if silent_links:
        text = ngettext(
            "No errors and no warnings, but %(links)s link does not answer.",
            "No errors and no warnings, but %(links)s links do not answer.",
            silent_links,
        )
        return text % {"links": silent_links}
    return _("All checks passed.")
