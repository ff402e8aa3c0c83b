"""Read one source by its kind. It stores nothing."""

from datetime import datetime

from newsletter.common.errors import DomainError
from newsletter.common.extension_registry import MissingExtension
from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError, HostNotFound
from newsletter.content.fetching.fetcher import Fetched, Fetcher
from newsletter.content.fetching.robots import Robots
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded, parse_in_sandbox
from newsletter.content.parsing.source_kind import SOURCE_KINDS, Reading, SourceRequest

robots = Robots()


class SourceKindFailed(FetchError):
    """The kind of the source failed with an error that it should have caught."""


def read_source(
    *, kind: str, url: str, etag: str, last_modified: str, fetcher: Fetcher, now: datetime, key: str = ""
) -> Reading:
    """Fetch and parse a source. Raises FetchError, ResourceLimitExceeded, ParserCrashed, or MissingExtension for its kind."""
    if kind not in SOURCE_KINDS:
        raise MissingExtension(
            "Sources of the kind “%(kind)s” cannot be read. %(why)s What was read before is kept.",
            kind=kind,
            why=SOURCE_KINDS.explain_missing(kind),
        )
    request = SourceRequest(
        kind=kind,
        url=url,
        etag=etag,
        last_modified=last_modified,
        key=key,
        now=now,
        fetcher=fetcher,
        robots=robots,
        parse_as=_parse,
    )
    try:
        return SOURCE_KINDS[kind].read(request)
    except (FetchError, ResourceLimitExceeded, ParserCrashed):
        raise
    except Exception as error:
        raise SourceKindFailed(
            "The extension for sources of the kind “%(kind)s” failed (%(name)s). Nothing new was used. Tell its authors.",
            kind=kind,
            name=type(error).__name__,
        ) from error


def describe_failed_reading(error: DomainError) -> str:
    """Return why a source cannot be read, and what to do if it looks as if it will not come back."""
    match error:
        case BadStatus(status=404 | 410) | HostNotFound():
            return Message(
                "%(reason)s To find it, open the site in a browser. If the site is gone, turn the source off.",
                reason=error,
            )
    return error.message


def _parse(kind: str, fetched: Fetched, now: datetime) -> Parsed:
    return parse_in_sandbox(
        Document(kind=kind, body=fetched.body, url=fetched.url, content_type=fetched.content_type, now=now)
    )


def name_kind(kind: str) -> Message:
    """Return the name of a kind of source, to be translated, and say so if the kind is missing."""
    if kind in SOURCE_KINDS:
        label = SOURCE_KINDS[kind].label
        return label if isinstance(label, Message) else Message("%(label)s", label=label)
    return Message("%(kind)s (not available)", kind=kind)
