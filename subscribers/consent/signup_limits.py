"""Sign-up limits: accept a sign-up at once, hold it for staff, or drop it. Never show the decision to the person.

The limits allow a busy stall at a fair. A sign-up above them is not refused but held for staff.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.common.messages import Message
from newsletter.common.networks import single_client_network, wide_network
from subscribers.addresses.domains import find_domain, is_disposable, is_major
from subscribers.consent.proof_of_work import Proof
from subscribers.consent.throttle import HOUR, increment_counter, read_counter
from subscribers.models import HeldSignup

_LOG = logging.getLogger(__name__)
MAX_SIGNUPS_PER_ADDRESS = 5
MAX_UNPROVEN_SIGNUPS_PER_ADDRESS = 2
MAX_SIGNUPS_PER_NETWORK = 30
MAX_SIGNUPS_PER_DOMAIN = 20
MAX_SIGNUPS_PER_SITE = 200
MAX_UNPROVEN_SIGNUPS_PER_SITE = 30
MAX_HELD_SIGNUPS = 2_000
DAY = timedelta(days=1)
_DROPPED_COUNTER = "sign-ups dropped"


class SignupOutcome(StrEnum):
    """The decision about a sign-up."""

    ACCEPTED = "accepted"
    HELD = "held"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Decision:
    """The outcome. `reason` names the exceeded limit for staff; `disposable` marks a short-lived address."""

    outcome: SignupOutcome
    reason: str = ""
    disposable: bool = False


def screen_signup(*, address: str, client: str, proof: Proof, now: datetime) -> Decision:
    """Count a sign-up and decide about it. `address` is a normalised email address, `client` the visitor's network address."""
    domain = find_domain(address)
    disposable = is_disposable(domain)
    from_address = increment_counter(f"address {single_client_network(client)}", now=now)
    from_network = increment_counter(f"network {wide_network(client)}", now=now)
    all_signups = increment_counter("site", now=now)
    with_domain = 0 if is_major(domain) else increment_counter(f"domain {domain}", now=now)
    unproven = increment_counter("site unproven", now=now) if proof is not Proof.GOOD else 0
    if all_signups == MAX_SIGNUPS_PER_SITE + 1:
        _LOG.error(
            "More than %s sign-ups in this hour. Proof of work is harder until the hour ends.", MAX_SIGNUPS_PER_SITE
        )
    limits = [
        (from_address > MAX_SIGNUPS_PER_ADDRESS, Message("many sign-ups from one internet connection")),
        (from_network > MAX_SIGNUPS_PER_NETWORK, Message("many sign-ups from one network")),
        (with_domain > MAX_SIGNUPS_PER_DOMAIN, Message("many sign-ups with addresses of one domain")),
        (
            bool(unproven) and from_address > MAX_UNPROVEN_SIGNUPS_PER_ADDRESS,
            Message("several sign-ups without JavaScript from one connection"),
        ),
        (unproven > MAX_UNPROVEN_SIGNUPS_PER_SITE, Message("many sign-ups without JavaScript")),
        (
            bool(unproven) and all_signups > MAX_SIGNUPS_PER_SITE,
            Message("a flood of sign-ups, and this one without JavaScript"),
        ),
        (bool(unproven) and disposable, Message("a short-lived address, without JavaScript")),
    ]
    reason = next((message for exceeded, message in limits if exceeded), "")
    if not reason:
        return Decision(SignupOutcome.ACCEPTED, disposable=disposable)
    if HeldSignup.objects.count() >= MAX_HELD_SIGNUPS:
        if increment_counter(_DROPPED_COUNTER, now=now, window=DAY) == 1:
            _LOG.error("%s sign-ups wait for staff. New ones are dropped until staff decide some.", MAX_HELD_SIGNUPS)
        return Decision(SignupOutcome.DROPPED, reason=reason, disposable=disposable)
    return Decision(SignupOutcome.HELD, reason=reason, disposable=disposable)


def is_full(*, waiting: int) -> bool:
    """Return True if this many held sign-ups fill the queue, so that the next one is dropped."""
    return waiting >= MAX_HELD_SIGNUPS


def count_dropped(*, now: datetime) -> int:
    """Return how many sign-ups were dropped today and yesterday (UTC) because the queue was full."""
    return read_counter(_DROPPED_COUNTER, now=now, window=DAY) + read_counter(
        _DROPPED_COUNTER, now=now - DAY, window=DAY
    )


def is_flooded(*, now: datetime) -> bool:
    """Return True if proof of work is made harder, because there were too many sign-ups in this hour."""
    return read_counter("site", now=now, window=HOUR) > MAX_SIGNUPS_PER_SITE
