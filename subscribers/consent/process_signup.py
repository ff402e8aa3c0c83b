"""The entry point for every sign-up, from our own page or another site: accept, hold or drop it."""

from collections.abc import Iterable
from datetime import datetime

from newsletter.common.messages import Message
from subscribers.consent.held_signups import hold_signup
from subscribers.consent.proof_of_work import Proof
from subscribers.consent.signup import request_subscription
from subscribers.consent.signup_limits import SignupOutcome, screen_signup
from subscribers.models import MailingList, SubscriberLocation, Topic


def process_signup(
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
    place: SubscriberLocation | None = None,
    topics: Iterable[Topic] = (),
) -> SignupOutcome:
    """Screen the sign-up of a normalised address and act on the decision. `client` is the visitor's network address.

    The outcome is for staff and tests. Never show it to the person who signed up.
    """
    decision = screen_signup(address=email, client=client, proof=proof, now=now)
    source = Message("%(source)s, disposable address", source=source) if decision.disposable else source
    if decision.outcome is SignupOutcome.ACCEPTED:
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
    elif decision.outcome is SignupOutcome.HELD:
        hold_signup(
            email=email,
            mailing_list=mailing_list,
            wording=wording,
            source=source,
            reason=decision.reason,
            now=now,
            name=name,
            language=language,
            place=place,
            topics=topics,
        )
    return decision.outcome
