"""When and where an event is, as an issue's content has it: what a reader must know to be at the right place. Pure."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson

Content = dict[str, Any]
CANCELLED = "cancelled"
_FINGERPRINT_FIELDS = ("starts_at", "all_day", "day", "place", "town", "region", "online", "cancelled")


def fingerprint(event: Content) -> str:
    """Names the facts of an event of the resolved content. Of one that is cancelled no other matters."""
    if event["cancelled"]:
        return CANCELLED
    facts = {name: event[name] for name in _FINGERPRINT_FIELDS}
    facts["starts_at"] = datetime.fromisoformat(facts["starts_at"]).astimezone(UTC).isoformat()
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def find_event_in_content(content: Content, event_id: int) -> Content | None:
    """An event as an issue's content tells of it: in one of its blocks, or as what a correction announces."""
    events = [event for block in content["blocks"] for event in block.get("events", [])]
    announced = content["issue"].get("announces")
    if announced:
        events.append(announced["event"])
    return next((event for event in events if event["id"] == event_id), None)
