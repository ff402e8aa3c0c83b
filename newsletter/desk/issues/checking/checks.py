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
from newsletter.desk.issues.audience.variant_groups import VariantGroup
from newsletter.desk.issues.checking.finding_locations import NO_PAGE, FixLink, describe_locations, find_fix_link
from newsletter.issues.approval.acknowledge import make_warning_key
from newsletter.issues.approval.content_checks import check_content
from newsletter.issues.protected_terms.check import scan_for_protected_terms
from newsletter.issues.snapshot.link_checks import find_dead_links
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.related_links import check_linked_stories
from newsletter.issues.snapshot.resolve import hash_content
from newsletter.models import Acknowledgement, Issue, Story
from newsletter.rendering.lint.findings import Finding
from newsletter.sending.deliverability.domains import find_domain_problems


@dataclass(frozen=True)
class Check:
    """One finding in the mails of ``people`` recipients.

    ``name`` identifies a warning within this content, so that a person can acknowledge it. ``location`` is text or "".
    """

    level: str
    code: str
    message: str
    people: int
    affects_all: bool
    location: str = ""
    fix: FixLink = NO_PAGE
    name: str = ""
    acknowledgement: Acknowledgement | None = None


def check_issue(issue: Issue, content: IssueContent, *, groups: list[VariantGroup], now: datetime) -> list[Check]:
    """Check the content, its links and its sender, and the mails of these groups. Return errors first."""
    people = sum(group.people for group in groups)
    checks = [
        _make_check(issue, content, [finding], people=people, affects_all=True)
        for finding in find_content_findings(content, now=now)
    ]
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
    stories = [story.id for story in content.stories]
    pseudonyms = dict(Story.objects.filter(pk__in=stories).values_list("pk", "pseudonyms"))
    return [
        *scan_for_protected_terms(content).findings,
        *check_linked_stories(content, at=max(content.issue.due_at, now)),
        *check_content(content, pseudonyms=pseudonyms, now=now),
        *find_dead_links(content, now=now),
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


def describe_verdict(checks: list[Check]) -> str:
    """Summarise the checks of an issue that can still change."""
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
        name=name,
    )
