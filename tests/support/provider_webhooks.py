"""Webhooks as Mailgun posts them, signed with a key of the test's choice."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

SIGNING_KEY = "fake-signing-key"


def mailgun_event(event: str, *, address: str, delivery: int, batch: str, at: datetime, **more: Any) -> dict[str, Any]:
    """Give the ``event-data`` of one event, carrying our ids the way Mailgun gives them back."""
    return {
        "id": f"{event}-{delivery}-{at.timestamp():.0f}",
        "event": event,
        "timestamp": at.timestamp(),
        "recipient": address,
        "user-variables": {"delivery": str(delivery), "batch": batch},
        **more,
    }


def sign_mailgun(event: dict[str, Any], *, now: datetime, token: str = "t" * 50, key: str = SIGNING_KEY) -> bytes:
    """Give the whole body of a webhook with its signature block."""
    timestamp = str(int(now.timestamp()))
    signature = hmac.new(key.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    block = {"timestamp": timestamp, "token": token, "signature": signature}
    return json.dumps({"signature": block, "event-data": event}).encode()
