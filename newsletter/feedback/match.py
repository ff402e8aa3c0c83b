"""Finds whose mail an event is about. An event that names our ids and somebody else's address is about nobody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from newsletter.common.errors import BadAddress
from newsletter.models import Delivery, ProviderEvent
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify
from subscribers.models import Subscriber

_KEPT = Delivery._meta.get_field("address_hash").max_length or 32


@dataclass(frozen=True)
class Target:
    """One delivery, and what is needed to act on it. ``address_hash`` is whole; None where the person is not here any
    more and the event does not name them either."""

    delivery: int
    subscriber: int
    address_hash: bytes | None
    batch: int
    send: int
    proof: bool


@dataclass(frozen=True)
class EventReference:
    """What one event says of whom: our delivery id and batch key, and the address's hash, each where it has one."""

    delivery: int | None
    batch: str
    address_hash: bytes | None


def read_reference(event: ProviderEvent) -> EventReference:
    address = str(event.body.get("address", ""))
    delivery = event.body.get("delivery")
    return EventReference(
        delivery=delivery if isinstance(delivery, int) else None,
        batch=str(event.body.get("batch", "")),
        address_hash=_hash(address) if address else None,
    )


def match_events(named: Mapping[int, EventReference]) -> dict[int, Target]:
    """Event id to delivery, for those that have one: four queries at most, however many events.

    The batch's key must be right too: another installation on the same account counts its deliveries from 1 as we do.
    """
    by_id = {row.target.delivery: row for row in _load(pk__in=_ids(named.values()))}
    nameless = [each for each in named.values() if each.delivery is None and each.batch and each.address_hash]
    by_address = {
        (row.key, row.kept): row
        for row in _load(
            batch__key__in={each.batch for each in nameless},
            address_hash__in={each.address_hash[:_KEPT] for each in nameless if each.address_hash},
        )
    }
    found, elsewhere = {}, {}
    for event, each in named.items():
        if each.delivery is None:
            row = by_address.get((each.batch, (each.address_hash or b"")[:_KEPT]))
        else:
            row = by_id.get(each.delivery)
        if row is None:
            continue
        target = replace(row.target, address_hash=each.address_hash)
        if _is_same_address(each, row):
            found[event] = target
        elif each.batch == row.key:
            elsewhere[event] = target
    return _with_hashes(found | _match_moved_people(elsewhere))


def _match_moved_people(targets: dict[int, Target]) -> dict[int, Target]:
    """Who changed their address after the audience was fixed has the mail at the new one: the person's own, as it is now."""
    if not targets:
        return targets
    people = {target.subscriber for target in targets.values()}
    now_at = dict(Subscriber.objects.filter(pk__in=people).values_list("pk", "address_hash"))
    return {
        event: target
        for event, target in targets.items()
        if target.address_hash == bytes(now_at.get(target.subscriber, b""))
    }


@dataclass(frozen=True)
class _Row:
    """A delivery as stored: its batch's key, and as much of the address's hash as is kept with it."""

    key: str
    kept: bytes
    target: Target


def _is_same_address(named: EventReference, row: _Row) -> bool:
    if named.batch and named.batch != row.key:
        return False
    if named.address_hash is None:
        return bool(named.batch)
    return named.address_hash[:_KEPT] == row.kept


def _with_hashes(found: dict[int, Target]) -> dict[int, Target]:
    """The person's own row has the hash where the event had no address."""
    nameless = [target.subscriber for target in found.values() if target.address_hash is None]
    if not nameless:
        return found
    hashes = dict(Subscriber.objects.filter(pk__in=nameless).values_list("pk", "address_hash"))
    return {
        event: replace(target, address_hash=bytes(hashes[target.subscriber]))
        if target.address_hash is None and target.subscriber in hashes
        else target
        for event, target in found.items()
    }


def _ids(named: Iterable[EventReference]) -> set[int]:
    return {each.delivery for each in named if each.delivery is not None}


def _load(**which: Iterable[object]) -> Iterable[_Row]:
    if not all(which.values()):
        return
    rows = Delivery.objects.filter(**{name: list(values) for name, values in which.items()}).values_list(
        "batch__key", "pk", "subscriber_id", "address_hash", "batch_id", "batch__send_id", "proof"
    )
    for key, pk, subscriber, address_hash, batch, send, proof in rows:
        yield _Row(key, bytes(address_hash), Target(pk, subscriber, None, batch, send, proof))


def _hash(address: str) -> bytes | None:
    try:
        return identify(normalise(address))
    except BadAddress:
        return None
