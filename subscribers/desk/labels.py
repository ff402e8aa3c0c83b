"""Labels for consent, subscriptions and exclusions."""

from django.utils.translation import gettext as _

from newsletter.common.translation import translate
from subscribers.audience.exclusion_labels import EXCLUSION_LABELS
from subscribers.models import Basis, ConsentEvent, Subscriber, Subscription


def exclusion_label(reason: str) -> str:
    return translate(EXCLUSION_LABELS[reason])


def subscription_label(subscription: Subscription) -> str:
    """Return the list's name and the subscription's state, such as “Weekly (not confirmed yet)”."""
    name = subscription.mailing_list.name
    if subscription.ended_at:
        return f"{name} ({subscription.get_end_reason_display()})"
    if subscription.basis == Basis.DOUBLE_OPT_IN and subscription.confirmed_at is None:
        return _("%(name)s (not confirmed yet)") % {"name": name}
    return name


def basis_label(subscription: Subscription) -> str:
    """Return the legal basis; for consent that was asked for and not confirmed, that it is not given."""
    if subscription.basis == Basis.DOUBLE_OPT_IN and subscription.confirmed_at is None:
        return _("asked to join; has not confirmed")
    return str(subscription.get_basis_display())


def list_consent_events(person: Subscriber) -> list[ConsentEvent]:
    """Return the history of the person's consent, newest first."""
    events = ConsentEvent.objects.filter(address_hash=bytes(person.address_hash)).select_related("mailing_list")
    return list(events.order_by("-at", "-pk"))


def name_or_initials(person: Subscriber, *, whole: bool) -> str:
    """Return the name, or its initials for staff who may not see whole addresses; "" if there is no name."""
    return person.name if whole else " ".join(f"{word[0]}." for word in person.name.split())


def identify_person(person: Subscriber, *, whole: bool) -> str:
    """Return the name, or the initials, with the town, to identify a person in lists. Without a name: the masked address."""
    town = (person.place and person.place.town) or _("town unknown")
    return f"{name_or_initials(person, whole=whole) or person}, {town}"
