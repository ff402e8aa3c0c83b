"""A job scores the mails of open issues with a local SpamAssassin; pages read the score."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.issues.checks.recent_results import RecentResults
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, Publication, SpamCheck, Story
from newsletter.sending.spam_score import find_command, find_spam_findings, score_due_issues, score_message
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story

pytestmark = pytest.mark.django_db
REPORT = """X-Spam-Status: Yes, score=6.3
Content analysis details:   ({score} points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
-0.0 NO_RELAYS              Informational: message was not relayed via SMTP
 1.8 DRUGS_ERECTILE         Refers to a drug
 4.5 LOTS_OF_MONEY          Huge... sums
                            of money
"""


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    return make_issue(publication)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the only one on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(programs: Path, *, name: str = "spamassassin", score: str = "6.3", script: str = "") -> Path:
    """Write a program that keeps its input and answers with a report. Return the file with its input."""
    read = programs / "input.eml"
    (programs / "report.txt").write_text(REPORT.format(score=score))
    lines = script or f"/bin/cat > {read}\n/bin/cat {programs}/report.txt"
    (programs / name).write_text(f"#!/bin/sh\n{lines}\n")
    (programs / name).chmod(0o755)
    return read


def findings(issue: Issue) -> list[str]:
    content = resolve_content(Issue.objects.get(pk=issue.pk))
    return [finding.message for finding in find_spam_findings(issue, sha256=hash_content(content))]


def test_without_spamassassin_nothing_is_scored_or_said(issue: Issue, programs: Path) -> None:
    assert find_command() is None
    assert score_due_issues(now=NOW) == 0
    assert findings(issue) == []


@pytest.mark.parametrize("name", ["spamassassin", "spamc"])
def test_a_high_score_is_a_warning_with_the_rules_in_words(issue: Issue, programs: Path, name: str) -> None:
    read = install(programs, name=name)
    assert score_due_issues(now=NOW) == 1
    assert findings(issue) == [
        "Spam score: 6.3 (filters act at 5). Rules that matched: Huge... sums of money (4.5); "
        "Refers to a drug (1.8). Shorten or reword what these rules name."
    ]
    mail = read.read_text()
    assert "From: Open Door <news@news.example.org>" in mail
    assert "__pv_" not in mail


def test_a_low_score_is_kept_and_causes_no_warning(issue: Issue, programs: Path) -> None:
    install(programs, score="1.2")
    score_due_issues(now=NOW)
    assert findings(issue) == []
    assert SpamCheck.objects.get().score == 1.2


def test_with_inbound_mail_the_scored_mail_has_both_addresses(issue: Issue, programs: Path, settings: Any) -> None:
    settings.NEWSLETTER_INBOUND_ADDRESS = "replies@news.example.org"
    read = install(programs)
    score_due_issues(now=NOW)
    assert b"<mailto:replies+proof@news.example.org?subject=unsubscribe>" in read.read_bytes()


def test_only_changed_content_is_scored_again(issue: Issue, programs: Path) -> None:
    install(programs)
    assert [score_due_issues(now=NOW) for _ in range(2)] == [1, 0]
    Issue.objects.filter(pk=issue.pk).update(subject="Our own words")
    assert findings(issue) == []
    assert score_due_issues(now=NOW) == 1
    assert len(findings(issue)) == 1


def test_a_changed_story_is_scored_at_the_next_run(issue: Issue, programs: Path) -> None:
    install(programs)
    recent: RecentResults[bool] = RecentResults()
    assert [score_due_issues(now=NOW, recent=recent) for _ in range(3)] == [1, 0, 0]
    Story.objects.update(teaser="Other words")
    assert score_due_issues(now=NOW, recent=recent) == 1


def test_issues_that_were_sent_are_not_scored(issue: Issue, programs: Path) -> None:
    install(programs)
    Issue.objects.update(state="sent")
    assert score_due_issues(now=NOW) == 0


@pytest.mark.parametrize("script", ["exit 1", "echo nothing", "exec /bin/sleep 9"])
def test_a_program_without_an_answer_is_asked_again_later(
    issue: Issue, programs: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr("newsletter.sending.spam_score.TIMEOUT_SECONDS", 0.3)
    install(programs, script=script)
    assert score_due_issues(now=NOW) == 1
    assert findings(issue) == []
    assert score_due_issues(now=NOW + timedelta(minutes=5)) == 0
    assert score_due_issues(now=NOW + timedelta(hours=2)) == 1


def test_an_attempt_of_a_clock_ahead_delays_no_score(issue: Issue, programs: Path) -> None:
    install(programs, script="exit 1")
    assert score_due_issues(now=NOW) == 1
    SpamCheck.objects.update(looked_at=NOW + timedelta(days=30))
    assert score_due_issues(now=NOW) == 1


@pytest.mark.skipif(not shutil.which("spamassassin"), reason="SpamAssassin is not installed")
def test_the_real_spamassassin_scores_a_mail(issue: Issue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert score_due_issues(now=NOW) == 1
    score = SpamCheck.objects.get().score
    assert score is not None
    assert score < 5
    command = find_command()
    assert command
    bad = score_message(b"Subject: FREE MONEY\n\nViagra cialis. Claim your prize of $1,000,000 now.\n", command=command)
    assert bad
    assert any("drug" in description for _, description in bad.rules)
