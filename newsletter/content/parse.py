"""Which parser reads which kind of source. Bytes in, entries out; it fetches nothing and stores nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.content.calendars import parse_calendar
from newsletter.content.entries import Parsed
from newsletter.content.event_pages import parse_event_page
from newsletter.content.feeds import parse_feed
from newsletter.content.pages import parse_story_page
from newsletter.content.tribe_events import parse_tribe_events
from newsletter.content.wordpress import parse_posts

CALENDAR_AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class Document:
    """What a source of one ``kind`` answered: a ``Source.kind``, or ``tribe_events`` for The Events Calendar's interface.

    ``now`` is aware and judges dates.
    """

    kind: str
    body: bytes
    url: str
    content_type: str
    now: datetime


def parse_document(document: Document) -> Parsed:
    """All that a document gives. ValueError for a kind that no parser reads."""
    body, url, now = document.body, document.url, document.now
    match document.kind:
        case "feed":
            return parse_feed(body, content_type=document.content_type, url=url, now=now)
        case "wordpress":
            return parse_posts(body, url=url, now=now)
        case "page":
            return parse_story_page(body, url=url, content_type=document.content_type, now=now)
        case "calendar":
            return parse_calendar(body, url=url, window_start=now - timedelta(days=1), window_end=now + CALENDAR_AHEAD)
        case "events":
            return parse_event_page(body, url=url, content_type=document.content_type, now=now)
        case "tribe_events":
            return parse_tribe_events(body, url=url, now=now)
    raise ValueError(f"no parser reads sources of the kind {document.kind!r}")
