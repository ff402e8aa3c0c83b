"""Try a source's address before it is saved, or read a source while a person waits. Both are limited in time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.conf import settings

from newsletter.common.errors import DomainError
from newsletter.common.extension_registry import MissingExtension
from newsletter.common.messages import Message
from newsletter.content.fetching.bounded_fetcher import BoundedFetcher
from newsletter.content.fetching.errors import BadCertificate, BadStatus, FetchError, HostNotFound, TooSlow, Unreachable
from newsletter.content.ingesting.apis.read_api import KeyRefused
from newsletter.content.ingesting.ingest import CLAIM_PERIOD, IngestReport, ingest_source
from newsletter.content.ingesting.read_source import read_source
from newsletter.content.parsing.entries import EventEntry
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded
from newsletter.models import Source

TRIAL_SECONDS = 10.0
READING_SECONDS = 20.0
_FIRST_ITEMS = 5


@dataclass(frozen=True)
class SourceTrial:
    """The result of one reading that stored nothing: the first titles, the number of items, and the error for staff, or "".

    ``title`` is the source's own title. ``key_refused``: it asks for a key, or for another one.
    """

    titles: tuple[str, ...] = ()
    title: str = ""
    items: int = 0
    error: str = ""
    key_refused: bool = False


def try_source(*, kind: str, url: str, now: datetime, key: str = "") -> SourceTrial:
    """Read an address once, within ten seconds, and store nothing."""
    fetcher = BoundedFetcher(allow=settings.NEWSLETTER_FETCH_ALLOW, seconds=TRIAL_SECONDS)
    try:
        parsed = read_source(kind=kind, url=url, etag="", last_modified="", key=key, fetcher=fetcher, now=now).parsed
    except (FetchError, ResourceLimitExceeded, ParserCrashed, MissingExtension) as error:
        return SourceTrial(error=describe_failed_look(error), key_refused=isinstance(error, KeyRefused))
    titles = [story.title for story in parsed.stories] + _list_event_titles(parsed.events, now=now)
    return SourceTrial(titles=tuple(titles[:_FIRST_ITEMS]), title=parsed.title, items=len(titles), error=parsed.error)


def read_source_now(*, source: Source, now: datetime) -> IngestReport:
    """Ingest one source at once for a person who waits. Images for which there is no time come with the next reading."""
    Source.objects.filter(pk=source.pk).update(due_at=now + CLAIM_PERIOD)
    fetcher = BoundedFetcher(allow=settings.NEWSLETTER_FETCH_ALLOW, seconds=READING_SECONDS)
    return ingest_source(source=source, now=now, fetcher=fetcher)


def _list_event_titles(events: Iterable[EventEntry], *, now: datetime) -> list[str]:
    """Return the titles of upcoming events, by date, each once."""
    ahead = sorted((event for event in events if event.starts_at >= now), key=lambda event: event.starts_at)
    return list(dict.fromkeys(event.title for event in ahead))


def describe_failed_look(error: DomainError) -> str:
    """Return why a site cannot be read, for somebody who waits for the answer: nothing looks there again by itself."""
    match error:
        case BadCertificate():
            return error.message
        case HostNotFound():
            return Message("No web site is found under this name. Check the spelling, or try again in a minute.")
        case TooSlow() | Unreachable():
            return Message("This site does not answer. Check the address, or try again in a minute.")
        case BadStatus(status=404 | 410 as status):
            return Message("This site has nothing at this address (status %(status)s). Check it.", status=status)
        case BadStatus(status=status) if status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500:
            return Message(
                "This site has an error of its own (status %(status)s). Try again in a minute.", status=status
            )
    return error.message
