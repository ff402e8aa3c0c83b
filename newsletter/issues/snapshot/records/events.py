"""The records of events and appeals."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import orjson
from pydantic import Field

from newsletter.issues.snapshot.records.fields import OMIT_NONE, Moment, OptionalDay, OptionalMoment

CANCELLED = "cancelled"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """``day`` is the first day of an event of whole days. ``calendar_url`` is the page that adds it to a calendar.

    ``translated_location`` has the words of a translation for the same location.
    """

    id: int
    title: str
    url: str
    starts_at: Moment
    ends_at: OptionalMoment
    zone: str
    all_day: bool
    day: OptionalDay
    location: Annotated[str, Field(alias="place")]
    town: str
    country: str
    region: str
    latitude: float | None
    longitude: float | None
    online: bool
    cancelled: bool
    calendar_url: Annotated[str, Field(alias="calendar")] = ""
    translation_id: Annotated[int | None, OMIT_NONE] = None
    translated_location: Annotated[str | None, OMIT_NONE] = None

    @property
    def over_at(self) -> datetime:
        """The end as it was announced: without one, the start, or the end of its day."""
        return self.ends_at or (self.starts_at + _DAY if self.all_day else self.starts_at)

    @property
    def named_place(self) -> tuple[str, str, str, str]:
        """The words for where the event is, in its own language."""
        return self.location, self.town, self.country, self.region

    def fingerprint(self) -> str:
        """Return a hash of when and where the event is, or `CANCELLED`."""
        if self.cancelled:
            return CANCELLED
        facts = {
            "starts_at": self.starts_at.astimezone(UTC).isoformat(),
            "all_day": self.all_day,
            "day": self.day.isoformat() if self.day else "",
            "place": self.location,
            "town": self.town,
            "region": self.region,
            "online": self.online,
            "cancelled": self.cancelled,
        }
        return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class AppealRecord:
    """``audience`` is the giving status that the appeal is for, or "all"."""

    id: int
    headline: str
    text: str
    url: str
    button: str
    audience: Annotated[str, Field(alias="for")]
    translation_id: Annotated[int | None, OMIT_NONE] = None
