"""A spam rate above 0.3 % at Gmail pauses the next issue before its first mail, until a person says why it may go."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from newsletter.common.errors import NotReady
from newsletter.issue_checks.find_problems import find_problems
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.jobs.notices.about_sends import notify_spam_rates, notify_stopped_sends
from newsletter.jobs.scheduler_jobs import start_due_sends
from newsletter.models import (
    Attempt,
    Batch,
    Issue,
    PostmasterFigure,
    PostmasterReading,
    Publication,
    Send,
    SenderDomain,
    StaffNotice,
)
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import Level, find_worst_rate, judge_rate
from newsletter.sending.freezing.start import prepare_requested_sends, request_send, start_send
from newsletter.sending.limits.gmail_spam_rate import pause_if_reported, pause_reported
from newsletter.sending.limits.send_window import enforce_send_window
from newsletter.sending.settling.send_controls import (
    pause_send,
    resume_send,
)
from subscribers.models import Subscriber
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.repeated_rows import repeat_rows

pytestmark = pytest.mark.django_db(transaction=True)
SENDER = "news.example.org"
YESTERDAY = NOW.date() - timedelta(days=1)
TOO_HIGH = 0.0031


def report(rate: float, *, day: date = YESTERDAY, domain: str = SENDER, signing: str = SENDER) -> None:
    """Store what Google said about the sender's domain."""
    PostmasterReading.objects.get_or_create(
        sender=SENDER, signing=signing, defaults={"domain": domain, "asked_at": NOW, "retry_at": NOW, "read_at": NOW}
    )
    PostmasterFigure.objects.update_or_create(
        domain=domain, day=day, figure="spam_rate", defaults={"value": rate, "fetched_at": NOW}
    )


def make_ready(*, slug: str = "weekly", **changes: Any) -> Issue:
    """Return an approved issue with recipients."""
    publication = make_publication(slug=slug, **changes)
    make_story(f"The first verdict of {slug}")
    add_subscribers(publication, 3, start=Subscriber.objects.count())
    return make_issue(publication, approved=True)


def start(issue: Issue) -> Send:
    return start_send(issue=issue, now=NOW)


@pytest.mark.parametrize(
    ("rate", "level"),
    [(0, "good"), (0.000999, "good"), (0.001, "warning"), (0.003, "warning"), (0.00301, "too_high"), (1, "too_high")],
)
def test_each_level_has_its_limit(rate: float, level: str) -> None:
    assert judge_rate(rate) is Level(level)


@pytest.mark.parametrize(("rate", "state"), [(0.003, "submitting"), (TOO_HIGH, "paused")])
def test_only_a_rate_above_the_limit_pauses(rate: float, state: str) -> None:
    issue = make_ready()
    report(rate)
    assert start(issue).state == state


@pytest.mark.postgres
def test_the_next_issue_pauses_before_anybody_gets_it() -> None:
    issue = make_ready()
    report(TOO_HIGH)
    send = start(issue)
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.GMAIL_SPAM_RATE)
    assert "At Gmail, 0.31 % of the mail of news.example.org was reported as spam on 3 March 2026" in send.reason
    assert not Attempt.objects.exists()
    pause = AutomaticPause.objects.get()
    assert (pause.rule, pause.cases, pause.lifted_at) == ("gmail", 310, None)


def test_staff_are_notified_of_the_pause() -> None:
    make_approver()
    issue = make_ready()
    report(TOO_HIGH)
    start(issue)
    notify_stopped_sends(now=NOW)
    assert any("Gmail refuses or hides" in part for part in StaffNotice.objects.get().paragraphs)


def test_without_figures_nothing_pauses() -> None:
    assert start(make_ready()).state == Send.State.SUBMITTING
    assert pause_reported(now=NOW) == []


def test_figures_of_another_domain_pause_nothing() -> None:
    issue = make_ready()
    report(0.0, day=YESTERDAY)
    report(TOO_HIGH, domain="other.example")
    assert start(issue).state == Send.State.SUBMITTING


@pytest.mark.parametrize(("days", "state"), [(8, "paused"), (9, "submitting")])
def test_a_first_issue_is_judged_by_the_last_week(days: int, state: str) -> None:
    issue = make_ready()
    report(TOO_HIGH, day=NOW.date() - timedelta(days=days))
    assert start(issue).state == state


def test_a_rate_that_comes_three_days_late_pauses_the_next_issue() -> None:
    make_earlier_send(days=4)
    issue = make_ready(slug="before")
    report(0.0, day=NOW.date() - timedelta(days=5))
    assert start(issue).state == Send.State.SUBMITTING
    issue = make_ready(slug="after")
    report(TOO_HIGH, day=NOW.date() - timedelta(days=4))
    assert start(issue).state == Send.State.PAUSED


@repeat_rows
def make_earlier_send(*, days: int, slug: str = "weekly", attempted: bool = True) -> Send:
    """Return a send from the same domain that began so many days ago."""
    send = start_send(issue=make_ready(slug=slug), now=NOW)
    Send.objects.filter(pk=send.pk).update(started_at=NOW - timedelta(days=days))
    if attempted:
        batch = send.batches.get()
        Attempt.objects.create(batch=batch, number=1, people=3, started_at=NOW - timedelta(days=days))
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTED)
    return send


