"""Read ISO 8601 times from outside."""

from datetime import UTC, datetime


def parse_iso_time(text: str) -> datetime | None:
    """Return a date or time in UTC, which a text without a zone is taken to be in, or None for any other text."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
