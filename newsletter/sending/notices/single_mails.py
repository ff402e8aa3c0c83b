"""Hand over single mails (confirmations, links, notices, proofs) within the shared rate limit of the account.

They do not wait for the pace of a bulk send. They wait while the provider asks all callers to wait, and longer after each
failure. Then one process sends one mail as a probe while the others wait.
"""

import logging
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Greatest

from newsletter.common.messages import Message
from newsletter.models import ProviderAccount
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.contract import Adapter, BatchCall, Outcome, Verdict
from newsletter.sending.limits.rate_limit import (
    cost_in_seconds,
    name_rate,
    record_success,
    slow_down,
    wait_before_retry,
)
from subscribers.models import QueuedMail

log = logging.getLogger(__name__)
Row = TypeVar("Row", bound=QueuedMail)
PROBE_SECONDS = 45.0
"""Seconds for which other processes wait while one sends a probe. Longer than any call."""
MAX_WAIT_FOR_STAFF = timedelta(minutes=1)
"""The longest wait after an error that staff must repair, such as a wrong key."""
REFUSAL_LOGGED_AGAIN_AFTER = timedelta(days=1)
"""A wrong key is tried each minute. Each process logs its first refusal, and then one a day, until the provider takes a mail."""
_JITTER = 0.25
_refusals_logged: dict[str, tuple[str, datetime]] = {}
"""By account: the reason of the last refusal that this process logged, and when it was."""


def must_wait(*, adapter: Adapter, now: datetime, account: str = DEFAULT_ACCOUNT) -> bool:
    """Return True if no single mail may be handed over to the account now."""
    name = name_rate(adapter.capabilities, account)
    return ProviderAccount.objects.filter(name=name, wait_until__gt=now.timestamp()).exists()


def deliver_single(*, adapter: Adapter, call: BatchCall, now: datetime, account: str = DEFAULT_ACCOUNT) -> Outcome:
    """Hand over a call to one person, whose delivery id must be 1. Return the outcome for that person.

    ``adapter`` is that of the account. While everybody has to wait, return THROTTLED without a call.
    """
    rate = name_rate(adapter.capabilities, account)
    until = _reserve_call(adapter, rate, now=now)
    if until is None:
        return Outcome(Verdict.THROTTLED, Message("the provider asks to wait before anything else is sent"))
    outcome = adapter.deliver(call)
    verdict, reason = outcome.people.get(1, (outcome.verdict, outcome.reason))
    result = Outcome(
        verdict, reason, provider_id=outcome.provider_id, stop=outcome.stop, retry_after=outcome.retry_after
    )
    if _has_failed(outcome):
        _extend_wait(rate, outcome, probed_until=until, now=now)
        if is_account_refused(result):
            _log_refusal(rate, result, is_first=until == 0, now=now)
    else:
        record_success(name=rate, probed_until=until)
    return result


def claim_each(due: QuerySet[Row], *, adapter: Adapter, limit: int, now: datetime) -> Iterator[Row]:
    """Claim the due rows and yield each to be sent, until the provider asks to wait. The rest stays due.

    Each is looked at again first: the calls before may have taken minutes, in which the person left.
    """
    for row in due[:limit]:
        if must_wait(adapter=adapter, now=now):
            return
        if due.filter(pk=row.pk).exists() and row.claim(now=now):
            yield row


def may_be_repeated(outcome: Outcome) -> bool:
    """Return True if the mail should be sent again later: nobody was mailed and the cause is not the person."""
    return is_account_refused(outcome) or outcome.verdict in (Verdict.NOT_SENT, Verdict.THROTTLED)


def is_account_refused(outcome: Outcome) -> bool:
    """Return True if the provider takes no mail from the account, such as for a wrong key. `deliver_single` logs that."""
    return outcome.verdict is Verdict.REJECTED and outcome.stop


def log_repeat(what: str, outcome: Outcome) -> None:
    """Log why a mail waits, unless `deliver_single` did."""
    if not is_account_refused(outcome):
        log.warning("%s was not sent and will be retried: %s", what, outcome.reason)


