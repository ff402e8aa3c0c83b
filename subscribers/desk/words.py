"""The words that the desk says about people's consent."""

from django.utils.translation import gettext as _

from subscribers.models import Basis, ConsentEvent, Subscriber, Subscription


def say_subscription(subscription: Subscription) -> str:
    """The list and where the person stands with it, such as “Weekly (not confirmed yet)”."""
    name = subscription.mailing_list.name
    if subscription.ended_at:
        return f"{name} ({subscription.get_end_reason_display()})"
    if subscription.basis == Basis.DOUBLE_OPT_IN and subscription.confirmed_at is None:
        return _("%(name)s (not confirmed yet)") % {"name": name}
    return name


def say_consent(person: Subscriber) -> list[ConsentEvent]:
    """What happened to the person's consent, newest first."""
    events = ConsentEvent.objects.filter(address_hash=bytes(person.address_hash)).select_related("mailing_list")
    return list(events.order_by("-at", "-pk"))
