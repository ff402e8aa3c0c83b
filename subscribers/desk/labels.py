"""The words that the desk says about people's consent."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from subscribers.audience.eligibility import IMPLIED_CONSENT_EXPIRED, NOT_ON_ALLOWLIST, PAUSED, UNCONFIRMED
from subscribers.models import Basis, ConsentEvent, Subscriber, Subscription

EXCLUSION_LABELS = {
    UNCONFIRMED: gettext_lazy("have not confirmed by mail yet"),
    IMPLIED_CONSENT_EXPIRED: gettext_lazy("gave only implied consent, which has run out"),
    PAUSED: gettext_lazy("asked for a pause"),
    NOT_ON_ALLOWLIST: gettext_lazy("are not among those whom this installation may mail (NEWSLETTER_ONLY_TO)"),
    "suppressed:unsubscribe": gettext_lazy("left everything"),
    "suppressed:complaint": gettext_lazy("reported a mail as spam"),
    "suppressed:hard": gettext_lazy("have an address that does not exist any more"),
    "suppressed:soft_limit": gettext_lazy("could not be reached several times"),
    "suppressed:staff": gettext_lazy("were taken out by staff"),
    "suppressed:erasure": gettext_lazy("asked to be erased"),
    "suppressed:legal": gettext_lazy("may not be mailed for a legal reason"),
}
"""The reasons of `audience` after a number of people."""


def exclusion_label(reason: str) -> str:
    return str(EXCLUSION_LABELS[reason])


def subscription_label(subscription: Subscription) -> str:
    """The list and where the person stands with it, such as “Weekly (not confirmed yet)”."""
    name = subscription.mailing_list.name
    if subscription.ended_at:
        return f"{name} ({subscription.get_end_reason_display()})"
    if subscription.basis == Basis.DOUBLE_OPT_IN and subscription.confirmed_at is None:
        return _("%(name)s (not confirmed yet)") % {"name": name}
    return name


def list_consent_events(person: Subscriber) -> list[ConsentEvent]:
    """What happened to the person's consent, newest first."""
    events = ConsentEvent.objects.filter(address_hash=bytes(person.address_hash)).select_related("mailing_list")
    return list(events.order_by("-at", "-pk"))
