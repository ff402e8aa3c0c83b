"""What the checks of an issue found, each thing said once, with where it stands, whom it concerns and where to mend it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.desk.editor.render_cache import render_cached
from newsletter.desk.issues.finding_locations import describe_locations, find_fix_url
from newsletter.desk.issues.variant_groups import VariantGroup
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
    """One finding: where it is (“In the lead story “…””, or nothing), how many people get a mail that has it, where to go.

    ``name`` names it within this content, so that a person can say to have seen it; ``fix_url`` is an address of the desk.
    """

    level: str
    code: str
    message: str
    people: int
    all: bool
    where: str = ""
    fix_url: str = ""
    name: str = ""
    seen: Acknowledgement | None = None


def check_issue(issue: Issue, content: IssueContent, *, readers: list[VariantGroup], now: datetime) -> list[Check]:
    """Every finding once, errors first: of the mails of these readers, of the content, its links and its sender."""
    everywhere = find_content_findings(content, now=now)
    people = sum(reader.people for reader in readers)
    checks = [_make_check(issue, content, [finding], people=people, everyone=True) for finding in everywhere]
    checks += check_mails(issue, content, readers=readers)
    return sorted(checks, key=lambda check: (check.level, -check.people))


def find_content_findings(content: IssueContent, *, now: datetime) -> list[Finding]:
    """What is wrong whoever reads it."""
    senders = [
        Finding("error" if fault.level == "error" else "warning", "sender-domain", f"{fault.says} {fault.do}".strip())
        for fault in find_domain_problems(content.publication.from_email)
    ]
    stories = [story.id for story in content.stories]
    pseudonyms = dict(Story.objects.filter(pk__in=stories).values_list("pk", "pseudonyms"))
    return [
        *scan_for_protected_terms(content).findings,
        *check_linked_stories(content, at=max(content.issue.due_at, now)),
        *check_content(content, pseudonyms=pseudonyms, now=now),
        *find_dead_links(content, now=now),
        *senders,
    ]


def check_mails(issue: Issue, content: IssueContent, *, readers: list[VariantGroup]) -> list[Check]:
    """Every finding of these readers' mails once, with the people that it concerns."""
    sha256, look = hash_content(content), scan_for_protected_terms(content)
    people: Counter[tuple[str, str]] = Counter()
    mails: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, str], list[Finding]] = {}
    for reader in readers:
        rendered = render_cached(content, visible=reader.visible, sha256=sha256)
        findings = [*rendered.findings, *look.find_in(rendered.mail)]
        for finding in findings:
            same = found.setdefault((finding.level, finding.message), [])
            if finding not in same:
                same.append(finding)
        for key in {(finding.level, finding.message) for finding in findings}:
            people[key] += reader.people
            mails[key] += 1
    return [
        _make_check(issue, content, findings, people=people[key], everyone=mails[key] == len(readers))
        for key, findings in found.items()
    ]


def add_acknowledgements(checks: list[Check], *, seen: dict[str, Acknowledgement]) -> list[Check]:
    """The same checks, with who has said to have seen each warning."""
    return [Check(**{**vars(check), "seen": seen.get(check.name)}) for check in checks]


def list_acknowledged_checks(seen: dict[str, Acknowledgement]) -> list[Check]:
    """The warnings that somebody looked at before the issue went out, as they were said then."""
    return [
        Check(level="warning", code="", message=row.message, people=0, all=True, name=name, seen=row)
        for name, row in seen.items()
    ]


def describe_acknowledged(checks: list[Check]) -> str:
    """One sentence over the checks of an issue that is gone."""
    if checks:
        return _("These warnings were looked at before it was approved.")
    return _("There was no warning that anybody had to tick.")


def describe_verdict(checks: list[Check]) -> str:
    """One sentence over all checks."""
    errors = sum(check.level == "error" for check in checks)
    warnings = [check for check in checks if check.level == "warning"]
    unseen = sum(check.seen is None for check in warnings)
    if errors:
        return _("%(errors)s to put right before it can be approved.") % {"errors": errors}
    if unseen:
        return _("%(unseen)s to look at: put it right, or tick that you have seen it.") % {"unseen": unseen}
    return _("Every warning was looked at.") if warnings else _("Every check passes.")


def _make_check(
    issue: Issue, content: IssueContent, findings: Sequence[Finding], *, people: int, everyone: bool
) -> Check:
    first = findings[0]
    places = [(finding.block, finding.code) for finding in findings]
    with translation.override("en"):  # whoever ticks a warning, its name is the same
        name = make_warning_key(
            code=first.code, message=first.message, where=describe_locations(content, places=places)
        )
    return Check(
        level=first.level,
        code=first.code,
        message=first.message,
        people=people,
        all=everyone,
        where=describe_locations(content, places=places),
        fix_url=find_fix_url(issue, content, finding=first),
        name=name,
    )
