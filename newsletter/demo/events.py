"""The sample organisation's events: read from the data file and placed in the weeks after a given ``now``.

Data only: how an event is served is the business of the calendar and of the pages.
"""

import tomllib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class DemoEvent:
    """One event, or the first of a series. Times are aware, in ``zone``; ``geo`` is (latitude, longitude)."""

    slug: str
    title: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    place: str
    geo: tuple[float, float] | None
    online: bool
    all_day: bool
    cancelled: bool
    weekly: bool
    source: str

    @property
    def path(self) -> str:
        """The path of its page on the site."""
        return f"/events/{self.slug}/"


def load_events(*, now: datetime) -> tuple[DemoEvent, ...]:
    """All events, earliest first; ``now`` is aware. Those of week 1 and later lie in the future."""
    text = files("newsletter.demo").joinpath("content", "events.toml").read_text(encoding="utf-8")
    events = [_read_event(row, now=now) for row in tomllib.loads(text)["event"]]
    return tuple(sorted(events, key=lambda event: (event.starts_at, event.slug)))


def _read_event(row: dict[str, object], *, now: datetime) -> DemoEvent:
    zone = str(row["zone"])
    today = now.astimezone(ZoneInfo(zone)).date()
    monday = today - timedelta(days=today.weekday())
    day = monday + timedelta(weeks=int(str(row["week"])), days=_WEEKDAYS.index(str(row["weekday"])))
    all_day = row.get("all_day") is True
    start = time() if all_day else time.fromisoformat(str(row["start"]))
    starts_at = datetime.combine(day, start, tzinfo=ZoneInfo(zone))
    length = timedelta(days=int(str(row.get("days", 1)))) if all_day else timedelta(minutes=int(str(row["minutes"])))
    geo = row.get("geo")
    return DemoEvent(
        slug=str(row["slug"]),
        title=str(row["title"]),
        summary=str(row["summary"]),
        starts_at=starts_at,
        ends_at=starts_at + length,
        zone=zone,
        place=str(row.get("place", "")),
        geo=(float(geo[0]), float(geo[1])) if isinstance(geo, list) else None,
        online=row.get("online") is True,
        all_day=all_day,
        cancelled=row.get("cancelled") is True,
        weekly=row.get("repeat") == "weekly",
        source=str(row.get("source", "calendar")),
    )
