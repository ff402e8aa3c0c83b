"""Finding one person by address, and describing everything held about them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from subscribers.addresses.normalise import normalise
from subscribers.audience.eligibility import explain_ineligible
from subscribers.identity import identify
from subscribers.models import ConsentEvent, MailingList, Subscriber, Suppression
from subscribers.people.data_export import collect_export_sections
from subscribers.segments.attributes import read_attributes

_PRIVATE_LIST_NAME = Message("this newsletter")


class UnknownPerson(DomainError):
    """No subscriber has this address."""


def find_person(email: str) -> Subscriber:
    """Return the subscriber of an address in any spelling. Raises `BadAddress` or `UnknownPerson`."""
    person = Subscriber.objects.filter(address_hash=identify(normalise(email))).select_related("place").first()
    if person is None:
        raise UnknownPerson("No subscriber has this address. Check the spelling, or import them.")
    return person


def describe_person(person: Subscriber, *, now: datetime, for_themselves: bool = False) -> dict[str, object]:
    """Return everything held about a person, fit for JSON. Times are ISO 8601 in UTC.

    `for_themselves` hides the names of private lists.
    """
    lists = MailingList.objects.filter(public=False) if for_themselves else MailingList.objects.none()
    hidden = dict.fromkeys(lists.values_list("slug", flat=True), _PRIVATE_LIST_NAME)
    place = person.place
    address_hash = bytes(person.address_hash)
    return {
        "email": person.email,
        "name": person.name,
        "country": place.country if place else "",
        "region": place.region if place else "",
        "city": place.town if place else "",
        "radius_km": person.radius_km,
        "language": person.language,
        "topics": sorted(person.topics.values_list("slug", flat=True)),
        "giving": person.giving,
        "timezone": person.timezone,
        "source": person.source,
        "attributes": read_attributes(person),
        "created_at": person.created_at.isoformat(),
        "subscriptions": [
            {
                "list": _list_slug(subscription.mailing_list, hidden),
                "basis": subscription.basis,
                "evidence": subscription.evidence,
                "requested_at": subscription.requested_at.isoformat(),
                "confirmed_at": subscription.confirmed_at.isoformat() if subscription.confirmed_at else None,
                "expires_at": subscription.expires_at.isoformat() if subscription.expires_at else None,
                "ended_at": subscription.ended_at.isoformat() if subscription.ended_at else None,
                "end_reason": subscription.end_reason,
                "frequency": subscription.frequency,
                "paused_until": subscription.paused_until.isoformat() if subscription.paused_until else None,
                "mailable": not explain_ineligible(person, mailing_list=subscription.mailing_list, now=now),
            }
            for subscription in person.subscriptions.select_related("mailing_list").order_by("requested_at", "pk")
        ],
        "suppressions": [
            {
                "scope": suppression.scope,
                "list": _list_slug(suppression.mailing_list, hidden),
                "reason": suppression.reason,
                "at": suppression.at.isoformat(),
                "note": suppression.note,
                "lifted_at": suppression.lifted_at.isoformat() if suppression.lifted_at else None,
                "lifted_by": suppression.lifted_by,
                "lifted_reason": suppression.lifted_reason,
            }
            for suppression in Suppression.objects.filter(address_hash=address_hash)
            .select_related("mailing_list")
            .order_by("at", "pk")
        ],
        "consent": [
            {
                "kind": event.kind,
                "list": _list_slug(event.mailing_list, hidden),
                "at": event.at.isoformat(),
                "wording": event.wording,
                "source": event.source,
                "by": event.by,
                "data": _hide_private_lists(event.data, hidden),
            }
            for event in ConsentEvent.objects.filter(Q(address_hash=address_hash) | Q(subscriber=person))
            .select_related("mailing_list")
            .order_by("at", "pk")
        ],
        **collect_export_sections(person),
    }


def _list_slug(mailing_list: MailingList | None, hidden: Mapping[str, str]) -> str | None:
    return hidden.get(mailing_list.slug, mailing_list.slug) if mailing_list else None


def _hide_private_lists(data: Mapping[str, Any], hidden: Mapping[str, str]) -> dict[str, Any]:
    """Replace the names of private lists in the frequencies of an event."""
    frequencies = data.get("frequency")
    if not hidden or not isinstance(frequencies, dict):
        return dict(data)
    return {**data, "frequency": {hidden.get(slug, slug): frequency for slug, frequency in frequencies.items()}}
