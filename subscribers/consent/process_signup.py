"""The entry point for every sign-up, from our own page or another site: accept, hold or drop it."""

from dataclasses import replace
from datetime import datetime

from newsletter.common.messages import Message
from subscribers.consent.held_signups import hold_signup
from subscribers.consent.proof_of_work import Proof
from subscribers.consent.signup import SignupRequest, request_subscription
from subscribers.consent.signup_limits import SignupOutcome, screen_signup
from subscribers.identity import require_own_key


def process_signup(
    request: SignupRequest, *, client: str, proof: Proof, must_confirm: bool, now: datetime
) -> SignupOutcome:
    """Screen the sign-up of a normalised address and act on the decision. `client` is the visitor's network address.

    The outcome is for staff and tests. Never show it to the person who signed up. Raises OtherAddressKey, and then keeps
    nothing.
    """
    require_own_key()
    decision = screen_signup(address=request.email, client=client, proof=proof, now=now)
    if decision.disposable:
        request = replace(request, source=Message("%(source)s, disposable address", source=request.source))
    if decision.outcome is SignupOutcome.ACCEPTED:
        request_subscription(request, now=now, must_confirm=must_confirm)
    elif decision.outcome is SignupOutcome.HELD:
        hold_signup(request, reason=decision.reason, now=now)
    return decision.outcome
