"""Describe everything held about a person, fit for JSON. Times are ISO 8601 in UTC."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Q

from newsletter.common.messages import Message
from subscribers.audience.eligibility import explain_ineligible
from subscribers.models import ConsentEvent, MailingList, Subscriber, Subscription, Suppression
from subscribers.people.data_export import collect_export_sections, format_moment
from subscribers.segments.attributes import read_attributes

_PRIVATE_LIST_NAME = Message("this newsletter")
_HASHES = ("from", "into")
"""Hashes of addresses in the data of a consent event, for the suppression journal. They tell the person nothing."""

PublicNames = Mapping[str, str]
"""The name to show for each private list, by its slug. It is empty if the reader may know all lists."""


def describe_person(person: Subscriber, *, now: datetime, for_subscriber: bool = False) -> dict[str, object]:
    """Return everything held about a person. ``for_subscriber`` hides the names of private lists from the person."""
    private = MailingList.objects.filter(public=False) if for_subscriber else MailingList.objects.none()
    public_names = dict.fromkeys(private.values_list("slug", flat=True), _PRIVATE_LIST_NAME)
    subscriptions = person.subscriptions.select_related("mailing_list").order_by("requested_at", "pk")
    address_hash = bytes(person.address_hash)
    suppressions = Suppression.objects.filter(address_hash=address_hash)
    consent = ConsentEvent.objects.filter(Q(address_hash=address_hash) | Q(subscriber=person))
    return {
        **_describe_details(person),
        "subscriptions": [
            {
                **_describe_subscription(subscription, public_names),
                "mailable": not explain_ineligible(person, mailing_list=subscription.mailing_list, now=now),
            }
            for subscription in subscriptions
        ],
        "suppressions": [
            _describe_suppression(suppression, public_names)
            for suppression in suppressions.select_related("mailing_list").order_by("at", "pk")
        ],
        "consent": [
            _describe_consent_event(event, public_names)
            for event in consent.select_related("mailing_list").order_by("at", "pk")
        ],
        **collect_export_sections(person),
    }


def _describe_details(person: Subscriber) -> dict[str, object]:
    place = person.place
    return {
        "id": person.pk,
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
    }


def _describe_subscription(subscription: Subscription, public_names: PublicNames) -> dict[str, object]:
    return {
        "list": _show_list(subscription.mailing_list, public_names),
        "basis": subscription.basis,
        "evidence": subscription.evidence,
        "requested_at": format_moment(subscription.requested_at),
        "confirmed_at": format_moment(subscription.confirmed_at),
        "expires_at": format_moment(subscription.expires_at),
        "ended_at": format_moment(subscription.ended_at),
        "end_reason": subscription.end_reason,
        "frequency": subscription.frequency,
        "paused_until": format_moment(subscription.paused_until),
    }


def _describe_suppression(suppression: Suppression, public_names: PublicNames) -> dict[str, object]:
    return {
        "scope": suppression.scope,
        "list": _show_list(suppression.mailing_list, public_names),
        "reason": suppression.reason,
        "at": format_moment(suppression.at),
        "note": suppression.note,
        "removed_at": format_moment(suppression.removed_at),
        "removed_by": suppression.removed_by,
        "removal_reason": suppression.removal_reason,
    }


def _describe_consent_event(event: ConsentEvent, public_names: PublicNames) -> dict[str, object]:
    return {
        "kind": event.kind,
        "list": _show_list(event.mailing_list, public_names),
        "at": format_moment(event.at),
        "wording": event.wording,
        "source": event.source,
        "by": event.by,
        "data": _hide_private_lists(
            {name: value for name, value in event.data.items() if name not in _HASHES}, public_names
        ),
    }


def _show_list(mailing_list: MailingList | None, public_names: PublicNames) -> str | None:
    """Return the slug of a list, or its public name if it is private."""
    return public_names.get(mailing_list.slug, mailing_list.slug) if mailing_list else None


def _hide_private_lists(data: Mapping[str, object], public_names: PublicNames) -> dict[str, object]:
    """Replace the names of private lists in the frequencies of an event."""
    frequencies = data.get("frequency")
    if not public_names or not isinstance(frequencies, dict):
        return dict(data)
    return {**data, "frequency": {public_names.get(slug, slug): how_often for slug, how_often in frequencies.items()}}
