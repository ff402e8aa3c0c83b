"""Find the problems of an issue: each once, with its place and how many recipients it affects."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import translation

from newsletter.common.messages import Message, PeopleCount, Quantity
from newsletter.issue_checks.block_reach import check_block_reach
from newsletter.issue_checks.finding_locations import describe_locations
from newsletter.issue_checks.render_cache import render_cached
from newsletter.issue_checks.variant_groups import VariantGroup
from newsletter.issues.approval.acknowledge import make_warning_key
from newsletter.issues.approval.content_checks import check_events_by_last_hour, describe_checked
from newsletter.issues.checks.issue_check import run_checks
from newsletter.issues.protected_terms.check import scan_for_protected_terms
from newsletter.issues.snapshot.content_links import check_linked_stories
from newsletter.issues.snapshot.records.content import IssueContent, hash_content
from newsletter.issues.variants.reader_zones import find_last_hour
from newsletter.issues.variants.subject_test_rules import check_subject_test
from newsletter.issues.visible.visible_content import Fallback
from newsletter.models import Issue, Publication
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.rendering.lint.findings import Finding
from newsletter.sending.deliverability.domains import find_domain_problems
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import find_rate_problems
from newsletter.sending.spam_score import find_spam_findings

CODE = "too-many-versions"


@dataclass(frozen=True)
class Problem:
    """One finding, or the same one in several places, in the mails of ``people`` recipients.

    ``name`` identifies a warning within this content, so that a person can acknowledge it. ``location`` is text or "".
    """

    findings: Sequence[Finding]
    people: int
    affects_all: bool
    location: str
    name: str

    @property
    def level(self) -> str:
        return self.findings[0].level

    @property
    def code(self) -> str:
        return self.findings[0].code

    @property
    def message(self) -> str:
        return self.findings[0].message


def find_problems(issue: Issue, content: IssueContent, *, groups: list[VariantGroup], now: datetime) -> list[Problem]:
    """Check the content, its links and its sender, and the mails of these groups. Return errors first."""
    people = sum(group.people for group in groups)
    findings = [*find_content_findings(content, now=now), *find_spam_findings(issue, sha256=hash_content(content))]
    if last_hour := find_last_hour(issue, now=now):
        delivered_at = max(content.issue.due_at, now)
        findings += check_events_by_last_hour(content, delivered_at=delivered_at, last_hour=last_hour)
    findings += check_block_reach(content, groups=groups)
    findings += check_subject_test(content, issue=issue)
    findings += [Finding("warning", problem.code, problem.text) for problem in find_rate_problems(issue, now=now)]
    problems = [_make_problem(content, [finding], people=people, affects_all=True) for finding in findings]
    for finding, rare in check_version_limit(content, groups=groups):
        problems.append(_make_problem(content, [finding], people=rare, affects_all=rare == people))
    problems += check_mails(content, groups=groups)
    return sorted(problems, key=lambda found_problem: (found_problem.level, -found_problem.people))


def find_content_findings(content: IssueContent, *, now: datetime) -> list[Finding]:
    """Return the findings that do not depend on the recipient."""
    account = Publication.objects.filter(slug=content.publication.slug).values_list("account", flat=True).first()
    domain_findings = [
        Finding(
            "error" if problem.level == "error" else "warning",
            "sender-domain",
            problem.text,
        )
        for problem in find_domain_problems(content.publication.from_email, account=account or DEFAULT_ACCOUNT)
    ]
    return [
        *scan_for_protected_terms(content).findings,
        *check_linked_stories(content, at=max(content.issue.due_at, now)),
        *run_checks(describe_checked(content, now=now)),
        *domain_findings,
    ]


def check_mails(content: IssueContent, *, groups: list[VariantGroup]) -> list[Problem]:
    """Check the mail of each group. A finding of several mails is one check that counts all their recipients."""
    sha256, protected = hash_content(content), scan_for_protected_terms(content)
    people: Counter[tuple[str, str]] = Counter()
    mails: Counter[tuple[str, str]] = Counter()
    by_message: dict[tuple[str, str], list[Finding]] = {}
    for group in groups:
        rendered = render_cached(content, visible=group.visible, sha256=sha256)
        findings = [*rendered.findings, *protected.find_in(rendered.mail)]
        for finding in findings:
            findings_of_message = by_message.setdefault((finding.level, finding.message), [])
            if finding not in findings_of_message:
                findings_of_message.append(finding)
        for key in {(finding.level, finding.message) for finding in findings}:
            people[key] += group.people
            mails[key] += 1
    return [
        _make_problem(content, findings, people=people[key], affects_all=mails[key] == len(groups))
        for key, findings in by_message.items()
    ]


def _make_problem(content: IssueContent, findings: Sequence[Finding], *, people: int, affects_all: bool) -> Problem:
    first = findings[0]
    with translation.override("en"):  # the key must not depend on the reader's language
        name = make_warning_key(
            code=first.code, message=first.message, where=describe_locations(content, findings=findings)
        )
    return Problem(
        findings=findings,
        people=people,
        affects_all=affects_all,
        location=describe_locations(content, findings=findings),
        name=name,
    )


def check_version_limit(content: IssueContent, *, groups: Sequence[VariantGroup]) -> Iterator[tuple[Finding, int]]:
    """Find that versions were merged, or that merging is not enough. Each finding comes with its number of recipients."""
    limit = content.publication.max_variants
    if len(groups) > limit:
        message = Message(
            "This issue needs at least %(versions)s versions, and its publication allows %(limit)s. Raise the maximum versions "
            "of the publication.",
            versions=Quantity(len(groups)),
            limit=Quantity(limit),
        )
        yield Finding("error", CODE, message, field="publication"), sum(group.people for group in groups)
        return
    people = sum((group.fallbacks for group in groups), Counter[Fallback]())
    if people:
        sentences = [
            Message(
                "This issue would have more than %(limit)s versions, so the rarest are merged.", limit=Quantity(limit)
            ),
            *(_say_what_they_get(variant, people=PeopleCount(people[variant])) for variant in sorted(people)),
            Message("To change that, raise the maximum versions of the publication, or give the stories fewer topics."),
        ]
        yield Finding("warning", CODE, Message.joined(sentences, between=" "), field="publication"), people.total()


def _say_what_they_get(fallback: Fallback, *, people: PeopleCount) -> Message:
    match fallback:
        case Fallback.FIRST:
            return Message(
                "People who get all stories, the first of their topics and cases at the top: %(people)s.", people=people
            )
        case Fallback.IN_ORDER:
            return Message("People who get all stories in the order of the issue: %(people)s.", people=people)
        case Fallback.FOR_ALL:
            return Message(
                "People who get the events of all places, and only the blocks for everybody: %(people)s.", people=people
            )
        case Fallback.ONE_STORY:
            return Message("People who get only the first story that they did not have: %(people)s.", people=people)
        case _:
            return Message("People who get it in the publication’s own language: %(people)s.", people=people)
