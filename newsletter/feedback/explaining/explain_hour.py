"""Say at which hour a person gets a running send: that of the zone in which they were when it began. Reads only."""

from datetime import datetime

from newsletter.common.messages import Message
from newsletter.models import Batch, Delivery
from subscribers.audience.zones import find_zone_of
from subscribers.models import Subscriber

_OPEN_STATES = (Batch.State.PENDING, Batch.State.SUBMITTING)


def explain_hour(delivery: Delivery, *, person: Subscriber, outcome: str) -> str:
    """Return the outcome with the hour that was fixed for a mail still to be sent. Others keep their outcome."""
    batch = delivery.batch
    zones = _find_zones(batch)
    if not zones or batch.state not in _OPEN_STATES:
        return outcome
    own = find_zone_of(person, default="")
    return Message(
        "%(outcome)s. Their hour was fixed when the send began: %(time)s in %(places)s.",
        outcome=outcome,
        time=batch.send.local_time[-5:],
        places=", ".join(_name_town(zone) for zone in ([own] if own in zones else zones)),
    )


def _find_zones(batch: Batch) -> list[str]:
    """Return the zones of the batch's hour, or none if everybody gets the issue at once."""
    for hour in batch.send.hours:
        if batch.due_at is not None and datetime.fromisoformat(hour["at"]) == batch.due_at:
            return list(hour["zones"])
    return []


def _name_town(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")
