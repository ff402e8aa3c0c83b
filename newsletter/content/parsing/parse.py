"""Choose the parser for each kind of source. Bytes in, entries out; it fetches nothing and stores nothing."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.common.messages import Message
from newsletter.content.parsing.apis.kinds import API_KINDS
from newsletter.content.parsing.calendars.calendar import parse_calendar
from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.entry_rules import PARSER_ERRORS
from newsletter.content.parsing.feeds.feed import parse_feed
from newsletter.content.parsing.feeds.wordpress_posts import parse_posts
from newsletter.content.parsing.pages.event_page import parse_event_page
from newsletter.content.parsing.pages.story_page import parse_page_picture, parse_story_page
from newsletter.content.parsing.pages.the_events_calendar import parse_tribe_events

CALENDAR_AHEAD = timedelta(days=400)
KINDS = frozenset({"feed", "wordpress", "page", "page_picture", "calendar", "events", "tribe_events", *API_KINDS})

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Document:
    """The answer of a source. ``kind`` is one of ``KINDS``. ``now`` is an aware time; dates are compared with it.

    "page_picture" is a story's page of which only the image is used: ``Parsed.extra`` then has "picture", "alt" and "duration".
    "tribe_events" is an answer of the REST interface of The Events Calendar. The other kinds are those of ``Source``.
    """

    kind: str
    body: bytes
    url: str
    content_type: str
    now: datetime


def parse_document(document: Document) -> Parsed:
    """Return all entries of a document. Set ``error`` if it breaks its parser. Raises ValueError for an unknown kind."""
    if document.kind not in KINDS:
        raise ValueError(Message("no parser reads sources of the kind %(kind)s", kind=f"{document.kind!r}"))
    try:
        return _parse(document)
    except PARSER_ERRORS as error:
        log.warning("A %s at %s broke its parser", document.kind, document.url, exc_info=True)
        return Parsed(
            error=Message(
                "This source is damaged and cannot be read (%(name)s). Nothing new was used. Ask the people who run "
                "it to correct it.",
                name=type(error).__name__,
            )
        )


def _parse(document: Document) -> Parsed:
    body, url, now = document.body, document.url, document.now
    match document.kind:
        case "feed":
            return parse_feed(body, content_type=document.content_type, url=url, now=now)
        case "wordpress":
            return parse_posts(body, url=url, now=now)
        case "page":
            return parse_story_page(body, url=url, content_type=document.content_type, now=now)
        case "page_picture":
            return parse_page_picture(body, url=url, content_type=document.content_type)
        case "calendar":
            return parse_calendar(body, url=url, window_start=now - timedelta(days=1), window_end=now + CALENDAR_AHEAD)
        case "tribe_events":
            return parse_tribe_events(body, url=url, now=now)
        case kind if kind in API_KINDS:
            return API_KINDS[kind].parse(body, url=url, now=now)
        case _:
            return parse_event_page(body, url=url, content_type=document.content_type, now=now)
