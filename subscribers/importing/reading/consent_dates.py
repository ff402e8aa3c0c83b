"""Check by its dates if the consent of an imported person may be relied on."""

from datetime import date, datetime, timedelta

from newsletter.common.messages import Message
from subscribers.importing.reading.parsed_rows import ImportTerms, RefusalKind

SOFT_OPT_IN_SINCE = date(2026, 2, 5)
MAX_IMPLIED_CONSENT = timedelta(days=731)


def check_soft_opt_in(asked: datetime | None, *, terms: ImportTerms) -> tuple[RefusalKind, Message] | None:
    """Return a refusal if the charitable soft opt-in does not cover somebody who signed up at this time."""
    day = asked.date() if asked else terms.collected_on
    if day is None:
        return RefusalKind.NO_DAY, Message(
            "This line has no sign-up date. The charitable soft opt-in requires one: add it to the line, or enter "
            "the earliest date for all."
        )
    if day < SOFT_OPT_IN_SINCE:
        return RefusalKind.TOO_EARLY, Message(
            "This person signed up on %(day)s. The charitable soft opt-in covers only people who signed up on or "
            "after 2026-02-05. Ask them for consent instead.",
            day=day.isoformat(),
        )
    return None


def check_expiry(expires_on: date | None, *, today: date) -> tuple[RefusalKind, Message] | None:
    """Return a refusal if implied consent that ends on this day is not acceptable."""
    if expires_on is None:
        return RefusalKind.NO_EXPIRY, Message(
            "This line has no expiry date. Implied consent requires one: add it to the line, or enter one date for all."
        )
    day = expires_on.isoformat()
    if expires_on < today:
        return RefusalKind.IMPLIED_CONSENT_EXPIRED, Message(
            "The implied consent of this person expired on %(day)s. Ask them for consent instead.", day=day
        )
    if expires_on > today + MAX_IMPLIED_CONSENT:
        return RefusalKind.TOO_LONG, Message(
            "Implied consent lasts two years at most, and %(day)s is later. Correct the date.", day=day
        )
    return None
