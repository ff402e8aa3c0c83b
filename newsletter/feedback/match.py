"""Finds whose mail an event is about. An event that names our ids and somebody else's address is about nobody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from newsletter.models import Delivery, ProviderEvent
from subscribers.addresses import normalise
from subscribers.errors import BadAddress
from subscribers.identity import identify


@dataclass(frozen=True)
class Target:
    """One delivery, and what is needed to act on it."""

    delivery: int
    subscriber: int
    address_hash: bytes
    batch: int
    send: int
    proof: bool


@dataclass(frozen=True)
class Named:
    """What one event says of whom: our delivery id and batch key, and the address's hash, each where it has one."""

    delivery: int | None
    batch: str
    address_hash: bytes | None


def read_named(event: ProviderEvent) -> Named:
    address = str(event.body.get("address", ""))
    delivery = event.body.get("delivery")
    return Named(
        delivery=delivery if isinstance(delivery, int) else None,
        batch=str(event.body.get("batch", "")),
        address_hash=_hash(address) if address else None,
    )


def match_events(named: Mapping[int, Named]) -> dict[int, Target]:
    """Event id to delivery, for those that have one: three queries, however many events.

    The batch's key must be right too: another installation on the same account counts its deliveries from 1 as we do.
    """
    by_id = {target.delivery: (key, target) for key, target in _load(pk__in=_ids(named.values()))}
    nameless = [each for each in named.values() if each.delivery is None and each.batch and each.address_hash]
    by_address = {
        (key, target.address_hash): target
        for key, target in _load(
            batch__key__in={each.batch for each in nameless},
            address_hash__in={each.address_hash for each in nameless},
        )
    }
    found = {}
    for event, each in named.items():
        if each.delivery is None:
            target = by_address.get((each.batch, each.address_hash or b""))
        else:
            key, target = by_id.get(each.delivery, ("", None))
            if target is not None and not _agree(each, key=key, target=target):
                target = None
        if target is not None:
            found[event] = target
    return found


def _agree(named: Named, *, key: str, target: Target) -> bool:
    if named.batch and named.batch != key:
        return False
    if named.address_hash is None:
        return bool(named.batch)
    return named.address_hash == target.address_hash


def _ids(named: Iterable[Named]) -> set[int]:
    return {each.delivery for each in named if each.delivery is not None}


def _load(**which: Iterable[object]) -> Iterable[tuple[str, Target]]:
    if not all(which.values()):
        return
    rows = Delivery.objects.filter(**{name: list(values) for name, values in which.items()}).values_list(
        "batch__key", "pk", "subscriber_id", "address_hash", "batch_id", "batch__send_id", "proof"
    )
    for key, pk, subscriber, address_hash, batch, send, proof in rows:
        yield key, Target(pk, subscriber, bytes(address_hash), batch, send, proof)


def _hash(address: str) -> bytes | None:
    try:
        return identify(normalise(address))
    except BadAddress:
        return None
