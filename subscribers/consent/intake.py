"""The one way in for somebody who signs up, from our own page or another site: weighed, then taken, held or dropped."""

from collections.abc import Iterable
from datetime import datetime

from newsletter.common.messages import Message
from subscribers.consent.held import hold_signup
from subscribers.consent.proof_of_work import Proof
from subscribers.consent.signup import request_subscription
from subscribers.consent.signup_limits import Way, weigh
from subscribers.models import MailingList, Place, Topic


def take_signup(
    *,
    email: str,
    mailing_list: MailingList,
    wording: str,
    source: str,
    client: str,
    proof: Proof,
    must_confirm: bool,
    now: datetime,
    name: str = "",
    language: str = "",
    place: Place | None = None,
    topics: Iterable[Topic] = (),
) -> Way:
    """Weighs a normalised address and its sign-up, and lets it go its way. `client` is the visitor's network address.

    Which way it went is for staff and tests; whoever signed up is never told.
    """
    decision = weigh(address=email, client=client, proof=proof, now=now)
    source = Message("%(source)s, disposable address", source=source) if decision.disposable else source
    if decision.way is Way.IN:
        request_subscription(
            email=email,
            mailing_list=mailing_list,
            wording=wording,
            source=source,
            now=now,
            name=name,
            language=language,
            place=place,
            topics=topics,
            must_confirm=must_confirm,
        )
    elif decision.way is Way.HELD:
        hold_signup(
            email=email,
            mailing_list=mailing_list,
            wording=wording,
            source=source,
            why=decision.why,
            now=now,
            name=name,
            language=language,
            place=place,
            topics=topics,
        )
    return decision.way
