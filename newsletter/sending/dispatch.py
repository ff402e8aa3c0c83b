"""One batch from claim to outcome: claim, build, call the provider holding nothing, record what is known."""

import logging
from collections.abc import Callable
from datetime import datetime

from newsletter.models import Batch
from newsletter.providers.contract import Adapter, Outcome, Verdict
from newsletter.sending.call import build_call
from newsletter.sending.claim import Claim, claim_batch
from newsletter.sending.outcome import record_outcome
from newsletter.sending.rate import reserve
from subscribers.errors import DomainError

log = logging.getLogger(__name__)
NOBODY_LEFT = "everybody in it left before it was sent"

Clock = Callable[[], datetime]


def dispatch_batch(*, batch_id: int, adapter: Adapter, clock: Clock) -> bool:
    """Send one batch if it may be sent now. Returns whether this call did anything with it."""
    size = Batch.objects.filter(pk=batch_id).values_list("size", flat=True).first()
    if size is None or not reserve(capabilities=adapter.capabilities, people=size, batch_id=batch_id, now=clock()):
        return False
    claim = claim_batch(batch_id=batch_id, now=clock())
    if claim is None:
        return False
    record_outcome(claim=claim, outcome=_deliver(claim, adapter=adapter, clock=clock), now=clock())
    return True


def _deliver(claim: Claim, *, adapter: Adapter, clock: Clock) -> Outcome:
    if not claim.deliveries:
        return Outcome(verdict=Verdict.ACCEPTED, reason=NOBODY_LEFT)
    try:
        call = build_call(batch=claim.batch, deliveries=claim.deliveries)
        if clock() >= claim.lease_until:
            return Outcome(verdict=Verdict.NOT_SENT, reason="the batch took longer to build than its lease")
        return adapter.deliver(call)
    except DomainError as error:
        log.error("%s was not sent: %s", claim.batch, error)
        return Outcome(verdict=Verdict.NOT_SENT, reason=str(error), stop=True)
