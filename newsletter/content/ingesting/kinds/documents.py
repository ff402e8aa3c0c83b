"""The kinds of sources that are one document: a feed, a story's page, a calendar, a page of events."""

from datetime import timedelta

from newsletter.common.messages import Message
from newsletter.content.fetching.fetcher import CALENDAR, FEED, PAGE
from newsletter.content.ingesting.read_events import read_events
from newsletter.content.parsing.apis.addresses import add_calendar_key
from newsletter.content.parsing.calendars.calendar import parse_calendar
from newsletter.content.parsing.documents import CALENDAR_AHEAD, Document
from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.feeds.feed import parse_feed
from newsletter.content.parsing.pages.event_page import parse_event_page
from newsletter.content.parsing.pages.story_page import parse_story_page
from newsletter.content.parsing.source_kind import Reading, SourceKind, SourceRequest


class Feed(SourceKind):
    interface = 1
    label = Message("Feed (RSS, Atom or JSON Feed)")
    gives = "stories"

    def read(self, request: SourceRequest) -> Reading:
        return request.read_document(limits=FEED)

    def parse(self, document: Document) -> Parsed:
        return parse_feed(document.body, content_type=document.content_type, url=document.url, now=document.now)


class StoryPage(SourceKind):
    interface = 1
    label = Message("One story page")
    gives = "stories"
    lists_all = True

    def read(self, request: SourceRequest) -> Reading:
        return request.read_document(limits=PAGE, obey_robots=True)

    def parse(self, document: Document) -> Parsed:
        return parse_story_page(document.body, url=document.url, content_type=document.content_type, now=document.now)


class Calendar(SourceKind):
    """Its key is in the secret address of a calendar at Google."""

    interface = 1
    label = Message("Calendar (iCalendar)")
    gives = "events"
    key = "in_address"
    # No wildcard: some calendar servers answer a wildcard with a page for people.
    asks_for = "text/calendar, text/plain;q=0.5"

    def read(self, request: SourceRequest) -> Reading:
        url = add_calendar_key(request.url, request.key)
        return request.read_document(url=url, accept=self.asks_for, limits=CALENDAR)

    def parse(self, document: Document) -> Parsed:
        return parse_calendar(
            document.body,
            url=document.url,
            window_start=document.now - timedelta(days=1),
            window_end=document.now + CALENDAR_AHEAD,
        )


class EventPage(SourceKind):
    interface = 1
    label = Message("Web page of events")
    gives = "events"

    def read(self, request: SourceRequest) -> Reading:
        found, page = read_events(
            request.url,
            etag=request.etag,
            last_modified=request.last_modified,
            fetcher=request.fetcher,
            robots=request.robots,
            parse=request.parse_as,
            now=request.now,
        )
        if page is None:
            return Reading(parsed=found)
        if page.not_modified:
            return Reading(unchanged=True, etag=request.etag, last_modified=request.last_modified)
        return Reading(parsed=found, etag=page.etag, last_modified=page.last_modified)

    def parse(self, document: Document) -> Parsed:
        return parse_event_page(document.body, url=document.url, content_type=document.content_type, now=document.now)
