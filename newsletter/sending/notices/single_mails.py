"""Single mails (confirmations, links, words to staff, proofs) keep to the account's shared rate row.

They never wait for the pace of a bulk send. They wait while the provider asks everybody to, and after failures ever longer:
then one mail is tried, by one process, and the others stay where they are.
"""

import random
from datetime import datetime, timedelta

from django.db.models import Case, F, Value, When
from django.db.models.functions import Greatest

from newsletter.common.messages import Message
from newsletter.models import ProviderAccount
from newsletter.providers.base.contract import Adapter, BatchCall, Outcome, Verdict
from newsletter.sending.dispatching.outcome import wait_before_next
from newsletter.sending.limits.rate_limit import cost_in_seconds, slow_down

PROBE_SECONDS = 45.0
"""How long one process may be trying while all others wait: longer than any call takes."""
MAX_WAIT_FOR_STAFF = timedelta(minutes=1)
"""What a person must repair (a key, a setting) is looked at again each minute."""
WAITING_REASON = Message("the provider asks to wait before anything else is sent")
_JITTER = 0.25


def must_wait(*, adapter: Adapter, now: datetime) -> bool:
    """Return True if no single mail may be handed over now."""
    name = adapter.capabilities.name
    return ProviderAccount.objects.filter(name=name, wait_until__gt=now.timestamp()).exists()


def deliver_single(*, adapter: Adapter, call: BatchCall, now: datetime) -> Outcome:
    """Hand over a call to one person, whose delivery is 1, unless everybody has to wait: then it is THROTTLED, uncalled.

    The verdict of the outcome is that of the person.
    """
    until = _reserve_call(adapter, now=now)
    if until is None:
        return Outcome(Verdict.THROTTLED, WAITING_REASON)
    outcome = adapter.deliver(call)
    if _has_failed(outcome):
        _extend_wait(adapter, outcome, probed_until=until, now=now)
    else:
        record_success(name=adapter.capabilities.name, probed_until=until)
    verdict, reason = outcome.people.get(1, (outcome.verdict, outcome.reason))
    return Outcome(verdict, reason, provider_id=outcome.provider_id, stop=outcome.stop, retry_after=outcome.retry_after)


def may_be_repeated(outcome: Outcome) -> bool:
    """Return True if nobody was mailed and the cause is not the person: the mail is to be tried again."""
    refused_for_us = outcome.verdict is Verdict.REJECTED and outcome.stop
    return refused_for_us or outcome.verdict in (Verdict.NOT_SENT, Verdict.THROTTLED)


def record_success(*, name: str, probed_until: float = 0.0) -> None:
    """The provider answers as it should: nobody waits because of what failed before."""
    failing = ProviderAccount.objects.filter(name=name, failures__gt=0)
    failing.update(failures=0, wait_until=Case(When(wait_until=probed_until, then=Value(0.0)), default=F("wait_until")))


def _reserve_call(adapter: Adapter, *, now: datetime) -> float | None:
    """The moment up to which everybody else waits for this call; 0 where nobody has to, None where this one must wait."""
    capabilities, at = adapter.capabilities, now.timestamp()
    account, _ = ProviderAccount.objects.get_or_create(name=capabilities.name)
    until = at + PROBE_SECONDS if account.failures else 0.0
    free = ProviderAccount.objects.filter(pk=account.pk, wait_until__lte=at, failures=account.failures)
    taken = free.update(
        next_at=Greatest(F("next_at"), Value(at)) + cost_in_seconds(capabilities, people=1),
        wait_until=Value(until) if until else F("wait_until"),
    )
    return until if taken else None


def _has_failed(outcome: Outcome) -> bool:
    """Also of unknown end: a provider that does not answer would put one mail after another in doubt."""
    verdict, _ = outcome.people.get(1, (outcome.verdict, ""))
    return outcome.stop or verdict in (Verdict.NOT_SENT, Verdict.THROTTLED, Verdict.UNCERTAIN)


def _extend_wait(adapter: Adapter, outcome: Outcome, *, probed_until: float, now: datetime) -> None:
    """At least as long as the provider asks for; else twice as long each time, up to ten minutes, with jitter."""
    name = adapter.capabilities.name
    account = ProviderAccount.objects.filter(name=name)
    account.update(failures=F("failures") + 1)
    wait = wait_before_next(tries=account.get().failures, retry_after=outcome.retry_after)
    if outcome.stop:
        wait = min(wait, MAX_WAIT_FOR_STAFF)
    until = now + wait * (1 + _JITTER * random.random())  # noqa: S311 - spreads calls, keeps no secret
    at = Value(until.timestamp())
    account.update(
        next_at=Greatest(F("next_at"), at),
        wait_until=Case(When(wait_until=probed_until, then=at), default=Greatest(F("wait_until"), at)),
    )
    if outcome.verdict is Verdict.THROTTLED:
        slow_down(name=name, until=until)
