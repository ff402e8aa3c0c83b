"""Labels for consent, subscriptions and exclusions."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from subscribers.audience.eligibility import IMPLIED_CONSENT_EXPIRED, NOT_ON_ALLOWLIST, PAUSED, UNCONFIRMED
from subscribers.models import Basis, ConsentEvent, Subscriber, Subscription

EXCLUSION_LABELS = {
    UNCONFIRMED: gettext_lazy("not confirmed yet"),
    IMPLIED_CONSENT_EXPIRED: gettext_lazy("implied consent expired"),
    PAUSED: gettext_lazy("paused"),
    NOT_ON_ALLOWLIST: gettext_lazy("not on this installation’s recipient allowlist (NEWSLETTER_ONLY_TO)"),
    "suppressed:unsubscribe": gettext_lazy("unsubscribed from everything"),
    "suppressed:complaint": gettext_lazy("reported spam"),
    "suppressed:hard": gettext_lazy("address no longer exists"),
    "suppressed:soft_limit": gettext_lazy("bounced repeatedly"),
    "suppressed:staff": gettext_lazy("stopped by staff"),
    "suppressed:erasure": gettext_lazy("erased on request"),
    "suppressed:legal": gettext_lazy("blocked for a legal reason"),
}
"""The exclusion reasons of `audience`, to follow a number of people: “3 not confirmed yet”."""


def exclusion_label(reason: str) -> str:
    return str(EXCLUSION_LABELS[reason])


def subscription_label(subscription: Subscription) -> str:
    """Return the list's name and the subscription's state, such as “Weekly (not confirmed yet)”."""
    name = subscription.mailing_list.name
    if subscription.ended_at:
        return f"{name} ({subscription.get_end_reason_display()})"
    if subscription.basis == Basis.DOUBLE_OPT_IN and subscription.confirmed_at is None:
        return _("%(name)s (not confirmed yet)") % {"name": name}
    return name


def list_consent_events(person: Subscriber) -> list[ConsentEvent]:
    """Return the history of the person's consent, newest first."""
    events = ConsentEvent.objects.filter(address_hash=bytes(person.address_hash)).select_related("mailing_list")
    return list(events.order_by("-at", "-pk"))


def name_or_initials(person: Subscriber, *, whole: bool) -> str:
    """Return the name, or its initials for staff who may not see whole addresses; "" if there is no name."""
    return person.name if whole else " ".join(f"{word[0]}." for word in person.name.split())
