"""What the organisation's site publishes as time passes: a feed of stories and a calendar, on loopback."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

from tests.support.web_site import Site

TOWNS = ("London", "Leeds", "Cardiff", "Belfast")
HALL, NEW_HALL = "The hall", "The library"
IN_FEED = 20
DAYS_LISTED = 200
_FEED = '<rss version="2.0"><channel><title>Stories</title><link>{url}</link>{items}</channel></rss>'
_ITEM = (
    "<item><title>{title}</title><link>{url}/story-{number}</link><guid>story-{number}</guid><pubDate>{date}</pubDate>"
    "<description>What happened on day {number}, in some more words.</description></item>"
)
_PAGE = "<!doctype html><title>Story number {number}</title><p>What happened on day {number}."
_EVENT = (
    "BEGIN:VEVENT\r\nUID:event-{number}@example.org\r\nDTSTAMP:{stamp}\r\nDTSTART:{start}\r\nDTEND:{end}\r\n"
    "SUMMARY:Evening {number}\r\nLOCATION:{hall}\\, {town}\r\nSTATUS:{status}\r\nEND:VEVENT\r\n"
)


@dataclass
class Published:
    """Stories on some days, and an event each week that is listed half a year ahead. A month each year has no story.

    ``cancelled`` has the moment at which an event was called off, by its number, and ``moved`` that of a new house.
    """

    site: Site
    start: datetime
    chance: random.Random
    silent_month: int = 8
    stories: list[tuple[int, datetime]] = field(default_factory=list)
    down: bool = False
    cancelled: dict[int, datetime] = field(default_factory=dict)
    moved: dict[int, datetime] = field(default_factory=dict)

    def publish(self, now: datetime) -> None:
        """Call it once a day."""
        if now.month != self.silent_month and self.chance.random() < 0.4:
            self.stories.append((len(self.stories), now))
        self.serve(now)

    def cancel_event(self, now: datetime) -> None:
        """Call off the next event, or the one after it."""
        self.cancelled.setdefault((now - self.start).days // 7 + self.chance.randint(0, 2), now)

    def move_event(self, now: datetime) -> None:
        """Move the next event, or the one after it, into another house."""
        self.moved.setdefault((now - self.start).days // 7 + self.chance.randint(0, 2), now)

    def serve(self, now: datetime) -> None:
        """Answer as the site does now: with 503 if it is down."""
        status = 503 if self.down else 200
        self.site.put("/feed.xml", self._feed(), status=status, Content_Type="application/rss+xml")
        self.site.put("/events.ics", self._calendar(now), status=status, Content_Type="text/calendar")
        for number, _at in self.stories[-IN_FEED:]:
            self.site.put(f"/story-{number}", _PAGE.format(number=number), status=status, Content_Type="text/html")

    def _feed(self) -> str:
        items = (
            _ITEM.format(title=f"Story number {number}", url=self.site.url, number=number, date=format_datetime(at))
            for number, at in self.stories[: -IN_FEED - 1 : -1]
        )
        return _FEED.format(url=self.site.url, items="".join(items))

    def _calendar(self, now: datetime) -> str:
        weeks = range((now - self.start).days // 7, (now - self.start).days // 7 + DAYS_LISTED // 7)
        events = (self._event(number) for number in weeks)
        return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"

    def _event(self, number: int) -> str:
        start = self.start.replace(hour=19, minute=0) + timedelta(days=7 * number + 3)
        stamps = {"stamp": self.start, "start": start, "end": start + timedelta(hours=2)}
        times = {name: f"{moment:%Y%m%dT%H%M%SZ}" for name, moment in stamps.items()}
        status = "CANCELLED" if number in self.cancelled else "CONFIRMED"
        hall = NEW_HALL if number in self.moved else HALL
        return _EVENT.format(number=number, hall=hall, town=TOWNS[number % len(TOWNS)], status=status, **times)
