"""Decides whether a sign-up is taken at once or held for staff. What it decides is never told to whoever signed up.

Limits are those of a busy stall at a fair, not of a robot: nothing above them is refused, it waits for a person.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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
DROPPED = "sign-ups dropped"


class SignupOutcome(StrEnum):
    """What becomes of a sign-up."""

    IN = "in"
    HELD = "held"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Decision:
    """`why` says to staff what stood out; `disposable` marks an address that may last for minutes."""

    outcome: SignupOutcome
    reason: str = ""
    disposable: bool = False


def screen_signup(*, address: str, client: str, proof: Proof, now: datetime) -> Decision:
    """Counts the sign-up and says what becomes of it. `address` is normalised, `client` a network address."""
    domain = find_domain(address)
    disposable = is_disposable(domain)
    home = increment_counter(f"home {single_client_network(client)}", now=now)
    wide = increment_counter(f"neighbourhood {wide_network(client)}", now=now)
    site = increment_counter("site", now=now)
    same_domain = 0 if is_major(domain) else increment_counter(f"domain {domain}", now=now)
    unproven = increment_counter("site unproven", now=now) if proof is not Proof.GOOD else 0
    if site == MAX_SIGNUPS_PER_SITE + 1:
        _LOG.error(
            "More than %s sign-ups in this hour. Proof of work is harder until it is over.", MAX_SIGNUPS_PER_SITE
        )
    reasons = [
        (home > MAX_SIGNUPS_PER_ADDRESS, "many sign-ups from one internet connection"),
        (wide > MAX_SIGNUPS_PER_NETWORK, "many sign-ups from one network"),
        (same_domain > MAX_SIGNUPS_PER_DOMAIN, "many sign-ups with addresses of one domain"),
        (
            bool(unproven) and home > MAX_UNPROVEN_SIGNUPS_PER_ADDRESS,
            "several sign-ups without JavaScript from one connection",
        ),
        (unproven > MAX_UNPROVEN_SIGNUPS_PER_SITE, "many sign-ups without JavaScript"),
        (bool(unproven) and site > MAX_SIGNUPS_PER_SITE, "a flood of sign-ups, and this one without JavaScript"),
        (bool(unproven) and disposable, "an address that may last for minutes, without JavaScript"),
    ]
    reason = next((words for holds, words in reasons if holds), "")
    if not reason:
        return Decision(SignupOutcome.IN, disposable=disposable)
    if HeldSignup.objects.count() >= MAX_HELD_SIGNUPS:
        if increment_counter(DROPPED, now=now, window=DAY) == 1:
            _LOG.error("%s sign-ups wait for staff; further ones are dropped until some are decided.", MAX_HELD_SIGNUPS)
        return Decision(SignupOutcome.DROPPED, reason=reason, disposable=disposable)
    return Decision(SignupOutcome.HELD, reason=reason, disposable=disposable)


def is_full(*, waiting: int) -> bool:
    """Return True if so many sign-ups wait that the next one that would have to wait is dropped."""
    return waiting >= MAX_HELD_SIGNUPS


def count_dropped(*, now: datetime) -> int:
    """Return how many sign-ups were dropped today and yesterday (UTC) because too many were waiting."""
    return read_counter(DROPPED, now=now, window=DAY) + read_counter(DROPPED, now=now - DAY, window=DAY)


def is_flooded(*, now: datetime) -> bool:
    """Whether this hour saw so many sign-ups that proof of work is made harder."""
    return read_counter("site", now=now, window=HOUR) > MAX_SIGNUPS_PER_SITE
