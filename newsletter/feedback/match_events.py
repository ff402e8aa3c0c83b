"""Find the delivery that an event is about. An event with our ids but another address matches nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from newsletter.common.errors import BadAddress
from newsletter.models import Delivery, ProviderEvent
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify
from subscribers.models import Subscriber

_STORED_BYTES = Delivery._meta.get_field("address_hash").max_length or 32


@dataclass(frozen=True)
class Target:
    """One delivery and what is needed to act on it.

    ``address_hash`` is the whole hash. It is None if the person was erased and the event has no address. ``account`` is the
    provider account that sends the batch.
    """

    delivery: int
    subscriber: int
    address_hash: bytes | None
    batch: int
    send: int
    proof: bool
    account: str


@dataclass(frozen=True)
class EventReference:
    """The references in an event: our delivery id, our batch key and the address's hash, as far as it has them."""

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


def match_events(references: Mapping[int, EventReference]) -> dict[int, Target]:
    """Map event ids to deliveries, in at most four queries. Events without a delivery are left out.

    The batch's key must match too: another installation on the same account has the same delivery ids.
    """
    ids = {reference.delivery for reference in references.values() if reference.delivery is not None}
    by_id = {row.target.delivery: row for row in _load(pk__in=ids)}
    without_id = [
        reference
        for reference in references.values()
        if reference.delivery is None and reference.batch and reference.address_hash
    ]
    by_address = {
        (row.key, row.hash_part): row
        for row in _load(
            batch__key__in={reference.batch for reference in without_id},
            address_hash__in={
                reference.address_hash[:_STORED_BYTES] for reference in without_id if reference.address_hash
            },
        )
    }
    targets, other_address = {}, {}
    for event, reference in references.items():
        if reference.delivery is None:
            row = by_address.get((reference.batch, (reference.address_hash or b"")[:_STORED_BYTES]))
        else:
            row = by_id.get(reference.delivery)
        if row is None:
            continue
        target = replace(row.target, address_hash=reference.address_hash)
        if _is_same_address(reference, row):
            targets[event] = target
        elif reference.batch == row.key:
            other_address[event] = target
    return _add_missing_hashes(targets | _match_changed_addresses(other_address))


def _match_changed_addresses(targets: dict[int, Target]) -> dict[int, Target]:
    """Return the targets whose address is the person's current one: they changed it after the audience was frozen."""
    if not targets:
        return targets
    people = {target.subscriber for target in targets.values()}
    current = dict(Subscriber.objects.filter(pk__in=people).values_list("pk", "address_hash"))
    return {
        event: target
        for event, target in targets.items()
        if target.address_hash == bytes(current.get(target.subscriber, b""))
    }


@dataclass(frozen=True)
class _Row:
    """A stored delivery: its batch's key and the stored part of the address's hash."""

    key: str
    hash_part: bytes
    target: Target


def _is_same_address(reference: EventReference, row: _Row) -> bool:
    if reference.batch and reference.batch != row.key:
        return False
    if reference.address_hash is None:
        return bool(reference.batch)
    return reference.address_hash[:_STORED_BYTES] == row.hash_part


def _add_missing_hashes(targets: dict[int, Target]) -> dict[int, Target]:
    """Read the hash from the person's row if the event has no address."""
    without_hash = [target.subscriber for target in targets.values() if target.address_hash is None]
    if not without_hash:
        return targets
    hashes = dict(Subscriber.objects.filter(pk__in=without_hash).values_list("pk", "address_hash"))
    return {
        event: replace(target, address_hash=bytes(hashes[target.subscriber]))
        if target.address_hash is None and target.subscriber in hashes
        else target
        for event, target in targets.items()
    }


def _load(**lookups: Iterable[object]) -> Iterable[_Row]:
    if not all(lookups.values()):
        return
    rows = Delivery.objects.filter(**{name: list(values) for name, values in lookups.items()}).values_list(
        "batch__key", "pk", "subscriber_id", "address_hash", "batch_id", "batch__send_id", "proof", "batch__account"
    )
    for key, pk, subscriber, address_hash, batch, send, proof, account in rows:
        yield _Row(key, bytes(address_hash), Target(pk, subscriber, None, batch, send, proof, account))


def _hash(address: str) -> bytes | None:
    try:
        return identify(normalise(address))
    except BadAddress:
        return None
