"""Find the possible sources of a web site: feeds, calendars, posts and events. Try each once. Nothing is stored."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from newsletter.common.translation import translate
from newsletter.content.fetching.bounded_fetcher import BoundedFetcher
from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import PAGE
from newsletter.content.ingesting.read_source import name_kind
from newsletter.content.ingesting.source_trial import SourceTrial, try_source
from newsletter.content.parsing.apis.addresses import SourceAddress, find_interface, read_source_address
from newsletter.content.parsing.apis.kinds import API_KINDS
from newsletter.content.parsing.page_decoding import page_text
from newsletter.content.parsing.pages.site_look import MAX_NAME_LENGTH, FeedLink, SitePage, read_site_page
from newsletter.content.parsing.text import cut_at_word

LOOK_SECONDS = 15.0
MAX_TRIALS = 5
PAGE_KIND = "page"
"""A source that is one story's page."""


@dataclass(frozen=True)
class FoundSource:
    """An address of the site that has stories or events, with its first titles.

    ``needs_key``: the site has an interface that asks for a key, so it was not tried.
    """

    kind: str
    url: str
    name: str
    trial: SourceTrial
    needs_key: bool = False


def find_sources(url: str, *, now: datetime) -> list[FoundSource]:
    """Return the sources of the site: first the readable ones with their first titles, then those that need a key.

    Raises FetchError if the page cannot be read and nothing else is found.
    """
    found: list[FoundSource] = []
    unreadable: FetchError | None = None
    page, address = SitePage(), url
    try:
        page, address = read_page(url, fetcher=make_page_fetcher())
    except FetchError as error:
        unreadable = error
    for link in _list_candidates(page, address)[:MAX_TRIALS]:
        trial = try_source(kind=link.kind, url=link.url, now=now)
        if trial.titles and not any(trial.titles == other.trial.titles for other in found):
            name = cut_at_word(trial.titles[0], MAX_NAME_LENGTH) if link.kind == PAGE_KIND else _make_name(link, page)
            if any(other.name == name and other.kind != link.kind for other in found):
                name = f"{cut_at_word(name, 60)}: {translate(name_kind(link.kind))}"
            found.append(FoundSource(link.kind, link.url, name, trial))
    behind = find_interface(address)
    if behind is None and page.generator in API_KINDS and API_KINDS[page.generator].needs_key:
        behind = SourceAddress(urljoin(address, "/"), page.generator)
    if behind is not None:
        name = page.name or urlsplit(address).hostname or address
        found.append(
            FoundSource(behind.kind, behind.url, cut_at_word(name, MAX_NAME_LENGTH), SourceTrial(), needs_key=True)
        )
    if unreadable is not None and not found:
        raise unreadable
    return found


def try_address(*, kind: str, url: str, name: str, key: str, now: datetime) -> FoundSource:
    """Read one address of a known kind once, and return its entries, or its error for staff.

    ``name`` is its name on the page that links to it, or "".
    """
    trial = try_source(kind=kind, url=url, key=key, now=now)
    title = name or trial.title or urlsplit(url).hostname or url
    return FoundSource(kind, url, cut_at_word(title, MAX_NAME_LENGTH), trial)


def read_page(url: str, *, fetcher: BoundedFetcher) -> tuple[SitePage, str]:
    """Return the sources that the page names for its site, and its final address. Raises FetchError."""
    fetched = fetcher.fetch(url, limits=PAGE)
    return read_site_page(page_text(fetched.body, fetched.content_type), url=fetched.url), fetched.url


def make_page_fetcher() -> BoundedFetcher:
    """Return the fetcher for one look at a site."""
    return BoundedFetcher(allow=settings.NEWSLETTER_FETCH_ALLOW, seconds=LOOK_SECONDS)


def _make_name(link: FeedLink, page: SitePage) -> str:
    return cut_at_word(link.title or page.name or urlsplit(link.url).hostname or link.url, MAX_NAME_LENGTH)


def _list_candidates(page: SitePage, address: str) -> list[FeedLink]:
    """Return what the page names: posts, feeds without comments, calendars, events.

    If it names no posts, feeds or events, return the address itself and the usual one. A front page is no story.
    """
    own = [link for link in map(_in_usual_form, page.feeds) if "comment" not in f"{link.title} {link.url}".lower()]
    events = [FeedLink("events", address)] if page.has_events else []
    if page.is_wordpress:
        return [FeedLink("wordpress", address), *own, *events]
    if page.generator == "drupal":
        return [FeedLink("drupal", urljoin(address, "/")), *own, *events]
    if any(link.kind == "feed" for link in own) or events:
        return [*own, *events]
    story = [FeedLink(PAGE_KIND, address)] if page.is_story and urlsplit(address).path.strip("/") else []
    return [
        FeedLink("feed", address),
        FeedLink("calendar", address),
        *story,
        *own,
        FeedLink("feed", urljoin(address, "/feed/")),
    ]


def _in_usual_form(link: FeedLink) -> FeedLink:
    """Return the link with the usual address of its system, such as that of an embedded Google Calendar."""
    address = read_source_address(link.url)
    return FeedLink(address.kind, address.url, link.title) if address.kind == link.kind and not address.key else link
