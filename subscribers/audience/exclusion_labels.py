"""The exclusion reasons as texts that follow a number of people: “3 not confirmed yet”."""

from newsletter.common.messages import Message
from subscribers.audience.eligibility import (
    IMPLIED_CONSENT_EXPIRED,
    NOT_CHARITABLE,
    NOT_ON_ALLOWLIST,
    OVER_BUDGET,
    PAUSED,
    RESTING,
    UNCONFIRMED,
)

EXCLUSION_LABELS = {
    UNCONFIRMED: Message("not confirmed yet"),
    IMPLIED_CONSENT_EXPIRED: Message("implied consent expired"),
    PAUSED: Message("paused"),
    RESTING: Message("get no newsletters, because they did not answer whether they still want mail"),
    NOT_ON_ALLOWLIST: Message("not on this installation’s recipient allowlist (NEWSLETTER_ONLY_TO)"),
    OVER_BUDGET: Message("would get more mails in 7 days than the limit for one person allows"),
    NOT_CHARITABLE: Message("covered only for your charitable purposes (charitable soft opt-in)"),
    "suppressed:unsubscribe": Message("unsubscribed from everything"),
    "suppressed:complaint": Message("reported spam"),
    "suppressed:hard": Message("address no longer exists"),
    "suppressed:soft_limit": Message("bounced repeatedly"),
    "suppressed:staff": Message("stopped by staff"),
    "suppressed:erasure": Message("erased on request"),
    "suppressed:legal": Message("blocked for a legal reason"),
}
