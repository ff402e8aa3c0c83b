"""Score the mails of open issues with a local SpamAssassin, if this machine has one. A job does it; pages read the results.

Only the rules that need no network are used: a draft is sent nowhere.
"""

import re
import shutil
import subprocess
from datetime import datetime, timedelta
from typing import NamedTuple

from newsletter.common.database.future_times import is_ahead
from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.issues.checks.recent_results import RecentResults, make_shown_stamp, make_stamp
from newsletter.issues.snapshot.records.content import IssueContent, hash_content
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.issues.variants.recipient_groups import (
    GroupVisibility,
    RecipientGroup,
    find_groups,
)
from newsletter.issues.variants.render import render_visible
from newsletter.issues.visible.visible_content import VisibleContent
from newsletter.models import Issue, SpamCheck
from newsletter.providers.base.contract import Mail, Recipient
from newsletter.providers.base.mail.mime import build_message
from newsletter.rendering.lint.findings import Finding
from newsletter.rendering.personal_values import values_for
from newsletter.sending.build_call import build_headers, find_reply_address, list_header_variables
from newsletter.sending.notices.proofs import SAMPLE_ADDRESS, make_proof_links

TIMEOUT_SECONDS = 30
RETRY_AFTER = timedelta(hours=1)
MAX_RULES = 5
_ISSUES_A_RUN = 3
COMMANDS = (("spamassassin", "--local", "--test-mode", "--nocreate-prefs"), ("spamc", "--full", "--no-safe-fallback"))
_SCORE = re.compile(r"\((-?[\d.]+) points, (-?[\d.]+) required\)")
_RULE = re.compile(r"^\s*(-?\d+\.\d+)\s+[A-Z][A-Z0-9_]+\s+(.*(?:\n\s{20,}\S.*)*)", re.MULTILINE)


class SpamScore(NamedTuple):
    """``rules`` are (points, description) of the rules that matched, most points first."""

    score: float
    threshold: float
    rules: list[tuple[float, str]]


def score_due_issues(*, now: datetime, recent: RecentResults[bool] | None = None) -> int:
    """Score a few open issues whose content changed since the last score. Return how many were scored.

    ``recent`` has the issues that the last runs found scored with their current content.
    """
    recent = RecentResults() if recent is None else recent
    command = find_command()
    if command is None:
        return 0
    scored = 0
    issues = Issue.objects.filter(state__in=Issue.UNSENT_STATES)
    shown_stamp = make_shown_stamp(issues, now=now)
    for issue in issues.select_related("publication__brand", "slot", "spam_check"):
        stamp = make_stamp(issue, shown_stamp=shown_stamp)
        if recent.find(stamp):
            continue
        try:
            content = resolve_complete_content(issue)
            sha256 = hash_content(content)
            if not _is_due(issue, sha256=sha256, now=now):
                recent.keep(stamp, True)
                continue
            message = _make_message(issue, content, now=now)
        except (DomainError, OSError):
            continue
        score = score_message(message, command=command)
        SpamCheck.objects.update_or_create(
            issue=issue,
            defaults={
                "sha256": sha256,
                "score": score.score if score else None,
                "threshold": score.threshold if score else 5.0,
                "rules": [list(rule) for rule in score.rules] if score else [],
                "looked_at": now,
            },
        )
        scored += 1
        if scored == _ISSUES_A_RUN:
            break
    return scored


def find_command() -> tuple[str, ...] | None:
    """Return the command that scores a mail on standard input, or None if SpamAssassin is not installed."""
    for name, *arguments in COMMANDS:
        if path := shutil.which(name):
            return (path, *arguments)
    return None


def score_message(message: bytes, *, command: tuple[str, ...]) -> SpamScore | None:
    """Return the score of a mail, or None if SpamAssassin gave none in time."""
    try:
        answer = subprocess.run(command, input=message, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    report = answer.stdout.decode(errors="replace")
    scored = list(_SCORE.finditer(report))
    if not scored:
        return None
    last = scored[-1]
    rules = [(float(rule[1]), " ".join(rule[2].split())) for rule in _RULE.finditer(report, last.end())]
    worst = sorted((rule for rule in rules if rule[0] >= 0.1), reverse=True)
    return SpamScore(score=float(last[1]), threshold=float(last[2]), rules=worst[:MAX_RULES])


def find_spam_check(issue: Issue, *, sha256: str) -> SpamCheck | None:
    """Return the score of exactly this content, or None."""
    return SpamCheck.objects.filter(issue_id=issue.pk, sha256=sha256, score__isnull=False).first()


def find_spam_findings(issue: Issue, *, sha256: str) -> list[Finding]:
    """Return a warning if spam filters would object to this content."""
    check = find_spam_check(issue, sha256=sha256)
    if check is None or check.score is None or check.score < check.threshold:
        return []
    message = Message("%(score)s Shorten or reword what these rules name.", score=describe_score(check))
    return [Finding("warning", "spam-score", message)]


def describe_score(check: SpamCheck) -> Message:
    """Describe the score and the rules that matched, in SpamAssassin's words."""
    rules = Message.joined([f"{description} ({points:g})" for points, description in check.rules])
    values = {"score": f"{check.score:g}", "limit": f"{check.threshold:g}"}
    if not check.rules:
        return Message("Spam score: %(score)s (filters act at %(limit)s).", **values)
    return Message(
        "Spam score: %(score)s (filters act at %(limit)s). Rules that matched: %(rules)s.",
        **values,
        rules=rules,
    )


def _is_due(issue: Issue, *, sha256: str, now: datetime) -> bool:
    check = SpamCheck.objects.filter(issue=issue).first()
    if check is None or check.sha256 != sha256:
        return True
    if check.score is not None:
        return False
    return check.looked_at < now - RETRY_AFTER or is_ahead(check.looked_at, now=now)


def _make_message(issue: Issue, content: IssueContent, *, now: datetime) -> bytes:
    """Return the most common version of the issue's mail with sample values."""
    rendered = render_visible(content, visible=_choose_most_common(issue, content, now=now)).mail
    publication = content.publication
    mail = Mail(
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        from_name=publication.from_name,
        from_email=publication.from_email,
        reply_to=find_reply_address(content),
        headers=build_headers(content),
    )
    values = values_for(variables=(*rendered.variables, *list_header_variables()), fields=make_proof_links())
    recipient = Recipient(delivery=0, address=SAMPLE_ADDRESS, variables=values)
    domain = publication.from_email.rpartition("@")[2]
    return build_message(mail=mail, recipient=recipient, message_id=f"{rendered.sha256}@{domain}", date=now).as_bytes()


def _choose_most_common(issue: Issue, content: IssueContent, *, now: datetime) -> VisibleContent:
    """Return the content for the largest group that gets a mail, else for people without a location."""
    groups = [*find_groups(issue, content=content, now=now), RecipientGroup(place_id=0, giving="none", people=0)]
    visibility = GroupVisibility(content, groups=groups)
    choices = [visibility.choose(group) for group in groups]
    return next((visible for visible in choices if not visible.is_empty), choices[-1])
