"""Take one batch from claim to outcome. No transaction is open during the call to the provider."""

import gc
import logging
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import NamedTuple

from django.db import Error
from django.utils import timezone

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.models import Attempt, Batch
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.contract import Adapter, BatchCall, Outcome, Verdict
from newsletter.providers.base.errors import BadBatch
from newsletter.sending.accounts import list_usable_accounts
from newsletter.sending.adapters import AccountInUse, AccountsInUse
from newsletter.sending.build_call import (
    RENDER_ERRORS,
    VariantCache,
    build_call,
    build_for_each,
    describe_render_failure,
)
from newsletter.sending.dispatching.batch_claim import Claim, SendCache, claim_batch
from newsletter.sending.dispatching.batch_rows import read_batch
from newsletter.sending.dispatching.lease import Lease, LeaseRenewer
from newsletter.sending.dispatching.outcome import RETRIED, FailedHere, count_failures, record_outcome
from newsletter.sending.fingerprints import make_fingerprints
from newsletter.sending.limits.rate_limit import (
    find_pace_wait,
    postpone_calls,
    record_success,
    reserve_call,
    reserve_pace,
    slow_down,
    wait_before_retry,
)
from newsletter.sending.limits.recipient_allowlist import RefusedHere
from newsletter.sending.limits.send_times import find_wait, release_daily_quota, reserve_daily_quota
from newsletter.sending.settling.reconcile import has_uncertain_attempt, is_repeat_safe
from newsletter.sending.settling.render_failures import find_failure_run

log = logging.getLogger(__name__)
MAX_LOOKUP_AGE_SECONDS = 5.0
PROBE_INTERVAL = timedelta(minutes=1)

Clock = Callable[[], datetime]


class AttemptResult(NamedTuple):
    """The outcome of an attempt, with a code for later decisions and the deliveries that could not be rendered.

    ``fingerprints`` are those of the mails that were handed to the provider.
    """

    outcome: Outcome
    code: Attempt.Code = Attempt.Code.NONE
    unrendered: Collection[int] = ()
    fingerprints: bytes = b""


