"""The document of a webhook. The address of a person is read when it is sent, so an erased person has none."""

from collections.abc import Sequence

import orjson

from subscribers.models import OutboundEvent, Subscriber, WebhookDelivery


def make_message_id(event: OutboundEvent) -> str:
    """Return the id that stays the same for each attempt and each endpoint."""
    return f"evt_{event.uid.hex}"


def make_bodies(deliveries: Sequence[WebhookDelivery]) -> dict[int, bytes]:
    """Return the JSON of each delivery by its id."""
    ids = {delivery.person for delivery in deliveries if delivery.person is not None}
    addresses = dict(Subscriber.objects.filter(pk__in=ids).values_list("pk", "email"))
    return {delivery.pk: _make_body(delivery.event, addresses) for delivery in deliveries}


def _make_body(event: OutboundEvent, addresses: dict[int, str]) -> bytes:
    person: dict[str, object] = {}
    if event.person is not None:
        person = {"person": {"id": event.person, "email": addresses.get(event.person)}}
    document = {"type": event.kind, "timestamp": event.at, "data": {"origin": event.origin, **person, **event.data}}
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)
