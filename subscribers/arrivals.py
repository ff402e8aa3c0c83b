"""The one way in for somebody who signs up, from our own page or another site: weighed, then taken, held or dropped."""

from collections.abc import Iterable
from datetime import datetime

from subscribers.gate import Way, weigh
from subscribers.held import hold_signup
from subscribers.models import MailingList, Place, Topic
from subscribers.proof import Proof
from subscribers.signup import request_subscription


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
    source = f"{source}, disposable address" if decision.disposable else source
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