@pytest.mark.parametrize(("days", "state"), [(28, "paused"), (29, "submitting")])
@pytest.mark.postgres
def test_a_monthly_issue_is_judged_since_the_one_before(days: int, state: str) -> None:
    make_earlier_send(days=27)
    issue = make_ready(slug="other")
    report(TOO_HIGH, day=NOW.date() - timedelta(days=days))
    assert start(issue).state == state


def test_an_issue_that_paused_before_its_first_mail_is_not_the_last() -> None:
    make_earlier_send(days=27)
    make_earlier_send(days=10, slug="second", attempted=False)
    issue = make_ready(slug="other")
    report(TOO_HIGH, day=NOW.date() - timedelta(days=28))
    assert start(issue).state == Send.State.PAUSED


def test_days_more_than_five_weeks_ago_never_count() -> None:
    make_earlier_send(days=60)
    issue = make_ready(slug="other")
    report(TOO_HIGH, day=NOW.date() - timedelta(days=37))
    assert start(issue).state == Send.State.SUBMITTING


SIGNING = "backup.example.net"


@pytest.fixture
def accounts(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"mailgun://key-0123456789@{SENDER}"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": f"mailgun://other-0123456789@{SIGNING}"}
    settings.NEWSLETTER_PRODUCTION = True
    SenderDomain.objects.create(
        domain=SENDER,
        provider="mailgun",
        further={"backup": {"provider": f"mailgun ({SIGNING})", "findings": []}},
        looked_at=NOW,
    )


@pytest.mark.parametrize(("account", "state"), [("default", "submitting"), ("backup", "paused")])
def test_the_rate_of_the_account_in_use_pauses(accounts: None, account: str, state: str) -> None:
    issue = make_ready(account=account)
    report(0.0)
    report(TOO_HIGH, domain=SIGNING, signing=SIGNING)
    assert start(issue).state == state


def test_after_a_move_the_second_account_counts(accounts: None) -> None:
    issue = make_ready(second_account="backup")
    report(0.0)
    report(TOO_HIGH, domain=SIGNING, signing=SIGNING)
    send = start(issue)
    assert pause_reported(now=NOW) == []
    send.batches.update(account="backup")
    assert pause_reported(now=NOW) == [send]


def test_an_issue_through_another_account_is_not_the_last(accounts: None) -> None:
    make_earlier_send(days=27)
    Publication.objects.update(account="backup")
    make_earlier_send(days=1, slug="second")
    Publication.objects.update(account="default")
    Batch.objects.filter(send__issue__publication__slug="second").update(account="backup")
    issue = make_ready(slug="other")
    report(TOO_HIGH, day=NOW.date() - timedelta(days=28))
    assert start(issue).state == Send.State.PAUSED


def test_a_good_day_after_a_bad_one_hides_nothing() -> None:
    issue = make_ready()
    report(TOO_HIGH, day=YESTERDAY - timedelta(days=2))
    report(0.0)
    assert start(issue).state == Send.State.PAUSED


def test_a_person_resumes_it_with_a_reason() -> None:
    issue = make_ready()
    report(TOO_HIGH)
    send = start(issue)
    approver = make_approver()
    for reason in ("", "  \n "):
        with pytest.raises(NotReady, match="Enter a reason"):
            resume_send(send=send, by=approver, reason=reason, now=NOW)
        assert Send.objects.get().state == Send.State.PAUSED
    resume_send(send=send, by=approver, reason="We removed the old list.", now=NOW)
    assert Send.objects.get().state == Send.State.SUBMITTING
    pause = AutomaticPause.objects.get()
    assert (pause.lifted_at, pause.lifted_by, pause.lifted_reason) == (NOW, str(approver), "We removed the old list.")


def test_a_send_that_a_person_allowed_continues_until_the_rate_doubles() -> None:
    issue = make_ready()
    report(TOO_HIGH)
    send = start(issue)
    resume_send(send=send, by=make_approver(), reason="We removed the old list.", now=NOW)
    report(2 * TOO_HIGH - 0.0001)
    enforce_send_window(now=NOW)
    assert Send.objects.get().state == Send.State.SUBMITTING
    report(2 * TOO_HIGH)
    enforce_send_window(now=NOW)
    assert Send.objects.get().state == Send.State.PAUSED
    assert AutomaticPause.objects.get().lifted_reason == ""


def test_a_figure_that_comes_during_the_send_pauses_it() -> None:
    start(make_ready())
    enforce_send_window(now=NOW)
    assert Send.objects.get().state == Send.State.SUBMITTING
    report(TOO_HIGH)
    assert [send.pk for send in pause_reported(now=NOW)] == [Send.objects.get().pk]
    assert pause_reported(now=NOW) == []


@pytest.mark.parametrize(("on", "state"), [(True, "paused"), (False, "submitting")])
def test_the_switch_decides_for_an_issue_approved_before(on: bool, state: str) -> None:
    issue = make_ready(gmail_pause=not on)
    report(TOO_HIGH)
    Publication.objects.update(gmail_pause=on)
    assert start(issue).state == state


@pytest.mark.parametrize(("on", "state"), [(True, "paused"), (False, "submitting")])
def test_the_switch_decides_for_a_scheduled_issue(on: bool, state: str) -> None:
    issue = make_ready(gmail_pause=not on)
    report(TOO_HIGH)
    Publication.objects.update(gmail_pause=on)
    assert issue.due_at is not None
    start_due_sends(now=issue.due_at)
    assert Send.objects.get().state == state


@pytest.mark.parametrize(("on", "state"), [(True, "paused"), (False, "submitting")])
def test_the_switch_decides_for_a_send_that_staff_started(on: bool, state: str) -> None:
    issue = make_ready(gmail_pause=not on)
    report(TOO_HIGH)
    request_send(issue=issue, by=make_approver(), now=NOW)
    Publication.objects.update(gmail_pause=on)
    prepare_requested_sends(now=NOW)
    assert Send.objects.get().state == state


@pytest.mark.parametrize(("on", "state"), [(True, "paused"), (False, "submitting")])
@pytest.mark.postgres
def test_the_switch_decides_for_a_running_send(on: bool, state: str) -> None:
    start(make_ready(gmail_pause=not on))
    report(TOO_HIGH)
    Publication.objects.update(gmail_pause=on)
    enforce_send_window(now=NOW)
    assert Send.objects.get().state == state


def test_a_correction_is_sent() -> None:
    send = start(make_ready())
    Issue.objects.filter(pk=send.issue_id).update(kind=Issue.Kind.CORRECTION, slot=None)
    report(TOO_HIGH)
    assert not pause_if_reported(send, now=NOW)
    enforce_send_window(now=NOW)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING


def test_other_pauses_need_no_reason() -> None:
    send = start(make_ready())
    approver = make_approver()
    pause_send(send=send, by=approver)
    resume_send(send=send, by=approver, now=NOW)
    assert Send.objects.get().state == Send.State.SUBMITTING


@pytest.mark.parametrize(
    ("rate", "pauses", "words"),
    [
        (0.0009, True, ""),
        (0.001, True, "wants less than 0.1 %"),
        (0.004, True, "so the send pauses"),
        (0.004, False, "wants"),
    ],
)
def test_staff_see_the_rate_before_they_approve(rate: float, pauses: bool, words: str) -> None:
    issue = make_ready(gmail_pause=pauses)
    report(rate)
    found = [
        one for one in find_problems(issue, resolve_content(issue), groups=[], now=NOW) if one.code == "gmail-spam-rate"
    ]
    assert [one.level for one in found] == (["warning"] if words else [])
    assert all(words in str(one.findings[0].message) for one in found)


@pytest.mark.postgres
def test_a_pause_is_lifted_with_a_name_and_a_reason_or_not_at_all() -> None:
    issue = make_ready()
    report(TOO_HIGH)
    start(issue)
    with pytest.raises(IntegrityError), transaction.atomic():
        AutomaticPause.objects.update(lifted_at=NOW, lifted_by="ann@example.org")


@pytest.mark.parametrize("error", [DatabaseError("locked"), NotReady("No rate.")])
@pytest.mark.postgres
def test_an_error_in_one_send_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    sends = [start(make_ready()), start(make_ready(slug="second"))]
    report(TOO_HIGH)
    broken = max(sends, key=lambda send: send.pk)

    def fail_once(publication: Publication, **more: Any) -> PostmasterFigure | None:
        if publication.pk == broken.issue.publication_id:
            raise error
        return find_worst_rate(publication, **more)

    monkeypatch.setattr("newsletter.sending.limits.gmail_spam_rate.find_worst_rate", fail_once)
    enforce_send_window(now=NOW)
    assert [Send.objects.get(pk=send.pk).state for send in sends] == [Send.State.PAUSED, Send.State.SUBMITTING]
    assert f"Gmail's rate of send {broken.pk} was not judged: {error}" in caplog.text


def test_staff_are_notified_of_the_rate_of_each_account(accounts: None) -> None:
    make_approver()
    report(0.0)
    report(TOO_HIGH, domain=SIGNING, signing=SIGNING)
    make_publication(second_account="backup")
    for _ in range(2):
        notify_spam_rates(now=NOW)
    notice = StaffNotice.objects.get()
    assert SIGNING in notice.subject
    assert any("A send that moves to the account “backup” pauses" in part for part in notice.paragraphs)


def test_the_notice_comes_from_the_rate_that_pauses_the_next_issue(accounts: None) -> None:
    make_approver()
    report(TOO_HIGH, domain=SIGNING, signing=SIGNING)
    make_publication(second_account="backup")
    make_publication(slug="other", account="backup")
    notify_spam_rates(now=NOW)
    assert any("The next issue pauses" in part for part in StaffNotice.objects.get().paragraphs)
