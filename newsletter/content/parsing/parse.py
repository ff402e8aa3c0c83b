"""Parse a document by its kind. Bytes in, entries out; it fetches nothing and stores nothing."""

import logging

from newsletter.common.messages import Message
from newsletter.content.parsing.cpu_budget import PARSER_ERRORS
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.pages.story_page import parse_page_picture
from newsletter.content.parsing.pages.the_events_calendar import parse_tribe_events
from newsletter.content.parsing.source_kind import SOURCE_KINDS

__all__ = ["HELPERS", "Document", "parse_document", "preload"]

HELPERS = ("page_picture", "tribe_events")
"""Documents that are no source by themselves.

"page_picture" is a story's page of which only the image is used: ``Parsed.extra`` then has "picture", "alt" and "duration".
"tribe_events" is an answer of the REST interface of The Events Calendar.
"""

log = logging.getLogger(__name__)


def preload() -> None:
    """Load our own parsers. Those of other packages are loaded with their first document: a broken one must not hold us up."""
    SOURCE_KINDS.load_own()


def parse_document(document: Document) -> Parsed:
    """Return all entries of a document. Set ``error`` if it breaks its parser. Raises ValueError for an unknown kind."""
    if document.kind not in HELPERS and document.kind not in SOURCE_KINDS:
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
    match document.kind:
        case "page_picture":
            return parse_page_picture(document.body, url=document.url, content_type=document.content_type)
        case "tribe_events":
            return parse_tribe_events(document.body, url=document.url, now=document.now)
        case kind:
            return SOURCE_KINDS[kind].parse(document)
