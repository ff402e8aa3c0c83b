"""One batch from claim to outcome: claim, build, call the provider holding nothing, record what is known."""

import gc
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.db import Error

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.models import Batch
from newsletter.providers.base.contract import Adapter, BatchCall, Outcome, Verdict
from newsletter.providers.base.errors import BadBatch
from newsletter.sending.build_call import VariantCache, build_call, build_for_each
from newsletter.sending.dispatching.claim import Claim, Sends, claim_batch
from newsletter.sending.dispatching.lease import Lease, LeaseRenewer
from newsletter.sending.dispatching.outcome import count_failures, record_outcome, wait_before_next
from newsletter.sending.limits.daily_limit import release_daily_quota, reserve_daily_quota
from newsletter.sending.limits.quiet_hours import find_wait
from newsletter.sending.limits.rate_limit import postpone_calls, reserve_call, slow_down
from newsletter.sending.notices.single_mails import record_success
from newsletter.sending.provider import account_label
from newsletter.sending.settling.reconcile import is_repeat_safe
from newsletter.sending.settling.render_failures import RENDER_ERRORS, describe_render_failure, find_failure_run

log = logging.getLogger(__name__)
EVERYBODY_UNSUBSCRIBED = Message("everybody in it left before it was sent")
NOBODY_RENDERED = Message("the mail could be made for nobody in it")
BUILD_TOO_SLOW = Message("the batch took longer to build than its lease")
LOOKUP_TOO_OLD = Message("it stood still between looking up its people and the call; somebody may have left meanwhile")
MAX_LOOKUP_AGE_SECONDS = 5.0
PROBE_INTERVAL = timedelta(minutes=1)
DEFECT = Message("this program failed during the call; its log says where. Report it")
REPEAT_UNSAFE = Message("an earlier call may have been taken, and a repeat can no longer be told apart by its key")

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=1)
def _tune_garbage_collection() -> None:
    """A batch makes thousands of objects and no cycles; looking through them, and all loaded code, took a sixth of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


class Dispatcher:
    """Hands batches to one provider. Safe to share between threads; ``clock`` gives the time in UTC."""

    def __init__(self, *, adapter: Adapter, clock: Clock = utc_now) -> None:
        _tune_garbage_collection()
        self.adapter = adapter
        self.clock = clock
        self._account = account_label()
        self._variants = VariantCache()
        self._sends = Sends()
        self._lease_renewer = LeaseRenewer(clock=clock)

    def dispatch(self, batch_id: int) -> bool:
        """Send one batch if it may be sent now. Returns whether this call did anything with it."""
        began = self.clock()
        claim = claim_batch(
            batch_id=batch_id,
            provider=self._account,
            now=began,
            wait_until=self._wait_until,
            sends=self._sends,
        )
        if claim is None:
            return False
        with self._lease_renewer.hold(Lease(batch_id=batch_id, n=claim.n, until=claim.lease_until)) as lease:
            outcome = self._deliver(claim, lease)
            now = self.clock()
            if record_outcome(claim=claim, outcome=outcome, now=now):
                self._adjust_rate(claim, outcome, now=now)
                if _accepted_nobody(outcome):
                    release_daily_quota(claim.batch, now=began)
        return True

    def _adjust_rate(self, claim: Claim, outcome: Outcome, *, now: datetime) -> None:
        """“Too many” slows all lanes; a provider that cannot be reached is tried by one, ever more seldom, not by all."""
        name = self.adapter.capabilities.name
        if outcome.verdict is Verdict.THROTTLED:
            slow_down(name=name, until=now + wait_before_next(tries=claim.n, retry_after=outcome.retry_after))
        elif (
            outcome.verdict is Verdict.NOT_SENT
            and not outcome.stop
            and outcome.reason not in (BUILD_TOO_SLOW, LOOKUP_TOO_OLD)
        ):
            wait = wait_before_next(tries=count_failures(claim.batch.send_id), retry_after=outcome.retry_after)
            postpone_calls(name=name, until=now + min(wait, PROBE_INTERVAL))
        elif outcome.verdict is Verdict.ACCEPTED:
            record_success(name=name)

    def _wait_until(self, batch: Batch, now: datetime) -> datetime | None:
        """Return None if the batch may go now, else when to try again: quiet hours, a stale send, the day, the rate."""
        later = find_wait(batch.send, now=now) or reserve_daily_quota(batch, now=now)
        if later is None:
            later = reserve_call(capabilities=self.adapter.capabilities, people=batch.size, now=now)
            if later is not None:
                release_daily_quota(batch, now=now)
        return later

    def _deliver(self, claim: Claim, lease: Lease) -> Outcome:
        if not claim.recipients:
            return Outcome(verdict=Verdict.ACCEPTED, reason=EVERYBODY_UNSUBSCRIBED)
        capabilities = self.adapter.capabilities
        if claim.n > 1 and not is_repeat_safe(
            batch=claim.batch, n=claim.n, capabilities=capabilities, now=self.clock()
        ):
            return Outcome(verdict=Verdict.UNCERTAIN, reason=REPEAT_UNSAFE)
        try:
            call, failures = self._build(claim)
            if failures and (stop := self._find_failure_run(claim, failures)):
                return Outcome(verdict=Verdict.NOT_SENT, reason=stop, stop=True)
            if call is None:
                return Outcome(verdict=Verdict.ACCEPTED, reason=NOBODY_RENDERED, people=_leave_out(claim, failures))
            if not lease.holds(now=self.clock()):
                return Outcome(verdict=Verdict.NOT_SENT, reason=BUILD_TOO_SLOW)
            if time.monotonic() - claim.made > MAX_LOOKUP_AGE_SECONDS:
                return Outcome(verdict=Verdict.NOT_SENT, reason=LOOKUP_TOO_OLD)
            outcome = self.adapter.deliver(call)
            return replace(outcome, people={**outcome.people, **_leave_out(claim, failures)}) if failures else outcome
        except BadBatch as error:
            return self._bisect(claim, error)
        except DomainError as error:
            log.error("%s was not sent: %s", claim.batch, error)
            return Outcome(verdict=Verdict.NOT_SENT, reason=str(error), stop=True)
        except Error:
            raise
        except Exception as error:  # noqa: BLE001 - a defect would put one batch after another in doubt, at every ring
            kind, where = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
            # Without the error's own words: they may hold a recipient's address.
            log.error("%s met a defect of this program, %s:\n%s", claim.batch, kind, where)
            return Outcome(verdict=Verdict.UNCERTAIN, reason=f"{DEFECT} ({kind})", stop=True)

    def _build(self, claim: Claim) -> tuple[BatchCall | None, dict[int, str]]:
        """The call, and why it is without some: at a fault of one person's values each is looked at alone."""
        prepared, places = self._variants.prepared(claim.batch.variant_id), self._variants.places
        try:
            return build_call(batch=claim.batch, recipients=claim.recipients, prepared=prepared, places=places), {}
        except RENDER_ERRORS as error:
            kind, where = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
            log.warning("%s holds somebody for whom the mail cannot be made, %s:\n%s", claim.batch, kind, where)
            return build_for_each(batch=claim.batch, recipients=claim.recipients, prepared=prepared, places=places)

    def _find_failure_run(self, claim: Claim, failures: Mapping[int, str]) -> str:
        called = [recipient.delivery for recipient in claim.recipients]
        return find_failure_run(claim.batch, n=claim.n, called=called, failures=failures)

    def _bisect(self, claim: Claim, error: BadBatch) -> Outcome:
        """Nothing was sent. Halves find out whose values are too much for the provider, unless an earlier call is in doubt."""
        log.warning("%s was not sent: %s", claim.batch, error)
        if _has_uncertain_attempt(claim):
            return Outcome(verdict=Verdict.NOT_SENT, reason=str(error), stop=True)
        return Outcome(verdict=Verdict.REJECTED, reason=describe_render_failure(error), bisect=True)


def _accepted_nobody(outcome: Outcome) -> bool:
    said = {outcome.verdict, *(verdict for verdict, _ in outcome.people.values())}
    return said.isdisjoint((Verdict.ACCEPTED, Verdict.UNCERTAIN))


def _leave_out(claim: Claim, failures: Mapping[int, str]) -> dict[int, tuple[Verdict, str]]:
    """Rejected; uncertain where an earlier call with their mail may have been taken."""
    verdict = Verdict.UNCERTAIN if failures and _has_uncertain_attempt(claim) else Verdict.REJECTED
    return {delivery: (verdict, why) for delivery, why in failures.items()}


def _has_uncertain_attempt(claim: Claim) -> bool:
    return claim.n > 1 and claim.batch.tries.filter(outcome="uncertain").exists()
