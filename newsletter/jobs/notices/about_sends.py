"""Write the notices about sends: a stop, uncertain recipients that only staff can settle, a warning, a high spam rate."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings

from newsletter.common.messages import Message, end_sentence
from newsletter.feedback.send_warnings import check_recent_sends
from newsletter.issues.approval.write_notices import issue_page_url, write_notice
from newsletter.models import Publication, Send, StaffNotice
from newsletter.providers.base.contract import Adapter
from newsletter.sending.adapters import current_adapter
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import (
    Level,
    describe_rate,
    find_worst_rate,
    judge_rate,
)
from newsletter.sending.settling.awaited_reports import (
    has_refused_batches,
    has_uncertain_recipients,
    is_enquiry_under_way,
)

ENQUIRY_NOTICE_DELAY = timedelta(minutes=10)
SETTLED_NOTICE_WINDOW = timedelta(days=2)
_LOOK = Message("Nobody is mailed twice while you look. The send’s page says what to do.")


def notify_stopped_sends(*, now: datetime, adapter: Adapter | None = None) -> None:
    """Queue the notices that are due. Each is about one change of a send's state and is written once."""
    adapter = adapter or current_adapter()
    for send in Send.objects.filter(state=Send.State.PAUSED).exclude(code=Send.Code.PAUSED_BY_STAFF):
        _notify(
            send,
            f"paused-{_digest(send.reason)}",
            Message("The send of %(issue)s stopped", issue=send.issue),
            _describe_stop(send),
            now=now,
        )
    for send in Send.objects.filter(state=Send.State.NEEDS_ATTENTION):
        _notify_attention(send, asking=is_enquiry_under_way(send, adapter=adapter, now=now), now=now)
    for send in Send.objects.filter(state=Send.State.SUBMITTED, ended_at__gt=now - SETTLED_NOTICE_WINDOW):
        _notify_settled(send, now=now)


def notify_send_warnings(*, now: datetime) -> None:
    """Queue a notice for each new warning about a recent send."""
    for warning in check_recent_sends(now=now):
        issue = warning.issue
        write_notice(issue.publication, warning.key, warning.subject, warning.paragraphs, issue_page_url(issue), now)


def notify_spam_rates(*, now: datetime) -> None:
    """Queue a notice for each new highest rate that is high, of each domain that signs our mail.

    It comes from the first publication whose first account signs with the domain; without one, whose second account does.
    """
    publications = list(Publication.objects.filter(enabled=True).order_by("pk"))
    for publication in publications:
        _notify_spam_rate(publication, publication.account, now=now)
    for publication in publications:
        if publication.second_account:
            _notify_spam_rate(publication, publication.second_account, now=now)


def _notify_spam_rate(publication: Publication, account: str, *, now: datetime) -> None:
    worst = find_worst_rate(publication, now=now, accounts=[account])
    level = judge_rate(worst.value) if worst else Level.GOOD
    if worst is None or level is Level.GOOD:
        return
    if level is not Level.TOO_HIGH:
        follows = Message("Gmail wants less than 0.1 %%. Above 0.3 %%, the next issue pauses before anybody gets it.")
    elif account == publication.account:
        follows = Message(
            "That is above 0.3 %%. The next issue pauses before anybody gets it, unless its publication says otherwise."
        )
    else:
        follows = Message(
            "That is above 0.3 %%. A send that moves to the account “%(account)s” pauses, unless its publication says otherwise.",
            account=account,
        )
    write_notice(
        publication,
        f"gmail-{worst.domain}-{worst.day:%Y%m%d}-{level}"[:120],
        Message("People at Gmail report mail of %(domain)s as spam", domain=worst.domain),
        [
            describe_rate(worst),
            follows,
            Message(
                "Check who is on the list and how they joined, and leave out people who have been silent for long."
            ),
        ],
        f"{settings.NEWSLETTER_SITE_URL}/admin/setup/domain/#nl-gmail",
        now,
    )


def _notify_attention(send: Send, *, asking: bool, now: datetime) -> None:
    """Queue one notice about refused batches and about uncertain recipients that only staff can settle, each once."""
    uncertain = has_uncertain_recipients(send)
    due = [
        name
        for name, is_due in (("refused", has_refused_batches(send)), ("uncertain", uncertain and not asking))
        if is_due and not _is_notified(send, name, "refused-uncertain")
    ]
    if due:
        _notify(
            send,
            "-".join(due),
            Message("The send of %(issue)s needs your decision", issue=send.issue),
            _describe_stop(send),
            now=now,
        )
    elif uncertain and asking and _is_old(send, now=now) and not _is_notified(send, "refused"):
        paragraphs = [
            Message("Why: %(reason)s", reason=end_sentence(send.reason)),
            Message(
                "The provider is still being asked. You need not do anything: you get another mail when this is "
                "settled, or when you have to settle it."
            ),
        ]
        _notify(
            send, "asking", Message("The send of %(issue)s is being checked", issue=send.issue), paragraphs, now=now
        )


def _notify_settled(send: Send, *, now: datetime) -> None:
    """Queue a notice that a checked send is settled, if staff were notified of the check and did not end the send themselves."""
    if not _is_notified(send, "asking") or send.reason or _is_notified(send, "uncertain", "refused-uncertain"):
        return
    paragraphs = [Message("The provider’s records account for everybody now. You need not do anything.")]
    _notify(send, "settled", Message("The send of %(issue)s is settled", issue=send.issue), paragraphs, now=now)


def _is_old(send: Send, *, now: datetime) -> bool:
    return send.ended_at is not None and send.ended_at <= now - ENQUIRY_NOTICE_DELAY


def _describe_stop(send: Send) -> list[str]:
    return [Message("Why: %(reason)s", reason=end_sentence(send.reason)), _LOOK]


def _notify(send: Send, event: str, subject: str, paragraphs: Sequence[str], *, now: datetime) -> None:
    write_notice(send.issue.publication, _key(send, event), subject, paragraphs, issue_page_url(send.issue), now)


def _is_notified(send: Send, *events: str) -> bool:
    return StaffNotice.objects.filter(key__in=[_key(send, event) for event in events]).exists()


def _key(send: Send, event: str) -> str:
    return f"send-{send.pk}-{send.resumed_after_attempt}-{event}"


def _digest(reason: str) -> str:
    return sha256(reason.encode()).hexdigest()[:12]
