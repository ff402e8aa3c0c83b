"""Decide if the remaining batches of a send should move: their account refuses us, or has not answered for long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min

from newsletter.models import AccountMove, Attempt, Send
from newsletter.sending.accounts import explain_unusable
from newsletter.sending.adapters import account_label

STOPPED_BY_ACCOUNT = {
    Send.Code.ACCOUNT_AWAY: AccountMove.Code.AWAY,
    Send.Code.ACCOUNT_REFUSED: AccountMove.Code.REFUSED,
}
_ANSWERED = ("accepted", "throttled", "rejected")


def find_move_reason(send: Send, *, account: str, now: datetime) -> AccountMove.Code | None:
    """Return why the remaining batches should move to another account now, or None."""
    if explain_unusable(account):
        return None
    label = account_label(account)
    if send.code == Send.Code.ACCOUNT_REFUSED:
        since_resumed = Attempt.objects.filter(batch__send=send, pk__gt=send.resumed_after_attempt)
        refused = since_resumed.filter(provider=label, code=Attempt.Code.ACCOUNT_REFUSED).exists()
        return AccountMove.Code.REFUSED if refused else None
    absence = _find_absence(send, label=label)
    if absence is None:
        return None
    # A running send calls again and again. A paused send does not, so its account counts as absent until now.
    until = now if send.code == Send.Code.ACCOUNT_AWAY else absence.last_tried_at
    limit = timedelta(minutes=settings.NEWSLETTER_ACCOUNT_AWAY_MINUTES)
    return AccountMove.Code.AWAY if until - absence.since >= limit else None


@dataclass(frozen=True)
class Absence:
    """The time in which no call of a send was answered, from the first one to the last one."""

    since: datetime
    last_tried_at: datetime


def _find_absence(send: Send, *, label: str) -> Absence | None:
    """Return how long an account did not answer the calls of a send, since it was last resumed; None if it does answer.

    An answer to a call of another send ends the absence too. Attempts without a call do not count.
    """
    ended = Attempt.objects.filter(provider=label, ended_at__isnull=False)
    answers = ended.filter(outcome__in=_ANSWERED).exclude(code__in=Attempt.CODES_WITHOUT_CALL)
    answered = answers.order_by("-pk").values_list("pk", flat=True).first() or 0
    failed = ended.filter(
        batch__send=send,
        pk__gt=max(answered, send.resumed_after_attempt),
        outcome__in=["not_sent", "uncertain"],
        code=Attempt.Code.NONE,
    )
    period = failed.aggregate(since=Min("started_at"), last=Max("ended_at"))
    return Absence(period["since"], period["last"]) if period["since"] else None
