"""The checks of an issue: each finding once, with its location, how many recipients it affects and where to fix it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.messages import Message
from newsletter.desk.editor.render_cache import render_cached
from newsletter.desk.issues.audience.block_reach import check_block_reach
from newsletter.desk.issues.audience.merged_versions import check_version_limit
from newsletter.desk.issues.audience.variant_groups import VariantGroup
from newsletter.desk.issues.checking.finding_locations import (
    NO_PAGE,
    FixLink,
    describe_locations,
    find_fix_link,
    list_fix_links,
)
from newsletter.issues.approval.acknowledge import make_warning_key
from newsletter.issues.approval.content_checks import check_events_by_last_hour, describe_checked
from newsletter.issues.checks.issue_check import run_checks
from newsletter.issues.protected_terms.check import scan_for_protected_terms
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.related_links import check_linked_stories
from newsletter.issues.snapshot.resolve import hash_content
from newsletter.issues.variants.reader_zones import find_last_hour
from newsletter.issues.variants.subject_test_rules import check_subject_test
from newsletter.models import Acknowledgement, Issue
from newsletter.rendering.lint.findings import Finding
from newsletter.sending.deliverability.domains import find_domain_problems
from newsletter.sending.spam_score import find_spam_findings


@dataclass(frozen=True)
class Check:
    """One finding in the mails of ``people`` recipients.

    ``name`` identifies a warning within this content, so that a person can acknowledge it. ``location`` is text or "".
    ``places`` has a link to each place of a finding that is in several; then ``fix`` is that of the first.
    """

    level: str
    code: str
    message: str
    people: int
    affects_all: bool
    location: str = ""
    fix: FixLink = NO_PAGE
    places: tuple[FixLink, ...] = ()
    name: str = ""
    acknowledgement: Acknowledgement | None = None


def check_issue(issue: Issue, content: IssueContent, *, groups: list[VariantGroup], now: datetime) -> list[Check]:
    """Check the content, its links and its sender, and the mails of these groups. Return errors first."""
    people = sum(group.people for group in groups)
    findings = [*find_content_findings(content, now=now), *find_spam_findings(issue, sha256=hash_content(content))]
    if last_hour := find_last_hour(issue, now=now):
        delivered_at = max(content.issue.due_at, now)
        findings += check_events_by_last_hour(content, delivered_at=delivered_at, last_hour=last_hour)
    findings += check_block_reach(content, groups=groups)
    findings += check_subject_test(content, issue=issue)
    checks = [_make_check(issue, content, [finding], people=people, affects_all=True) for finding in findings]
    for finding, rare in check_version_limit(content, groups=groups):
        checks.append(_make_check(issue, content, [finding], people=rare, affects_all=rare == people))
    checks += check_mails(issue, content, groups=groups)
    return sorted(checks, key=lambda check: (check.level, -check.people))


def find_content_findings(content: IssueContent, *, now: datetime) -> list[Finding]:
    """Return the findings that do not depend on the recipient."""
    domain_findings = [
        Finding(
            "error" if problem.level == "error" else "warning",
            "sender-domain",
            Message.joined([text for text in (problem.says, problem.do) if text], between=" "),
        )
        for problem in find_domain_problems(content.publication.from_email)
    ]
    return [
        *scan_for_protected_terms(content).findings,
        *check_linked_stories(content, at=max(content.issue.due_at, now)),
        *run_checks(describe_checked(content, now=now)),
        *domain_findings,
    ]


def check_mails(issue: Issue, content: IssueContent, *, groups: list[VariantGroup]) -> list[Check]:
    """Check the mail of each group. A finding of several mails is one check that counts all their recipients."""
    sha256, protected = hash_content(content), scan_for_protected_terms(content)
    people: Counter[tuple[str, str]] = Counter()
    mails: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, str], list[Finding]] = {}
    for group in groups:
        rendered = render_cached(content, visible=group.visible, sha256=sha256)
        findings = [*rendered.findings, *protected.find_in(rendered.mail)]
        for finding in findings:
            same = found.setdefault((finding.level, finding.message), [])
            if finding not in same:
                same.append(finding)
        for key in {(finding.level, finding.message) for finding in findings}:
            people[key] += group.people
            mails[key] += 1
    return [
        _make_check(issue, content, findings, people=people[key], affects_all=mails[key] == len(groups))
        for key, findings in found.items()
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


def describe_verdict(checks: list[Check], *, checked: int, versions: int) -> str:
    """Summarise the checks of an issue that can still change, and say how many of its versions were checked."""
    if checked >= versions:
        return _describe_result(checks)
    values = {"checked": checked, "versions": versions}
    if not any(check.level in ("error", "warning") for check in checks):
        return _("All checks passed in the %(checked)s most common of %(versions)s versions.") % values
    scope = _("We checked the %(checked)s most common of %(versions)s versions.") % values
    return f"{_describe_result(checks)} {scope}"


def _describe_result(checks: list[Check]) -> str:
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
    return _("All warnings are reviewed.") if warnings else _("All checks passed.")


def _make_check(
    issue: Issue, content: IssueContent, findings: Sequence[Finding], *, people: int, affects_all: bool
) -> Check:
    first = findings[0]
    with translation.override("en"):  # the key must not depend on the reader's language
        name = make_warning_key(
            code=first.code, message=first.message, where=describe_locations(content, findings=findings)
        )
    return Check(
        level=first.level,
        code=first.code,
        message=first.message,
        people=people,
        affects_all=affects_all,
        location=describe_locations(content, findings=findings),
        fix=find_fix_link(issue, content, finding=first),
        places=list_fix_links(issue, content, findings=findings),
        name=name,
    )
