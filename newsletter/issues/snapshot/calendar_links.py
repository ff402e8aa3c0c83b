"""The unguessable names of the calendar files of events. A name is a signed event id; nothing is stored."""

import hashlib
import hmac
import re

from django.conf import settings

_NAME = re.compile(r"(\d{1,18})-([0-9a-f]{20})")


def make_calendar_url(event_id: int) -> str:
    """Return the address of the page that adds an event to a calendar. The links on it begin with the same address."""
    return f"{settings.NEWSLETTER_SITE_URL}/calendar/{make_calendar_name(event_id)}"


def make_calendar_name(event_id: int) -> str:
    return f"{event_id}-{_sign(event_id)}"


def parse_calendar_name(name: str) -> int | None:
    """Return the event's id, or None for a name that we did not make."""
    match = _NAME.fullmatch(name)
    if match is None or not hmac.compare_digest(match[2], _sign(int(match[1]))):
        return None
    return int(match[1])


def _sign(event_id: int) -> str:
    message = f"calendar:{event_id}".encode()
    return hmac.new(settings.SUBSCRIBERS_ADDRESS_KEY.encode(), message, hashlib.sha256).hexdigest()[:20]