def is_given_up(row: QueuedMail, outcome: Outcome) -> bool:
    """Return True if the mail is not sent again and was not accepted for certain."""
    if outcome.verdict is Verdict.UNCERTAIN:
        return row.is_last_attempt
    return outcome.verdict is not Verdict.ACCEPTED and not may_be_repeated(outcome)


def name_call(kind: str, row: QueuedMail) -> str:
    """Return the key of a call for this row. A repeated mail has another key.

    Under the same key, Resend refuses a repeat whose link is newer, and Brevo refuses every repeat without saying whether it
    mailed the first. Both would keep a lost mail lost.
    """
    return f"{kind}-{row.pk}-{row.repeats}" if row.repeats else f"{kind}-{row.pk}"


def settle_queued_mail(row: QueuedMail, outcome: Outcome, *, what: str) -> int:
    """Record the outcome of a mail whose row was claimed. Return 1 if the provider accepted it, else 0.

    The row is due again if the mail was not sent, and later if nobody knows. ``what`` names the mail in the log.
    """
    if may_be_repeated(outcome):
        row.release()
        log_repeat(what, outcome)
    elif outcome.verdict is Verdict.UNCERTAIN:
        if row.is_last_attempt:
            log.error("%s may not have been sent, and is not sent again: %s", what, outcome.reason)
        else:
            log.warning("%s may not have been sent, and is sent again later: %s", what, outcome.reason)
    else:
        row.record_answer()
        if outcome.verdict is not Verdict.ACCEPTED:
            log.error("%s was not sent: %s", what, outcome.reason)
    return int(outcome.verdict is Verdict.ACCEPTED)


def _reserve_call(adapter: Adapter, rate: str, *, now: datetime) -> float | None:
    """Reserve a call. Return until when (seconds since 1970) others wait for it, 0 for no wait, None if this call must wait."""
    at = now.timestamp()
    account, _ = ProviderAccount.objects.get_or_create(name=rate)
    until = at + PROBE_SECONDS if account.failures else 0.0
    free = ProviderAccount.objects.filter(pk=account.pk, wait_until__lte=at, failures=account.failures)
    is_reserved = free.update(
        next_at=Greatest(F("next_at"), Value(at)) + cost_in_seconds(adapter.capabilities, people=1),
        wait_until=Value(until) if until else F("wait_until"),
    )
    return until if is_reserved else None


def _log_refusal(rate: str, outcome: Outcome, *, is_first: bool, now: datetime) -> None:
    """Log a refusal that is the first since the account worked, has another reason than the last, or is a day later."""
    reason = str(outcome.reason)
    logged_reason, logged_at = _refusals_logged.get(rate, ("", now))
    if is_first or reason != logged_reason or now - logged_at >= REFUSAL_LOGGED_AGAIN_AFTER:
        _refusals_logged[rate] = reason, now
        log.warning(
            "Single mails wait: %s The program tries one of them each minute, and repeats this line once a day.", reason
        )


def _has_failed(outcome: Outcome) -> bool:
    """Return True for an unknown result too: a provider that does not answer would make one mail after another uncertain."""
    verdict, _ = outcome.people.get(1, (outcome.verdict, ""))
    return outcome.stop or verdict in (Verdict.NOT_SENT, Verdict.THROTTLED, Verdict.UNCERTAIN)


def _extend_wait(rate: str, outcome: Outcome, *, probed_until: float, now: datetime) -> None:
    """Make everybody wait as long as the provider asks, or twice as long each time, with a random part added."""
    account = ProviderAccount.objects.filter(name=rate)
    account.update(failures=F("failures") + 1)
    wait = wait_before_retry(attempts=account.get().failures, retry_after=outcome.retry_after)
    if outcome.stop and outcome.verdict is not Verdict.UNCERTAIN:
        wait = min(wait, MAX_WAIT_FOR_STAFF)
    until = now + wait * (1 + _JITTER * random.random())  # noqa: S311 - spreads calls, keeps no secret
    at = Value(until.timestamp())
    account.update(
        next_at=Greatest(F("next_at"), at),
        wait_until=Case(When(wait_until=probed_until, then=at), default=Greatest(F("wait_until"), at)),
    )
    if outcome.verdict is Verdict.THROTTLED:
        slow_down(name=rate, until=until)
