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
from newsletter.sending.dispatching.build_call import Shelf, build_call, build_for_each
from newsletter.sending.dispatching.claim import Claim, Sends, claim_batch
from newsletter.sending.dispatching.lease import Keeper, Lease
from newsletter.sending.dispatching.outcome import count_failures, record_outcome, wait_before_next
from newsletter.sending.dispatching.provider import account_label
from newsletter.sending.limits.daily_limit import give_back_day, reserve_day
from newsletter.sending.limits.quiet_hours import wait_of
from newsletter.sending.limits.rate import hold_off, reserve, slow_down
from newsletter.sending.notices.single_mails import note_answer
from newsletter.sending.settling.reconcile import may_repeat
from newsletter.sending.settling.unrenderable import UNMAKEABLE, find_run, say_unmade

log = logging.getLogger(__name__)
NOBODY_LEFT = Message("everybody in it left before it was sent")
NOBODY_MADE = Message("the mail could be made for nobody in it")
TOO_SLOW = Message("the batch took longer to build than its lease")
TOO_LATE = Message("it stood still between looking up its people and the call; somebody may have left meanwhile")
FRESH_SECONDS = 5.0
PROBED_EVERY = timedelta(minutes=1)
DEFECT = Message("this program failed during the call; its log says where. Report it")
FORGOTTEN = Message("an earlier call may have been taken, and a repeat can no longer be told apart by its key")

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=1)
def _collect_seldom() -> None:
    """A batch makes thousands of objects and no cycles; looking through them, and all loaded code, took a sixth of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


class Dispatcher:
    """Hands batches to one provider. Safe to share between threads; ``clock`` gives the time in UTC."""

    def __init__(self, *, adapter: Adapter, clock: Clock = utc_now) -> None:
        _collect_seldom()
        self.adapter = adapter
        self.clock = clock
        self._account = account_label()
        self._shelf = Shelf()
        self._sends = Sends()
        self._keeper = Keeper(clock=clock)

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
        with self._keeper.hold(Lease(batch_id=batch_id, n=claim.n, until=claim.lease_until)) as lease:
            outcome = self._deliver(claim, lease)
            now = self.clock()
            if record_outcome(claim=claim, outcome=outcome, now=now):
                self._let_everybody_wait(claim, outcome, now=now)
                if _took_nobody(outcome):
                    give_back_day(claim.batch, now=began)
        return True

    def _let_everybody_wait(self, claim: Claim, outcome: Outcome, *, now: datetime) -> None:
        """“Too many” slows all lanes; a provider that cannot be reached is tried by one, ever more seldom, not by all."""
        name = self.adapter.capabilities.name
        if outcome.verdict is Verdict.THROTTLED:
            slow_down(name=name, until=now + wait_before_next(tries=claim.n, retry_after=outcome.retry_after))
        elif outcome.verdict is Verdict.NOT_SENT and not outcome.stop and outcome.reason not in (TOO_SLOW, TOO_LATE):
            wait = wait_before_next(tries=count_failures(claim.batch.send_id), retry_after=outcome.retry_after)
            hold_off(name=name, until=now + min(wait, PROBED_EVERY))
        elif outcome.verdict is Verdict.ACCEPTED:
            note_answer(name=name)

    def _wait_until(self, batch: Batch, now: datetime) -> datetime | None:
        """Return None if the batch may go now, else when to try again: quiet hours, a stale send, the day, the rate."""
        later = wait_of(batch.send, now=now) or reserve_day(batch, now=now)
        if later is None:
            later = reserve(capabilities=self.adapter.capabilities, people=batch.size, now=now)
            if later is not None:
                give_back_day(batch, now=now)
        return later

    def _deliver(self, claim: Claim, lease: Lease) -> Outcome:
        if not claim.readers:
            return Outcome(verdict=Verdict.ACCEPTED, reason=NOBODY_LEFT)
        capabilities = self.adapter.capabilities
        if claim.n > 1 and not may_repeat(batch=claim.batch, n=claim.n, capabilities=capabilities, now=self.clock()):
            return Outcome(verdict=Verdict.UNCERTAIN, reason=FORGOTTEN)
        try:
            call, unmade = self._build(claim)
            if unmade and (stop := self._find_run(claim, unmade)):
                return Outcome(verdict=Verdict.NOT_SENT, reason=stop, stop=True)
            if call is None:
                return Outcome(verdict=Verdict.ACCEPTED, reason=NOBODY_MADE, people=_leave_out(claim, unmade))
            if not lease.holds(now=self.clock()):
                return Outcome(verdict=Verdict.NOT_SENT, reason=TOO_SLOW)
            if time.monotonic() - claim.made > FRESH_SECONDS:
                return Outcome(verdict=Verdict.NOT_SENT, reason=TOO_LATE)
            outcome = self.adapter.deliver(call)
            return replace(outcome, people={**outcome.people, **_leave_out(claim, unmade)}) if unmade else outcome
        except BadBatch as error:
            return self._look_for_whom(claim, error)
        except DomainError as error:
            log.error("%s was not sent: %s", claim.batch, error)
            return Outcome(verdict=Verdict.NOT_SENT, reason=str(error), stop=True)
        except Error:
            raise
        except Exception as error:  # noqa: BLE001 - a defect would put one batch after another in doubt, at every ring
            kind, where = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
            # Without the error's own words: they may hold a reader's address.
            log.error("%s met a defect of this program, %s:\n%s", claim.batch, kind, where)
            return Outcome(verdict=Verdict.UNCERTAIN, reason=f"{DEFECT} ({kind})", stop=True)

    def _build(self, claim: Claim) -> tuple[BatchCall | None, dict[int, str]]:
        """The call, and why it is without some: at a fault of one person's values each is looked at alone."""
        letter, places = self._shelf.letter(claim.batch.variant_id), self._shelf.places
        try:
            return build_call(batch=claim.batch, readers=claim.readers, letter=letter, places=places), {}
        except UNMAKEABLE as error:
            kind, where = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
            log.warning("%s holds somebody for whom the mail cannot be made, %s:\n%s", claim.batch, kind, where)
            return build_for_each(batch=claim.batch, readers=claim.readers, letter=letter, places=places)

    def _find_run(self, claim: Claim, unmade: Mapping[int, str]) -> str:
        called = [reader.delivery for reader in claim.readers]
        return find_run(claim.batch, n=claim.n, called=called, unmade=unmade)

    def _look_for_whom(self, claim: Claim, error: BadBatch) -> Outcome:
        """Nothing was sent. Halves find out whose values are too much for the provider, unless an earlier call is in doubt."""
        log.warning("%s was not sent: %s", claim.batch, error)
        if _is_in_doubt(claim):
            return Outcome(verdict=Verdict.NOT_SENT, reason=str(error), stop=True)
        return Outcome(verdict=Verdict.REJECTED, reason=say_unmade(error), bisect=True)


def _took_nobody(outcome: Outcome) -> bool:
    said = {outcome.verdict, *(verdict for verdict, _ in outcome.people.values())}
    return said.isdisjoint((Verdict.ACCEPTED, Verdict.UNCERTAIN))


def _leave_out(claim: Claim, unmade: Mapping[int, str]) -> dict[int, tuple[Verdict, str]]:
    """Rejected; uncertain where an earlier call with their mail may have been taken."""
    verdict = Verdict.UNCERTAIN if unmade and _is_in_doubt(claim) else Verdict.REJECTED
    return {delivery: (verdict, why) for delivery, why in unmade.items()}


def _is_in_doubt(claim: Claim) -> bool:
    return claim.n > 1 and claim.batch.tries.filter(outcome="uncertain").exists()