class Dispatcher:
    """Send each batch through its provider account. Threads may share a dispatcher; ``clock`` returns the time in UTC.

    ``adapter`` is that of the default account.
    """

    def __init__(self, *, adapter: Adapter, clock: Clock = timezone.now) -> None:
        _tune_garbage_collection()
        self.clock = clock
        self._accounts = AccountsInUse(default=adapter)
        self._variants = VariantCache()
        self._sends = SendCache()
        self._lease_renewer = LeaseRenewer(clock=clock)

    def dispatch(self, batch_id: int) -> bool:
        """Send one batch if it may be sent now. Return True if this call claimed it."""
        began = self.clock()
        account = self._find_account(batch_id)
        if account is None:
            return False
        claim = claim_batch(
            batch_id=batch_id,
            provider=account.label,
            account=account.name,
            now=began,
            find_wait=partial(self._find_wait, account),
            sends=self._sends,
        )
        if claim is None:
            return False
        lease = Lease(batch_id=batch_id, attempt_number=claim.attempt_number, until=claim.lease_until)
        with self._lease_renewer.hold(lease):
            result = self._deliver(claim, lease, account)
            now = self.clock()
            if record_outcome(
                claim=claim,
                outcome=result.outcome,
                code=result.code,
                unrendered=result.unrendered,
                fingerprints=result.fingerprints,
                now=now,
            ):
                self._adjust_rate(claim, result, account, now=now)
                if _mailed_nobody(result.outcome) or result.code == Attempt.Code.NOT_CALLED:
                    release_daily_quota(claim.batch, now=began)
        return True

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts whose batches can be sent, by name."""
        return (DEFAULT_ACCOUNT, *(account.name for account in list_usable_accounts()))

    def _find_account(self, batch_id: int) -> AccountInUse | None:
        """Return the account that the batch names, None if there is no such batch, or no such account any more."""
        row = read_batch(batch_id)
        return self._accounts.find(row.account) if row else None

    def _find_wait(self, account: AccountInUse, batch: Batch, now: datetime) -> datetime | None:
        """Return None if the batch may go now, else when to try again. If it may, reserve its part of the limits."""
        later = find_wait(batch, now=now) or find_pace_wait(batch, now=now) or reserve_daily_quota(batch, now=now)
        if later is None:
            capabilities = account.adapter.capabilities
            later = reserve_call(capabilities=capabilities, name=account.rate, people=batch.size, now=now)
            later = later or reserve_pace(batch, now=now)
            if later is not None:
                release_daily_quota(batch, now=now)
        return later

    def _adjust_rate(self, claim: Claim, result: AttemptResult, account: AccountInUse, *, now: datetime) -> None:
        """Slow all workers down if the provider throttles. After connection failures, retry at growing intervals."""
        name, outcome = account.rate, result.outcome
        if outcome.verdict is Verdict.THROTTLED:
            wait = wait_before_retry(attempts=claim.attempt_number, retry_after=outcome.retry_after)
            slow_down(name=name, until=now + wait)
        elif outcome.verdict is Verdict.NOT_SENT and not outcome.stop and result.code != Attempt.Code.NOT_CALLED:
            failures = count_failures(claim.batch.send_id)
            wait = wait_before_retry(attempts=failures, retry_after=outcome.retry_after)
            postpone_calls(name=name, until=now + min(wait, PROBE_INTERVAL))
        elif outcome.verdict is Verdict.ACCEPTED and result.code != Attempt.Code.NOT_CALLED:
            record_success(name=name)

    def _deliver(self, claim: Claim, lease: Lease, account: AccountInUse) -> AttemptResult:
        if not claim.recipients:
            # Nothing is left to send. The batch is done, and each of its people is recorded as skipped.
            reason = Message("everybody in it unsubscribed before it was sent")
            return AttemptResult(Outcome(Verdict.ACCEPTED, reason), Attempt.Code.NOT_CALLED)
        if not self._may_repeat(claim, account):
            reason = Message(
                "an earlier call may have been accepted, and the provider can no longer recognise a repeat by its key"
            )
            return AttemptResult(Outcome(Verdict.UNCERTAIN, reason), Attempt.Code.NOT_CALLED)
        try:
            return self._build_and_call(claim, lease, account.adapter)
        except BadBatch as error:
            return _make_bisection(claim, error)
        except DomainError as error:
            log.error("%s was not sent: %s", claim.batch, error)
            return AttemptResult(Outcome(Verdict.NOT_SENT, error.message, stop=True), Attempt.Code.NOT_CALLED)
        except Error:
            raise
        except Exception as error:  # noqa: BLE001 - a defect would make one batch after another uncertain
            kind, trace = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
            # The text of the error is left out: it may contain a recipient's address.
            log.error("%s failed by a defect of this program, %s:\n%s", claim.batch, kind, trace)
            reason = Message("this program failed during the call; its log says where. Report it (%(kind)s)", kind=kind)
            return AttemptResult(FailedHere(Verdict.UNCERTAIN, reason, stop=True))

    def _may_repeat(self, claim: Claim, account: AccountInUse) -> bool:
        return claim.attempt_number == 1 or is_repeat_safe(
            batch=claim.batch,
            attempt_number=claim.attempt_number,
            account=account.label,
            capabilities=account.adapter.capabilities,
            now=self.clock(),
        )

    def _build_and_call(self, claim: Claim, lease: Lease, adapter: Adapter) -> AttemptResult:
        call, failures = self._build(claim)
        fingerprints = make_fingerprints(call) if call else b""
        if failures and (stop := _find_failure_run(claim, failures)):
            return AttemptResult(Outcome(Verdict.NOT_SENT, stop, stop=True), Attempt.Code.RENDER_STOP)
        left_out = _leave_out(claim, failures)
        if call is None:
            return _finish_without_call(left_out)
        if not lease.holds(now=self.clock()):
            reason = Message("building the batch took longer than its lease")
            return AttemptResult(Outcome(Verdict.NOT_SENT, reason), Attempt.Code.NOT_CALLED)
        if time.monotonic() - claim.looked_up_at > MAX_LOOKUP_AGE_SECONDS:
            reason = Message("the worker stalled before the call; somebody may have unsubscribed meanwhile")
            return AttemptResult(Outcome(Verdict.NOT_SENT, reason), Attempt.Code.NOT_CALLED)
        outcome = adapter.deliver(call)
        code = _classify(outcome)
        may_retry = outcome.stop or outcome.verdict in RETRIED
        if not (may_retry and claim.may_be_accepted):
            # The batch is only to be tried again. Uncertain people in it would make the batch uncertain.
            outcome = replace(outcome, people={**outcome.people, **left_out})
        return AttemptResult(outcome, code, unrendered=left_out, fingerprints=fingerprints)

    def _build(self, claim: Claim) -> tuple[BatchCall | None, dict[int, Message]]:
        """Return the call and why some people are not in it. After an error each person is built separately."""
        batch, recipients = claim.batch, claim.recipients
        prepared, places = self._variants.prepared(batch.variant_id), self._variants.places
        try:
            return build_call(batch=batch, recipients=recipients, prepared=prepared, places=places), {}
        except RENDER_ERRORS as error:
            kind, trace = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
            log.warning("%s: the mail cannot be made for some of its people, %s:\n%s", batch, kind, trace)
            return build_for_each(batch=batch, recipients=recipients, prepared=prepared, places=places)


@lru_cache(maxsize=1)
def _tune_garbage_collection() -> None:
    """Collect garbage seldom: a batch allocates thousands of objects without cycles, and collection took a sixth of its time."""
    gc.collect(1)  # not the oldest generation: that takes a sixth of a second and frees nothing
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def _classify(outcome: Outcome) -> Attempt.Code:
    """Return the code of a refusal by the provider account, or of one by this installation, which made no call."""
    if isinstance(outcome, RefusedHere):
        return Attempt.Code.NOT_CALLED
    refuses = outcome.stop and outcome.verdict is not Verdict.UNCERTAIN and _mailed_nobody(outcome)
    return Attempt.Code.ACCOUNT_REFUSED if refuses else Attempt.Code.NONE


def _mailed_nobody(outcome: Outcome) -> bool:
    verdicts = {outcome.verdict, *(verdict for verdict, _ in outcome.people.values())}
    return verdicts.isdisjoint((Verdict.ACCEPTED, Verdict.UNCERTAIN))


def _find_failure_run(claim: Claim, failures: Mapping[int, str]) -> str:
    called = [recipient.delivery for recipient in claim.recipients]
    return find_failure_run(claim.batch, attempt_number=claim.attempt_number, called=called, failures=failures)


def _make_bisection(claim: Claim, error: BadBatch) -> AttemptResult:
    """Return a refusal that splits the batch to isolate the recipient.

    If an earlier call may have been accepted, the batch stays uncertain until staff allow a repeat: its parts would be
    mailed twice. The isolated recipient is uncertain then, not rejected.
    """
    log.warning("%s was not sent: %s", claim.batch, error)
    if claim.attempt_number > 1 and has_uncertain_attempt(claim.batch, attempt_number=claim.attempt_number):
        reason = Message(
            "an earlier call may have been accepted, and the mails can no longer be made: %(cause)s",
            cause=error.message,
        )
        return AttemptResult(Outcome(Verdict.UNCERTAIN, reason), Attempt.Code.NOT_CALLED)
    cause = describe_render_failure(error)
    if claim.may_be_accepted and len(claim.recipients) == 1:
        return _finish_without_call(_leave_out(claim, {claim.recipients[0].delivery: cause}))
    return AttemptResult(Outcome(Verdict.REJECTED, cause, bisect=True), Attempt.Code.RENDER_FAILURE)


def _leave_out(claim: Claim, failures: Mapping[int, str]) -> dict[int, tuple[Verdict, str]]:
    """Reject people whose mail cannot be made. If an earlier call may have mailed them, they are uncertain."""
    verdict = Verdict.UNCERTAIN if claim.may_be_accepted else Verdict.REJECTED
    return {delivery: (verdict, reason) for delivery, reason in failures.items()}


def _finish_without_call(left_out: dict[int, tuple[Verdict, str]]) -> AttemptResult:
    reason = Message("the mail could not be rendered for anybody in this batch")
    outcome = Outcome(Verdict.ACCEPTED, reason, people=left_out)
    return AttemptResult(outcome, Attempt.Code.NOT_CALLED, unrendered=left_out)
