"""Decides whether a sign-up is taken at once or held for staff. What it decides is never told to whoever signed up.

Limits are those of a busy stall at a fair, not of a robot: nothing above them is refused, it waits for a person.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.common.networks import near_network, wide_network
from subscribers.addresses.domains import domain_of, is_disposable, is_major
from subscribers.consent.proof_of_work import Proof
from subscribers.consent.throttle import HOUR, count_one, peek
from subscribers.models import HeldSignup

_LOG = logging.getLogger(__name__)
MOST_A_HOME = 5
MOST_A_HOME_UNPROVEN = 2
MOST_A_NEIGHBOURHOOD = 30
MOST_A_DOMAIN = 20
MOST_A_SITE = 200
MOST_A_SITE_UNPROVEN = 30
MOST_HELD = 2_000
DAY = timedelta(days=1)
DROPPED = "sign-ups dropped"


class Way(StrEnum):
    """What becomes of a sign-up."""

    IN = "in"
    HELD = "held"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Decision:
    """`why` says to staff what stood out; `disposable` marks an address that may last for minutes."""

    way: Way
    why: str = ""
    disposable: bool = False


def weigh(*, address: str, client: str, proof: Proof, now: datetime) -> Decision:
    """Counts the sign-up and says what becomes of it. `address` is normalised, `client` a network address."""
    domain = domain_of(address)
    disposable = is_disposable(domain)
    home = count_one(f"home {near_network(client)}", now=now)
    wide = count_one(f"neighbourhood {wide_network(client)}", now=now)
    site = count_one("site", now=now)
    same_domain = 0 if is_major(domain) else count_one(f"domain {domain}", now=now)
    unproven = count_one("site unproven", now=now) if proof is not Proof.GOOD else 0
    if site == MOST_A_SITE + 1:
        _LOG.error("More than %s sign-ups in this hour. Proof of work is harder until it is over.", MOST_A_SITE)
    reasons = [
        (home > MOST_A_HOME, "many sign-ups from one internet connection"),
        (wide > MOST_A_NEIGHBOURHOOD, "many sign-ups from one network"),
        (same_domain > MOST_A_DOMAIN, "many sign-ups with addresses of one domain"),
        (bool(unproven) and home > MOST_A_HOME_UNPROVEN, "several sign-ups without JavaScript from one connection"),
        (unproven > MOST_A_SITE_UNPROVEN, "many sign-ups without JavaScript"),
        (bool(unproven) and site > MOST_A_SITE, "a flood of sign-ups, and this one without JavaScript"),
        (bool(unproven) and disposable, "an address that may last for minutes, without JavaScript"),
    ]
    why = next((words for holds, words in reasons if holds), "")
    if not why:
        return Decision(Way.IN, disposable=disposable)
    if HeldSignup.objects.count() >= MOST_HELD:
        if count_one(DROPPED, now=now, stretch=DAY) == 1:
            _LOG.error("%s sign-ups wait for staff; further ones are dropped until some are decided.", MOST_HELD)
        return Decision(Way.DROPPED, why=why, disposable=disposable)
    return Decision(Way.HELD, why=why, disposable=disposable)


def is_full(*, waiting: int) -> bool:
    """Return True if so many sign-ups wait that the next one that would have to wait is dropped."""
    return waiting >= MOST_HELD


def count_dropped(*, now: datetime) -> int:
    """Return how many sign-ups were dropped today and yesterday (UTC) because too many were waiting."""
    return peek(DROPPED, now=now, stretch=DAY) + peek(DROPPED, now=now - DAY, stretch=DAY)


def is_flooded(*, now: datetime) -> bool:
    """Whether this hour saw so many sign-ups that proof of work is made harder."""
    return peek("site", now=now, stretch=HOUR) > MOST_A_SITE
