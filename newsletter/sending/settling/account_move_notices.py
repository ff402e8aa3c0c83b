"""Notify staff of a move to another provider account, or that it was not possible."""

from datetime import datetime

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message, describe_people, end_sentence
from newsletter.issues.approval.write_notices import issue_page_url, write_notice
from newsletter.models import AccountMove, Send


def notify_moved(move: AccountMove, *, now: datetime) -> None:
    """Notify staff that the rest of a send moved, and why."""
    issue = move.send.issue
    values = {"people": describe_people(move.people), "source": move.from_account, "to": move.to_account}
    what = (
        Message(
            "The account “%(source)s” did not answer, so the account “%(to)s” sends the rest: to %(people)s, never handed "
            "over to the first account.",
            **values,
        )
        if move.code == AccountMove.Code.AWAY
        else Message(
            "The account “%(source)s” refuses to send for us, so the account “%(to)s” sends the rest: to %(people)s, never "
            "handed over to the first account.",
            **values,
        )
    )
    why = [Message("Why: %(reason)s", reason=end_sentence(move.reason))] if move.reason else []
    rest = Message(
        "Nobody is mailed twice: whoever the first account may have stays with it. Look at what is wrong with that account."
    )
    subject = Message("The rest of %(issue)s moved to another account", issue=issue)
    write_notice(issue.publication, f"account-move-{move.pk}", subject, [what, *why, rest], issue_page_url(issue), now)


def notify_not_moved(send: Send, *, error: DomainError, now: datetime) -> None:
    """Notify staff, once for each cause, that the rest of a send could not move."""
    issue = send.issue
    subject = Message("The rest of %(issue)s could not move to the second account", issue=issue)
    paragraphs = [
        error.message,
        Message("Nobody is mailed twice while you look. The send’s page says what to do."),
    ]
    key = f"account-move-failed-{send.pk}-{send.resumed_after_attempt}-{issue.publication.second_account}"
    write_notice(issue.publication, key, subject, paragraphs, issue_page_url(issue), now)
